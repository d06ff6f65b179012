"""An utterance, the rules for its transcript, and the split by speaker, so that no speaker is in two sets."""

import dataclasses
import re
import unicodedata
from typing import Any

import numpy as np

from shared import InputError

from .features import HOP_S

SPLIT_SEED = 0  # fixed, so that all runs use the same split
WRITTEN = re.compile(r"[-.,;:!?\"“”„«»()\[\]…–—/]+")  # punctuation that is replaced by spaces


@dataclasses.dataclass(frozen=True, eq=False)
class Utterance:
    """Raw frames (frames, features), transcript, speaker, and location for error messages.

    origin: the input of the feature extraction, or its name; unlike the frames, it is identical on every processor.
    """

    raw: np.ndarray
    text: str
    speaker: str
    where: str
    origin: Any

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return HOP_S * len(self.raw)


Parts = dict[str, list[Utterance]]


def cleaned(text: str, where: str) -> str:
    """Normalises a transcript: lower case, no punctuation, single spaces between words.

    Raises:
        InputError: the transcript has no words, or a character that is not a letter.
    """
    words = WRITTEN.sub(" ", unicodedata.normalize("NFC", text).replace("’", "'").lower()).split()
    wrong = next((c for word in words for c in word if not (c.isalpha() or unicodedata.combining(c) or c == "'")), None)
    if wrong is not None:
        raise InputError(
            f"{where}: expected letters, as they are spoken; the transcript has {wrong!r}. Write it as words."
        )
    if not words:
        raise InputError(f"{where}: expected a transcript with at least one word; received {text!r}")
    return " ".join(words)


def by_speaker(found: list[Utterance], fraction: float) -> tuple[list[Utterance], list[Utterance]]:
    """Holds out whole speakers, about this share of the utterances; unnamed speakers count as one each. (rest, held)"""
    keys = [utterance.speaker or f"{number}" for number, utterance in enumerate(found)]
    order = np.random.default_rng(SPLIT_SEED).permutation(sorted(set(keys))).tolist()
    if len(order) < 2:
        raise InputError(
            f"Expected recordings of at least 2 speakers for each split; {found[0].where} is of the only one"
        )
    wanted, chosen = max(1.0, fraction * len(found)), set()
    for speaker in order[:-1]:
        if sum(key in chosen for key in keys) >= wanted:
            break
        chosen.add(speaker)
    held = [utterance for utterance, key in zip(found, keys, strict=True) if key in chosen]
    return [utterance for utterance, key in zip(found, keys, strict=True) if key not in chosen], held
