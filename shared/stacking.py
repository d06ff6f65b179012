"""Stacked generalisation (Wolpert 1992) of the logits of two classifiers, with weights chosen on validation."""

import dataclasses

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from shared import calibration

# Penalties in nats over the whole validation set, not per row, so that they matter only where it says little.
EQUAL = 4.0  # cost of using one source alone, which may look better because its epoch was chosen on the same rows
RIDGE = 0.01  # keeps the scale finite if there are no validation errors
SCALES = np.log(0.01), np.log(100)  # range of the log scale of logits with a spread of 1
SHARES = np.linspace(0, 1, 101)


@dataclasses.dataclass(frozen=True)
class Stack:
    """Logits = first * logits of the first source + second * logits of the second.

    Attributes:
        first, second: nonnegative weights, which include a temperature.
        share: fraction of the weight on the second source, after scaling both to equal spread, 0 to 1.
        loss: log loss on validation, in nats per row.
    """

    first: float = 1.0
    second: float = 0.0
    share: float = 0.0
    loss: float | None = None

    def logits(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Returns the combined logits (..., labels) of both sources."""
        return self.first * first + self.second * second


def fit(first: np.ndarray, second: np.ndarray, labels: np.ndarray, balanced: bool = False) -> Stack:
    """Fits the stack with the lowest log loss on validation; equal shares if it makes no difference.

    For each share of the second source the best scale is found. The chosen share minimises

        rows * loss + EQUAL (1 - 2 share)^2

    Args:
        first, second: (rows, labels) validation logits of models that were not trained on these rows.
        labels: (rows,) true labels.
        balanced: weights rows so that every label has the same total weight.
    """
    spreads = _spread(first), _spread(second)
    weights = _row_weights(labels, first.shape[-1], balanced)
    rows = np.arange(len(labels))

    def loss(logits: np.ndarray) -> float:
        return float(-weights @ log_softmax(logits, axis=-1)[rows, labels])

    def best_of(share: float) -> tuple[float, float, float, float]:
        """Returns the objective, the loss, the share and its best scale."""
        mixed = (1 - share) / spreads[0] * first + share / spreads[1] * second

        def ridged(log_scale: float) -> float:
            return loss(np.exp(log_scale) * mixed) + RIDGE / len(rows) * np.exp(2 * log_scale)

        scale = float(np.exp(minimize_scalar(ridged, bounds=SCALES, method="bounded").x))
        least = loss(scale * mixed)
        return least + EQUAL / len(rows) * (1 - 2 * share) ** 2, least, share, scale

    _, least, share, scale = min(best_of(float(share)) for share in SHARES)
    return Stack(scale * (1 - share) / spreads[0], scale * share / spreads[1], share, least)


def log_loss(logits: np.ndarray, labels: np.ndarray, balanced: bool = False) -> float:
    """Returns the log loss (nats per row) of logits (rows, labels) at the best temperature; `balanced` as in `fit`."""
    log_chances = log_softmax(logits / calibration.temperature(logits, labels), axis=-1)
    chosen = log_chances[np.arange(len(labels)), labels]
    return float(-_row_weights(labels, logits.shape[-1], balanced) @ chosen)


def _spread(logits: np.ndarray) -> float:
    """Returns the root mean square deviation of the logits from their row's mean; 1 if that is 0."""
    return float(np.std(logits - logits.mean(axis=-1, keepdims=True))) or 1.0


def _row_weights(labels: np.ndarray, count: int, balanced: bool) -> np.ndarray:
    """Returns the weight of each row; they sum to 1."""
    weights = 1 / np.bincount(labels, minlength=count)[labels] if balanced else np.ones(len(labels))
    return weights / weights.sum()
