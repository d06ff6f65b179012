"""Loads a trained run and predicts the intent and the slots of requests, with confidences."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from shared import InputError, calibration, files, linear, lines, runs, stacking
from shared.data.sequences import in_buckets
from shared.data.wording import sized
from shared.layers import backend

from . import crf, tags
from .config import APP
from .data import NONE, Part
from .options import Predict, Stream
from .tokens import Encoder, Text, cut, word

UNCALIBRATED = calibration.UNCALIBRATED | {"most_unknown": 1.0}
STRANGEST = 0.01  # share of correct validation answers that may be rejected for unknown words
LEAST_UNKNOWN = 0.5  # share of unknown words that is always accepted
FEW = 4  # up to this many requests run one at a time: each new batch size needs compiling
LEAST_ANSWERED = 0.5  # minimum share of validation requests to answer, however uncertain the model is
SHOWN = 80  # maximum number of characters shown of a request
SLOTS = 8  # number of slots whose confidence is computed at a time
CALIBRATION, LINEAR, STACK = "calibration.json", "linear.npz", "stack.json"


@dataclasses.dataclass(frozen=True)
class Slot:
    """A slot: its name, its words, and the probability of exactly this slot; `first` to before `last` in tokens."""

    name: str
    value: str
    confidence: float
    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class Frame:
    """The meaning of a request. `sure` is False for abstention: low confidence, or too many unknown words."""

    intent: str
    confidence: float
    sure: bool
    slots: tuple[Slot, ...]
    cut: int = 0  # number of tokens that were truncated

    def values(self) -> dict[str, list[str]]:
        """Returns the words of the slots by name, in the order of the request."""
        found: dict[str, list[str]] = {}
        for slot in self.slots:
            found.setdefault(slot.name, []).append(slot.value)
        return found

    def described(self) -> str:
        """Formats the frame as one line."""
        slots = "  ".join(f"{slot.name}={slot.value!r} {slot.confidence:.2f}" for slot in self.slots)
        doubt = "" if self.sure else "not sure: "
        return f"{doubt}{self.intent} {self.confidence:.2f}" + (f"  {slots}" if slots else "")


class Predictor:
    """A trained run, ready for inference: converts texts to frames."""

    def __init__(self, run: runs.Run) -> None:
        info = run.info()
        self.run, self.intents, self.tags, self.lengths = run, info["intents"], info["tags"], info["bucket_lengths"]
        self.encoder = Encoder(info["words"], info["letters"], info["max_words"])
        self.model = run.load_model()
        self.transitions = ops.convert_to_numpy(self.model.get_layer("slots").transitions())
        self._best = backend.compiled(crf.best_path, [])
        self._partition = backend.compiled(crf.log_partition, [])
        kept = run.file(CALIBRATION)
        self.calibration = UNCALIBRATED | (runs.read_json(kept, dict) if kept.exists() else {})
        self.stack, self.linear = stacking.Stack(), None
        if run.file(STACK).exists():  # missing if the run was interrupted
            self.stack = stacking.Stack(**runs.read_json(run.file(STACK), dict))
            self.linear = linear.load(run.file(LINEAR))

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Returns each text with its frame, as `described`. Raises InputError for a text without words."""
        given = lines.several(texts, str, "texts")
        return [described(text, frame) for text, frame in zip(given, self.understand(given), strict=True)]

    def scores(self, requests: list[list[str]]) -> tuple[np.ndarray, list[np.ndarray], list[list[str]]]:
        """Tokens of requests -> intent logits (rows, intents), emissions, each (time, tags), the best tags of each.

        The logits are those of the network, stacked with those of the linear model if the run has one.
        """
        logits, emissions, found = self.of_network([self.encoder.encode(request) for request in requests])
        if self.linear is not None and requests:
            logits = self.stack.logits(logits, self.linear.logits(self._read(requests)))
        return logits, emissions, found

    def _read(self, requests: list[list[str]]) -> list[list[str]]:
        """Returns the linear model's inputs: the same number of tokens as the network reads."""
        return [[word(token) for token in request[: self.encoder.max_words]] for request in requests]

    def of_network(self, ids: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray], list[list[str]]]:
        """The same for ids, with the network alone."""
        logits = np.zeros((len(ids), len(self.intents)))
        emissions: list[Any] = [None] * len(ids)
        found: list[Any] = [None] * len(ids)
        for rows, padded, mask in in_buckets(ids, self.lengths, few=FEW):
            answer = self.model.predict_on_batch([padded, mask])
            best = ops.convert_to_numpy(self._best(*map(_tensor, (answer["slots"], mask, self.transitions))))
            for place, row in enumerate(rows):
                time = len(ids[row])
                logits[row], emissions[row] = answer["intent"][place], answer["slots"][place]
                found[row] = [self.tags[tag] for tag in best[place, :time]]
        return logits, emissions, found

    def add_linear(self, train: Part, valid: Part) -> None:
        """Fits a linear model of the intents, stacks it with the network, and saves both in the run.

        The weights are chosen on validation; does nothing if no validation request has a known intent.
        """
        known = valid.intents != NONE
        if not known.any():
            return
        texts, valid_texts = (self._read([request.tokens for request in part.requests]) for part in (train, valid))
        valid_texts = [text for text, wanted in zip(valid_texts, known, strict=True) if wanted]
        labels = valid.intents[known]
        found = linear.fit(texts, train.intents, len(self.intents), valid_texts, labels, kinds=("tfidf",))
        logits, _, _ = self.of_network([row for row, wanted in zip(valid.ids, known, strict=True) if wanted])
        self.stack, self.linear = stacking.fit(logits, found.logits(valid_texts), labels), found
        found.save(self.run.file(LINEAR))
        files.write_json(self.run.file(STACK), dataclasses.asdict(self.stack))

    def calibrate(self, valid: Part, target_accuracy: float) -> None:
        """Chooses the temperature and the abstention threshold on validation requests and saves them in the run.

        Does nothing if no validation request has a known intent.
        """
        requests = [request.tokens for request in valid.requests]
        logits, _, found = self.scores(requests)
        known = valid.intents != NONE
        if not known.any():
            return
        temperature = calibration.temperature(logits[known], valid.intents[known])
        chances = calibration.probabilities(logits, temperature)
        right = chances.argmax(axis=1) == valid.intents
        threshold = calibration.threshold(chances.max(axis=1), right, target_accuracy, LEAST_ANSWERED)
        answered = right & (chances.max(axis=1) >= threshold)
        unknown = self.unknown(requests, found)[answered]
        most = float(np.quantile(unknown, 1 - STRANGEST, method="higher")) if len(unknown) else 0.0
        self.calibration = {
            "temperature": temperature,
            "threshold": threshold,
            "most_unknown": max(LEAST_UNKNOWN, most),
        }
        files.write_json(self.run.file(CALIBRATION), self.calibration)

    def unknown(self, requests: list[list[str]], found: list[list[str]]) -> np.ndarray:
        """Returns the share of each request's words that are outside slots and not in the training data (rows,)."""
        shares = []
        for request, row in zip(requests, found, strict=True):
            words = [(word(token), tag) for token, tag in zip(request, row, strict=False) if token[0].isalpha()]
            strange = [each for each, tag in words if tag == tags.OUTSIDE and each not in self.encoder.words.index]
            shares.append(len(strange) / max(1, len(words)))
        return np.array(shares)

    def sure(self, chances: np.ndarray, requests: list[list[str]], found: list[list[str]]) -> np.ndarray:
        """Whether each request gets an answer (rows,) bool: its intent is likely enough, and its words are familiar."""
        likely = chances.max(axis=1) >= self.calibration["threshold"]
        return likely & (self.unknown(requests, found) <= self.calibration["most_unknown"])

    def understand(self, texts: list[str]) -> list[Frame]:
        """Converts texts to frames. Raises InputError for a text without words."""
        return self.frames([self.encode(text) for text in texts])

    def encode(self, text: str) -> Text:
        """Splits a text into tokens. Raises InputError for a text without words."""
        request = self.fitted(cut(text))
        if not request.tokens:
            raise InputError("Expected a request with at least one word. Received an empty one.")
        return request

    def frames(self, requests: list[Text]) -> list[Frame]:
        """Returns the frame of each request."""
        if not requests:
            return []
        words = [request.tokens for request in requests]
        logits, emissions, found = self.scores(words)
        chances = calibration.probabilities(logits, self.calibration["temperature"])
        sure = self.sure(chances, words, found)
        return [self._frame(*each) for each in zip(requests, chances, sure, emissions, found, strict=True)]

    def fitted(self, text: Text) -> Text:
        """Tokenises 's as in the training requests: joined to its word, or without apostrophe, if that is known."""
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

    def _frame(self, text: Text, chances: np.ndarray, sure: bool, emissions: np.ndarray, found: list[str]) -> Frame:
        best = int(chances.argmax())
        spans = tags.spans(found)
        slots = tuple(
            Slot(name, text.between(first, last), chance, first, last)
            for (name, first, last), chance in zip(spans, self.span_chances(emissions, len(found), spans), strict=True)
        )
        return Frame(self.intents[best], float(chances[best]), bool(sure), slots, len(text.tokens) - len(found))

    def span_chances(self, emissions: np.ndarray, time: int, spans: list[tags.Span]) -> list[float]:
        """Returns the probability of each slot over all paths: Z of the paths that contain it, divided by Z of all.

        Emissions are (padded time, tags), of which `time` steps are real.
        """
        chances: list[float] = []
        mask = np.arange(len(emissions)) < time
        for start in range(0, len(spans), SLOTS):
            rows = np.repeat(emissions[None], SLOTS + 1, axis=0)
            for row, (name, first, last) in zip(rows, spans[start : start + SLOTS], strict=False):
                for place, tag in enumerate(tags.tagged(last - first, [(name, 0, last - first)]), first):
                    row[place, np.arange(len(self.tags)) != self.tags.index(tag)] += crf.FORBIDDEN
                if last < time:  # the slot must end here
                    row[last, self.tags.index(f"I-{name}")] += crf.FORBIDDEN
            nats = self._partition(*map(_tensor, (rows, np.tile(mask, (len(rows), 1)), self.transitions)))
            nats = ops.convert_to_numpy(nats)
            chances += np.exp(np.minimum(nats[:-1] - nats[-1], 0.0))[: len(spans) - start].tolist()
        return chances

    def warm_up(self) -> None:
        """Compiles for all lengths in advance, so that the first request is not delayed."""
        for length in self.lengths:
            _, emissions, _ = self.scores([["a"] * length])
            self.span_chances(emissions[0], length, [(self.tags[1][2:], 0, 1)] if len(self.tags) > 1 else [])


def _tensor(values: Any) -> Any:
    return ops.convert_to_tensor(values)


def predict(options: Predict) -> None:
    """Runs the predict command: prints the frame of the text, or of each line of a file or of standard input."""
    found = lines.read(options.text)
    predictor = Predictor(runs.find(APP, options.run))
    for line, frame in lines.answered(found, predictor.encode, predictor.frames):
        print(answer(line.text, frame, options.json) if frame else "")


def stream(options: Stream) -> None:
    """Runs the stream command: prints the frame of each line of standard input as it arrives."""
    predictor = Predictor(runs.find(APP, options.run))
    predictor.warm_up()
    lines.stream(lambda text: answer(text, predictor.understand([text])[0], options.json), "a request")


def described(text: str, frame: Frame) -> dict[str, Any]:
    """Returns a text and its frame as plain values."""
    return {"text": text} | dataclasses.asdict(frame) | {"slots": [dataclasses.asdict(slot) for slot in frame.slots]}


def answer(text: str, frame: Frame, as_json: bool) -> str:
    """Formats the text and its frame for people or, as one line of JSON, for programs."""
    if as_json:
        return json.dumps(described(text, frame), ensure_ascii=False)
    ignored = f"\n  not read: its last {sized(frame.cut, 'words')}" if frame.cut else ""
    return f"{lines.shown(text, SHOWN)}\n  {frame.described()}{ignored}"
