"""Loads a trained run and understands requests with it: intent, slots, and how sure each of them is."""

import dataclasses
import json
import sys
from typing import Any

import numpy as np
from keras import ops

from shared import InputError, MissingFileError, runs
from shared.data.sequences import pad
from shared.data.text import names_file, read_text
from shared.layers import backend

from . import crf, tags
from .confidence import UNCALIBRATED, probabilities
from .config import APP, Understand
from .tokens import Encoder, Text, cut

BATCH, FEW = 128, 4  # so many requests at once; up to FEW go one by one, each new batch size is compiled anew
SLOTS = 8  # slots of a request whose confidence is found at once
CALIBRATION = "calibration.json"


@dataclasses.dataclass(frozen=True)
class Slot:
    """A slot's name, its words, and the probability of just this slot, `first` to before `last` in tokens."""

    name: str
    value: str
    confidence: float
    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class Frame:
    """What a request means. `sure` is False where the intent's confidence is below the run's threshold."""

    intent: str
    confidence: float
    sure: bool
    slots: tuple[Slot, ...]
    cut: int = 0  # tokens that were not read

    def values(self) -> dict[str, str]:
        """The slots' words by name; of several with one name the last."""
        return {slot.name: slot.value for slot in self.slots}

    def said(self) -> str:
        """The frame as a line."""
        slots = "  ".join(f"{slot.name}={slot.value!r} {slot.confidence:.2f}" for slot in self.slots)
        doubt = "" if self.sure else "not sure: "
        return f"{doubt}{self.intent} {self.confidence:.2f}" + (f"  {slots}" if slots else "")


class Understander:
    """A trained run, ready to understand: texts in, frames out."""

    def __init__(self, run: runs.Run) -> None:
        info = run.info()
        self.run, self.intents, self.tags, self.lengths = run, info["intents"], info["tags"], info["bucket_lengths"]
        self.encoder = Encoder(info["words"], info["letters"], info["max_words"])
        self.model = run.load_model()
        self.transitions = ops.convert_to_numpy(self.model.get_layer("slots").transitions())
        self._best = backend.compiled(crf.best_path, [])
        self._partition = backend.compiled(crf.log_partition, [])
        kept = run.file(CALIBRATION)
        self.calibration = runs.read_json(kept, dict) if kept.exists() else UNCALIBRATED

    def scores(self, ids: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray], list[list[str]]]:
        """Ids of requests -> intent logits (rows, intents), emissions, each (time, tags), and the best tags of each."""
        logits = np.zeros((len(ids), len(self.intents)))
        emissions: list[Any] = [None] * len(ids)
        found: list[Any] = [None] * len(ids)
        size = 1 if len(ids) <= FEW else BATCH
        bucket = np.searchsorted(self.lengths, [len(request) for request in ids])
        for number, length in enumerate(self.lengths):
            rows = np.flatnonzero(bucket == number)
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                padded, mask = pad([ids[row] for row in np.resize(some, size)], length)
                answer = self.model.predict_on_batch([padded, mask])
                best = ops.convert_to_numpy(self._best(*map(_tensor, (answer["slots"], mask, self.transitions))))
                for place, row in enumerate(some):
                    time = len(ids[row])
                    logits[row], emissions[row] = answer["intent"][place], answer["slots"][place]
                    found[row] = [self.tags[tag] for tag in best[place, :time]]
        return logits, emissions, found

    def understand(self, texts: list[str]) -> list[Frame]:
        """Texts -> frames. Raises InputError for one without a word."""
        requests = [self.fitted(cut(text)) for text in texts]
        logits, emissions, found = self.scores([self.encoder.encode(request.tokens) for request in requests])
        chances = probabilities(logits, self.calibration["temperature"])
        return [self._frame(*each) for each in zip(requests, chances, emissions, found, strict=True)]

    def fitted(self, text: Text) -> Text:
        """The text cut as the training requests are: 's joined to its word, or without its mark, if they have it so."""
        known = self.encoder.words.index
        words, places = [], []
        for token, (first, last) in zip(text.tokens, text.places, strict=True):
            short = token.startswith("'") and len(token) > 1
            if short and words and (words[-1] + token).lower() in known:
                words[-1], places[-1] = words[-1] + token, (places[-1][0], last)
            else:
                bared = short and token.lower() not in known
                words.append(token[1:] if bared else token)
                places.append((first + bared, last))
        return Text(text.raw, words, places)

    def _frame(self, text: Text, chances: np.ndarray, emissions: np.ndarray, found: list[str]) -> Frame:
        best = int(chances.argmax())
        spans = tags.spans(found)
        slots = tuple(
            Slot(name, text.between(first, last), chance, first, last)
            for (name, first, last), chance in zip(spans, self.span_chances(emissions, len(found), spans), strict=True)
        )
        confidence = float(chances[best])
        sure = confidence >= self.calibration["confidence"]
        return Frame(self.intents[best], confidence, sure, slots, len(text.tokens) - len(found))

    def span_chances(self, emissions: np.ndarray, time: int, spans: list[tags.Span]) -> list[float]:
        """The probability of each slot over all paths: Z of the paths that have it, divided by Z of all.

        Emissions (padded time, tags), of which `time` steps are real.
        """
        chances: list[float] = []
        mask = np.arange(len(emissions)) < time
        for start in range(0, len(spans), SLOTS):
            rows = np.repeat(emissions[None], SLOTS + 1, axis=0)
            for row, (name, first, last) in zip(rows, spans[start : start + SLOTS], strict=False):
                for place, tag in enumerate(tags.tagged(last - first, [(name, 0, last - first)]), first):
                    row[place, np.arange(len(self.tags)) != self.tags.index(tag)] += crf.FORBIDDEN
                if last < time:  # the slot ends here
                    row[last, self.tags.index(f"I-{name}")] += crf.FORBIDDEN
            nats = self._partition(*map(_tensor, (rows, np.tile(mask, (len(rows), 1)), self.transitions)))
            nats = ops.convert_to_numpy(nats)
            chances += np.exp(np.minimum(nats[:-1] - nats[-1], 0.0))[: len(spans) - start].tolist()
        return chances

    def warm_up(self) -> None:
        """Compiles for every length, so that the first request does not wait for it."""
        for length in self.lengths:
            _, emissions, _ = self.scores([self.encoder.encode(["a"] * length)])
            self.span_chances(emissions[0], length, [(self.tags[1][2:], 0, 1)] if len(self.tags) > 1 else [])


def _tensor(values: Any) -> Any:
    return ops.convert_to_tensor(values)


def newest(name: str | None, small_talk: bool = False) -> runs.Run:
    """The run called `name`, or the newest with a model that understands (or that makes small talk).

    Raises:
        InputError: there is none, or it is one of the other kind.
    """
    kind, other = ("makes small talk", "understands") if small_talk else ("understands", "makes small talk")
    command = f"python -m {__package__} train" + (" --data dailydialog" if small_talk else "")
    if name is not None:
        run = runs.find(APP, name)
        if ("context" in run.config) != small_talk:
            raise InputError(f"Expected a run that {kind}. {run.path} {other}. Make one: {command}")
        return run
    models = [path for path in (runs.root() / APP).glob("*/model.keras") if not path.parent.name.startswith(".")]
    for path in sorted(models, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        run = runs.find(APP, path.parent.name)
        if ("context" in run.config) == small_talk:
            return run
    raise MissingFileError(f"There is no run that {kind} in {runs.root() / APP} yet. Make one: {command}")


def understand(options: Understand) -> None:
    """The understand verb: prints the frame of each text."""
    texts = _texts(options.text)
    understander = Understander(newest(options.run))
    for text, frame in zip(texts, understander.understand(texts), strict=True):
        if options.json:
            print(json.dumps({"text": text} | dataclasses.asdict(frame), ensure_ascii=False))
            continue
        print(f"{shown(text)}\n  {frame.said()}")
        if frame.cut:
            print(f"  its last {frame.cut:,} words were not read: at most {understander.encoder.max_words} are")


def shown(text: str, width: int = 80) -> str:
    """The text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def _texts(argument: str) -> list[str]:
    """The texts that the argument is or names, without empty lines."""
    if argument == "-":
        sys.stdin.reconfigure(errors="replace")
        lines = sys.stdin.read().split("\n")
    elif names_file(argument):
        lines = read_text(argument).split("\n")
    else:
        lines = [argument]
    if texts := [line for line in lines if line.strip()]:
        return texts
    raise InputError("Expected a request, the path of a text file or - for standard input. Received an empty text.")
