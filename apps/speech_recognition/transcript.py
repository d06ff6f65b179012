"""Transcripts: words with times and confidences, and their output formats."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from shared.ctc import Spike

from .certainty import UNCERTAIN, Thresholds
from .features import HOP_S

NOTHING = "(no words)"
SUBTITLE_WORDS, SUBTITLE_S = 8, 4.0  # maximum per subtitle
SHOWN_S = 1.0  # a subtitle stays this long after its last word began, if the next one does not begin earlier


@dataclasses.dataclass(frozen=True)
class Word:
    """A word with its time in seconds and its confidence: the geometric mean of its symbols' probabilities.

    uncertain: None if not known, since the run has no thresholds.
    """

    text: str
    start: float
    end: float
    confidence: float
    uncertain: bool | None = None

    def __str__(self) -> str:
        return f"{self.text}  {UNCERTAIN}" if self.uncertain else self.text


@dataclasses.dataclass(frozen=True)
class Transcript:
    """The words of a recording, and the decoder's score in nats.

    The score is the log-probability of the symbols; in a beam search, language model and word bonuses are added. It
    ranks the transcripts of one recording by one search, and means nothing between recordings or searches.
    uncertain: as of a word; that of several segments if one of them is.
    """

    words: tuple[Word, ...]
    score: float
    uncertain: bool | None = None

    def __str__(self) -> str:
        return f"{self.text or NOTHING}  {UNCERTAIN}" if self.uncertain else self.text or NOTHING

    @property
    def text(self) -> str:
        """The words, separated by spaces."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float | None:
        """The mean confidence of the words; None without any."""
        return float(np.mean([word.confidence for word in self.words])) if self.words else None

    def marked(self, limits: Thresholds | None) -> "Transcript":
        """Returns the transcript with the marks of uncertain words and of itself; the same without thresholds."""
        if limits is None:
            return self
        words = (dataclasses.replace(word, uncertain=word.confidence < limits.word) for word in self.words)
        uncertain = self.confidence is not None and self.confidence < limits.transcript
        return dataclasses.replace(self, words=tuple(words), uncertain=uncertain)

    def later(self, seconds: float) -> "Transcript":
        """Returns the transcript shifted in time by `seconds`."""
        moved = (
            dataclasses.replace(w, start=round(w.start + seconds, 3), end=round(w.end + seconds, 3)) for w in self.words
        )
        return dataclasses.replace(self, words=tuple(moved))

    def and_then(self, other: "Transcript") -> "Transcript":
        """Returns this transcript followed by another."""
        return Transcript(self.words + other.words, self.score + other.score, self.uncertain or other.uncertain)


class Words:
    """Assembles words from a stream of symbols; stores no more than the current word.

    Args:
        symbols: the blank first. targets: words or characters. stride: frames of 10 ms per step. offset: in seconds.
    """

    def __init__(self, symbols: Sequence[str], targets: str, stride: int, offset: float = 0.0) -> None:
        self.symbols, self.whole, self.step_s, self.offset = symbols, targets == "words", stride * HOP_S, offset
        self.open: list[Spike] = []

    def read(self, spikes: Iterable[Spike]) -> list[Word]:
        """Returns the words completed by these symbols."""
        ended = []
        for spike in spikes:
            if self.symbols[spike.symbol] != " ":
                self.open.append(spike)
            if self.whole or self.symbols[spike.symbol] == " ":
                ended += self.end()
        return ended

    def end(self) -> list[Word]:
        """Returns the unfinished word, if any, and resets it."""
        spikes, self.open = self.open, []
        return [self._word(spikes)] if spikes else []

    def begun(self) -> str:
        """Returns the text of the unfinished word."""
        return "".join(self.symbols[spike.symbol] for spike in self.open)

    def _word(self, spikes: list[Spike]) -> Word:
        text = "".join(self.symbols[spike.symbol] for spike in spikes)
        confidence = float(np.exp(np.mean([np.log(spike.probability) for spike in spikes])))
        start, end = (self.offset + self.step_s * step for step in (spikes[0].start, spikes[-1].end))
        return Word(text, round(start, 3), round(end, 3), round(confidence, 4))


def words_of(spikes: Iterable[Spike], symbols: Sequence[str], targets: str, stride: int) -> tuple[Word, ...]:
    """Returns all words of a sequence of symbols."""
    reader = Words(symbols, targets, stride)
    return tuple([*reader.read(spikes), *reader.end()])


def as_text(name: str, transcripts: Sequence[Transcript]) -> str:
    """Formats the best transcript with the time and confidence of each word, then one line per alternative."""
    best, *others = transcripts
    lines = [f"{name}: {best}"]
    lines += [f"  {w.start:8.2f} - {w.end:8.2f} s   {w.confidence:4.2f}   {w}" for w in best.words]
    for place, other in enumerate(others, 2):
        lines.append(f"  {place}. {other}   ({other.score - best.score:+.2f} nats)")
    return "\n".join(lines)


def described(seconds: float, transcripts: Sequence[Transcript]) -> dict[str, Any]:
    """Returns the length of a recording and its transcripts, best first, as plain values."""
    found = [
        {
            "text": each.text,
            "uncertain": each.uncertain,
            "confidence": None if each.confidence is None else round(each.confidence, 4),
            "score": each.score,
            "words": [dataclasses.asdict(word) for word in each.words],
        }
        for each in transcripts
    ]
    return {"seconds": round(seconds, 3), "transcripts": found}


def as_json(name: str, seconds: float, transcripts: Sequence[Transcript]) -> str:
    """Formats the transcripts of a recording, best first, as one line of JSON."""
    return json.dumps({"file": name} | described(seconds, transcripts), ensure_ascii=False)


def subtitles(words: Sequence[Word]) -> str:
    """Formats words as SubRip subtitles, a few words at a time."""
    groups: list[list[Word]] = []
    for word in words:
        if not groups or len(groups[-1]) == SUBTITLE_WORDS or word.end - groups[-1][0].start > SUBTITLE_S:
            groups.append([])
        groups[-1].append(word)
    starts = [group[0].start for group in groups] + [float("inf")]
    blocks = []
    for number, group in enumerate(groups, 1):
        end = max(group[-1].end, min(group[-1].start + SHOWN_S, starts[number]))
        text = " ".join(word.text for word in group)
        blocks.append(f"{number}\n{_clock(starts[number - 1])} --> {_clock(end)}\n{text}\n")
    return "\n".join(blocks)


def _clock(seconds: float) -> str:
    milliseconds = round(1000 * seconds)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02},{rest % 1000:03}"
