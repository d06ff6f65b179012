"""A translation as it is printed: as text, marked if it is uncertain, or as JSON."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

UNCERTAIN = "(uncertain)"
MOST = 50  # percentage of empty translations up to which the sentences may be the reason


@dataclasses.dataclass(frozen=True)
class Translation:
    """A translation, its ranking score, its log-probability in nats, the attention weights, and the confidence.

    Attention is (tokens, source tokens), None if not computed; `tokens` and `source` are formatted for display.
    Confidence is the probability that the translation is right, and `features` is what it is computed from; both are
    None if the run was trained without.
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

    def __str__(self) -> str:
        return f"{self.text}  {UNCERTAIN}".strip() if self.uncertain else self.text

    def to_json(self) -> dict[str, str | float | bool | None]:
        """Returns what a program needs: text, confidence, whether it is uncertain, score and log-probability."""
        figures = {"confidence": self.confidence, "score": self.score, "log_probability": self.log_probability}
        rounded = {name: None if value is None else round(value, 4) for name, value in figures.items()}
        return {"translation": self.text, "uncertain": self.uncertain} | rounded


def empty_percent(texts: Sequence[str]) -> float:
    """Returns the percentage of translations that are empty."""
    return round(100 * texts.count("") / max(1, len(texts)), 1)


def said_of_empty(percent: float) -> str:
    """Returns a note if most translations are empty, which is what too little training gives; else ""."""
    if percent <= MOST:
        return ""
    return f"{percent:g} % of the translations are empty: the network was trained too little, try more --epochs"


def shown(translations: list[Translation], nbest: int) -> str:
    """Formats one translation per line, with scores if several were requested; "" if there is none."""
    if nbest == 1:
        return "".join(map(str, translations))
    return "\n".join(f"{each.score:8.3f} {each.log_probability:8.3f}  {each}" for each in translations)


def described(text: str, translations: list[Translation]) -> dict[str, Any]:
    """Returns a sentence with its best translation and the others, for programs; without any it was refused."""
    best, *others = [each.to_json() for each in translations] or [{"translation": None, "uncertain": True}]
    return {"text": text} | best | ({"others": others} if others else {})


def as_json(text: str, translations: list[Translation]) -> str:
    """Formats the translations of a sentence as a JSON object, see `described`."""
    return json.dumps(described(text, translations), ensure_ascii=False)
