"""Weights of two stacked classifiers, chosen on validation: stacked generalisation (Wolpert 1992) of logits."""

import dataclasses

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from shared import calibration

# In nats of the whole validation part, not per row, so that they decide only where validation says little.
EQUAL = 4.0  # what it takes to give all to one source: it may look better by the choice of its epoch on the same rows
RIDGE = 0.01  # keeps the scale finite where validation has no error
SCALES = np.log(0.01), np.log(100)  # of logits whose spread is 1
SHARES = np.linspace(0, 1, 101)


@dataclasses.dataclass(frozen=True)
class Stack:
    """Logits = first * those of the first source + second * those of the second.

    Attributes:
        first, second: not negative; a temperature is in them.
        share: how much of the spread of the logits over the labels comes from the second source, 0 to 1.
        loss: nats per row on validation.
    """

    first: float = 1.0
    second: float = 0.0
    share: float = 0.0
    loss: float | None = None

    def logits(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The logits (..., labels) of both sources together."""
        return self.first * first + self.second * second


def fit(first: np.ndarray, second: np.ndarray, labels: np.ndarray, balanced: bool = False) -> Stack:
    """The stack of two sources with the least log loss on validation; both count the same if it makes no difference.

    For each share of the second source the best scale is found; the share is that with the least

        rows * loss + EQUAL (1 - 2 share)^2

    Args:
        first, second: (rows, labels) logits of validation, of models that were not trained on these rows.
        labels: (rows,) the true ones.
        balanced: every label counts the same in all, however many rows it has.
    """
    spreads = _spread(first), _spread(second)
    weights = _row_weights(labels, first.shape[-1], balanced)
    rows = np.arange(len(labels))

    def loss(logits: np.ndarray) -> float:
        return float(-weights @ log_softmax(logits, axis=-1)[rows, labels])

    def best_of(share: float) -> tuple[float, float, float, float]:
        """What is to be least, the loss, the share and its scale."""
        mixed = (1 - share) / spreads[0] * first + share / spreads[1] * second

        def ridged(log_scale: float) -> float:
            return loss(np.exp(log_scale) * mixed) + RIDGE / len(rows) * np.exp(2 * log_scale)

        scale = float(np.exp(minimize_scalar(ridged, bounds=SCALES, method="bounded").x))
        least = loss(scale * mixed)
        return least + EQUAL / len(rows) * (1 - 2 * share) ** 2, least, share, scale

    _, least, share, scale = min(best_of(float(share)) for share in SHARES)
    return Stack(scale * (1 - share) / spreads[0], scale * share / spreads[1], share, least)


def log_loss(logits: np.ndarray, labels: np.ndarray, balanced: bool = False) -> float:
    """Nats per row of logits (rows, labels) at their best temperature; `balanced` as in `fit`."""
    log_chances = log_softmax(logits / calibration.temperature(logits, labels), axis=-1)
    chosen = log_chances[np.arange(len(labels)), labels]
    return float(-_row_weights(labels, logits.shape[-1], balanced) @ chosen)


def _spread(logits: np.ndarray) -> float:
    """The root mean square distance of a row's logits from their mean; 1 of a source that tells nothing."""
    return float(np.std(logits - logits.mean(axis=-1, keepdims=True))) or 1.0


def _row_weights(labels: np.ndarray, count: int, balanced: bool) -> np.ndarray:
    """What each row counts, 1 in all."""
    weights = 1 / np.bincount(labels, minlength=count)[labels] if balanced else np.ones(len(labels))
    return weights / weights.sum()
