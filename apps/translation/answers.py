"""A translation as it is printed: as text, marked if it is uncertain, replaced if it is not sure, or as JSON."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

UNCERTAIN = "(uncertain)"
NOT_SURE = "not sure"
MOST = 50  # percentage of empty translations up to which the sentences may be the reason


@dataclasses.dataclass(frozen=True)
class Translation:
    """A translation, its ranking score, its log-probability in nats, the attention weights, and the confidence.

    Attention is (tokens, source tokens), None if not computed; `tokens` and `source` are formatted for display.
    Confidence is the probability that the translation is right, and `features` is what it is computed from; both are
    None if the run was trained without. If it is so low that the translation is not shown, `not_sure` is True, and
    `unknown_words` are those of the source that are not in training.
    """

    text: str
    score: float
    log_probability: float
    tokens: list[str]
    source: list[str]
    attention: np.ndarray | None
    features: list[float] | None
    confidence: float | None = None
    uncertain: bool = False
    not_sure: bool = False
    unknown_words: Sequence[str] = ()

    def __str__(self) -> str:
        if self.not_sure:
            return f"({NOT_SURE}; unknown: {', '.join(self.unknown_words)})" if self.unknown_words else f"({NOT_SURE})"
        return self.candidate()

    def candidate(self) -> str:
        """Returns the text, whatever its confidence, with its mark."""
        mark = f"({NOT_SURE})" if self.not_sure else UNCERTAIN if self.uncertain else ""
        return f"{self.text}  {mark}".strip()

    def to_json(self, candidate: bool = False) -> dict[str, Any]:
        """Returns what a program needs: text, confidence, how sure it is, score and log-probability.

        Args:
            candidate: give the text even if it is not sure; otherwise it is None then.
        """
        figures = {"confidence": self.confidence, "score": self.score, "log_probability": self.log_probability}
        rounded = {name: None if value is None else round(value, 4) for name, value in figures.items()}
        text = self.text if candidate or not self.not_sure else None
        sure = {"uncertain": self.uncertain, "not_sure": self.not_sure}
        words = {"unknown_words": list(self.unknown_words)} if self.not_sure else {}
        return {"translation": text} | sure | words | rounded


def empty_percent(texts: Sequence[str]) -> float:
    """Returns the percentage of translations that are empty."""
    return round(100 * texts.count("") / max(1, len(texts)), 1)


def said_of_empty(percent: float) -> str:
    """Returns a note if most translations are empty, which is what too little training gives; else ""."""
    if percent <= MOST:
        return ""
    return f"{percent:g} % of the translations are empty: the network was trained too little, try more --epochs"


def shown(translations: list[Translation], nbest: int) -> str:
    """Formats the best translation; or, if several are requested, each candidate with its scores on a line.

    Candidates are shown even if it is not sure: who asks for several wants to see what the search found.
    """
    if nbest == 1:
        return "".join(map(str, translations))
    return "\n".join(f"{each.score:8.3f} {each.log_probability:8.3f}  {each.candidate()}" for each in translations)


def described(text: str, translations: list[Translation], nbest: int = 1) -> dict[str, Any]:
    """Returns a sentence with its best translation and the others, for programs; without any it was refused."""
    refused = {"translation": None, "uncertain": True, "not_sure": True}
    best, *others = [each.to_json(nbest > 1) for each in translations] or [refused]
    return {"text": text} | best | ({"others": others} if others else {})


def as_json(text: str, translations: list[Translation], nbest: int = 1) -> str:
    """Formats the translations of a sentence as a JSON object, see `described`."""
    return json.dumps(described(text, translations, nbest), ensure_ascii=False)
