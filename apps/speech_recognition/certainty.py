"""Which words and transcripts are marked as uncertain: those less confident than most right ones of validation."""

import dataclasses
from collections.abc import Sequence

import numpy as np

UNCERTAIN = "(uncertain)"
TRANSCRIPTS, WORDS = 0.05, 0.02  # shares of the right transcripts of validation, and of their words, that are marked
EVEN = 0.5  # below this confidence a word or transcript is always marked: it is more likely wrong than right
EVERY = 2.0  # a threshold above any confidence, for a run that gets nothing right


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """What is less confident than this is marked: a word, and a transcript by the mean confidence of its words."""

    word: float
    transcript: float


def thresholds(right: Sequence[Sequence[float]]) -> Thresholds:
    """Chooses the thresholds on the confidences of the words of each right transcript of validation."""
    known = [words for words in right if words]
    if not known:
        return Thresholds(EVERY, EVERY)
    word = np.quantile(np.concatenate(known), WORDS)
    transcript = np.quantile([np.mean(words) for words in known], TRANSCRIPTS)
    return Thresholds(max(EVEN, float(word)), max(EVEN, float(transcript)))
