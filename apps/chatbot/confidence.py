"""Confidence that can be believed: a temperature, and where "I'm not sure" begins. Both come from validation."""

import numpy as np

TEMPERATURES = np.geomspace(0.25, 10, 200)
FEWEST_ANSWERED = 0.5  # share of the requests that must be answered, however unsure
UNCALIBRATED = {"temperature": 1.0, "confidence": 0.0}  # of a run that was stopped before it was measured


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Logits (rows, intents) -> probabilities (rows, intents)."""
    scaled = np.asarray(logits, np.float64) / temperature
    return np.exp(scaled - np.logaddexp.reduce(scaled, axis=-1, keepdims=True))


def temperature(logits: np.ndarray, intents: np.ndarray) -> float:
    """The temperature at which the intents are likeliest, Guo et al. (2017), arXiv:1706.04599, section 4.2."""
    rows = np.arange(len(intents))
    nats = [-np.log(probabilities(logits, t)[rows, intents] + 1e-12).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(nats))])


def least_confidence(confidence: np.ndarray, right: np.ndarray, sure: float) -> float:
    """The least confidence above which the share `sure` of the answers is right; below it one is not sure.

    Where that cannot be had, the confidence that half of the requests reaches.

    Args:
        confidence: (rows,). right: (rows,) bool, False also for what should not be answered at all.
    """
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    shares = np.cumsum(right) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero(shares >= sure)
    answered = max(int(enough[-1]) + 1 if len(enough) else 0, int(len(right) * FEWEST_ANSWERED), 1)
    return 0.0 if answered == len(right) else float(confidence[answered - 1])
