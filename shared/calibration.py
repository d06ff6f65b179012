"""Calibrated confidence: temperature scaling, the calibration error, and the abstention threshold."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

BINS = 15
LOWEST, HIGHEST = 0.05, 20.0  # bounds of the temperature
UNCALIBRATED = {"temperature": 1.0, "threshold": 0.0}  # for a run that was stopped before calibration


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Returns the softmax of logits / temperature: (..., labels) -> (..., labels)."""
    return softmax(np.asarray(logits, np.float64) / temperature, axis=-1)


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Returns the temperature with the lowest log loss on validation; Guo et al. (2017), arXiv:1706.04599, 4.2.

    Args:
        logits: (rows, labels), on validation. labels: (rows,) true labels.
    """
    logits, rows = np.asarray(logits, np.float64), np.arange(len(labels))

    def nats(log_temperature: float) -> float:
        return -float(log_softmax(logits / np.exp(log_temperature), axis=-1)[rows, labels].mean())

    found = minimize_scalar(nats, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def threshold(confidence: np.ndarray, right: np.ndarray, target_accuracy: float, least_answered: float) -> float:
    """Returns the lowest confidence threshold at which the accuracy of the answered rows reaches `target_accuracy`.

    Args:
        confidence: (rows,), on validation. right: (rows,) bool, False also for rows that have no right answer.
        least_answered: minimum share of rows to answer, even where the target accuracy cannot be reached.
    """
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    accuracy = np.cumsum(right) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero(accuracy >= target_accuracy)
    answered = max(int(enough[-1]) + 1 if len(enough) else 0, int(len(right) * least_answered), 1)
    return 0.0 if answered == len(right) else float(confidence[answered - 1])


def bins(probability: np.ndarray, labels: np.ndarray) -> list[tuple[float, float, float]]:
    """Returns the mean confidence, the accuracy and the share of all rows for each nonempty bin of confidence.

    Args:
        probability: (rows, labels). labels: (rows,) true labels.
    """
    confidence, right = probability.max(axis=-1), probability.argmax(axis=-1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    chosen = [place == number for number in range(BINS)]
    return [(confidence[some].mean(), right[some].mean(), some.mean()) for some in chosen if some.any()]


def expected_calibration_error(probability: np.ndarray, labels: np.ndarray) -> float:
    """Returns the weighted mean of |accuracy - confidence| over 15 bins of confidence (Guo et al., equation 3)."""
    return float(sum(share * abs(confidence - right) for confidence, right, share in bins(probability, labels)))
