"""Confidence that can be believed: a temperature, the calibration error, and where "not sure" begins."""

from pathlib import Path

import numpy as np

from shared import plots

BINS = 15
TEMPERATURES = np.geomspace(0.1, 10, 400)
FEWEST_ANSWERED = 0.1  # share of the texts that must be answered, however unsure


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Logits (rows, labels) -> probabilities (rows, labels)."""
    scaled = np.asarray(logits, np.float64) / temperature
    return np.exp(scaled - np.logaddexp.reduce(scaled, axis=-1, keepdims=True))


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature at which the labels are likeliest, Guo et al. (2017), arXiv:1706.04599, section 4.2."""
    rows = np.arange(len(labels))
    nats = [-np.log(probabilities(logits, t)[rows, labels] + 1e-12).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(nats))])


def bins(probability: np.ndarray, labels: np.ndarray) -> list[tuple[float, float, float]]:
    """For each filled bin of confidence: mean confidence, share of right answers, share of all texts."""
    confidence, right = probability.max(axis=-1), probability.argmax(axis=-1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    chosen = [place == number for number in range(BINS)]
    return [(confidence[some].mean(), right[some].mean(), some.mean()) for some in chosen if some.any()]


def expected_calibration_error(probability: np.ndarray, labels: np.ndarray) -> float:
    """Mean distance of confidence and share of right answers over 15 bins of confidence (Guo et al., equation 3)."""
    return float(sum(share * abs(confidence - right) for confidence, right, share in bins(probability, labels)))


def least_confidence(probability: np.ndarray, labels: np.ndarray, sure: float) -> float:
    """The least confidence above which the share `sure` of the answers is right; below it one is not sure.

    Where that cannot be had, the confidence that a tenth of the texts reaches.
    """
    order = np.argsort(-probability.max(axis=-1), kind="stable")
    confidence = probability.max(axis=-1)[order]
    right = (probability.argmax(axis=-1) == labels)[order]
    shares = np.cumsum(right) / np.arange(1, len(right) + 1)
    fewest = max(1, int(len(right) * FEWEST_ANSWERED))
    enough = np.flatnonzero(shares >= sure)
    answered = max(fewest, int(enough[-1]) + 1 if len(enough) else 0)
    return 0.0 if answered == len(right) else float(confidence[answered - 1])


def picture(probability: np.ndarray, labels: np.ndarray, path: Path, title: str) -> None:
    """Draws the share of right answers over the confidence; on the diagonal it can be believed."""
    figure, axes = plots.new_figure(title, size=(5.0, 4.5))
    confidence, right, share = zip(*bins(probability, labels), strict=True)
    axes.plot([0, 1], [0, 1], "k--", label="as sure as right")
    axes.bar(confidence, share, width=0.5 / BINS, color="lightgrey", label="share of the texts")
    axes.plot(confidence, right, "o-", label="right answers")
    axes.set(xlabel="confidence", ylabel="share", xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    plots.save(figure, path)
