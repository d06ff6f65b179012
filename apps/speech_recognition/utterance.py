"""One utterance, what its transcript may hold, and how utterances are split so that no speaker is in two parts."""

import dataclasses
import re
import unicodedata
from typing import Any

import numpy as np

from shared import InputError

from .features import HOP_S

SPLIT_SEED = 0  # the same parts in every run, so that runs compare
WRITTEN = re.compile(r"[-.,;:!?\"“”„«»()\[\]…–—/]+")  # what a transcript may have between its words


@dataclasses.dataclass(frozen=True, eq=False)
class Utterance:
    """Raw frames (frames, features), what was said, who said it, and where it stands, for messages.

    origin: what the frames were computed from, or what names it: it is the same on every processor, the frames are not.
    """

    raw: np.ndarray
    text: str
    speaker: str
    where: str
    origin: Any

    @property
    def seconds(self) -> float:
        """How long it is."""
        return HOP_S * len(self.raw)


Parts = dict[str, list[Utterance]]


def cleaned(text: str, where: str) -> str:
    """A transcript in lower case, its words with one space between.

    Raises:
        InputError: it has no word, or a character that is no letter.
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
    """The rest, and the utterances of some speakers, about this share; where none is named each counts as a speaker."""
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
