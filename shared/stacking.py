"""How much each of two classifiers counts, chosen on validation: stacked generalisation (Wolpert 1992) of logits."""

import dataclasses

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from shared import calibration

RIDGE = 0.01  # log loss in all, not per row: it keeps the scale finite where validation has no error


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
    """The stack of two sources with the least log loss on validation, a convex problem of two numbers.

    Either source alone is among the answers, so that the loss is at most that of the better one with its temperature.

    Args:
        first, second: (rows, labels) logits of validation, of models that were not trained on these rows.
        labels: (rows,) the true ones.
        balanced: every label counts the same in all, however many rows it has.
    """
    spreads = np.array([_spread(logits) for logits in (first, second)])
    both = np.stack([logits / spread for logits, spread in zip((first, second), spreads, strict=True)])
    weights = _row_weights(labels, both.shape[-1], balanced)
    rows = np.arange(len(labels))

    def objective(scales: np.ndarray) -> tuple[float, np.ndarray]:
        log_chances = log_softmax(np.tensordot(scales, both, 1), axis=-1)
        loss = -weights @ log_chances[rows, labels] + RIDGE / len(rows) * scales @ scales / 2
        expected = (np.exp(log_chances) * both).sum(axis=-1)  # (sources, rows)
        return loss, (expected - both[:, rows, labels]) @ weights + RIDGE / len(rows) * scales

    found = minimize(objective, np.ones(2), jac=True, bounds=[(0, None)] * 2, method="L-BFGS-B")
    scales = found.x
    share = float(scales[1] / scales.sum()) if scales.sum() else 0.0
    loss = float(-weights @ log_softmax(np.tensordot(scales, both, 1), axis=-1)[rows, labels])
    return Stack(float(scales[0] / spreads[0]), float(scales[1] / spreads[1]), share, loss)


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
