"""Turns utterances into training data: output symbols, augmented batches, and statistics of the training set."""

import dataclasses
import sys
from typing import Any

import numpy as np

from shared import InputError
from shared.ctc import needed
from shared.data.sequences import BucketBatches, bucket_lengths
from shared.data.wording import sized
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from . import folder
from .augment import masked, varied
from .config import Config
from .features import Frames, loudness, prepared, total
from .sources import read
from .utterance import Parts, Utterance

FEW_WORDS = 50  # vocabulary size up to which each word is an output symbol
NAMED = 3  # number of skipped utterances listed by name in the warning
FEWEST = 8  # minimum number of training utterances


@dataclasses.dataclass(frozen=True)
class Part:
    """Utterances and the symbol numbers of each, (symbols,) int32; symbols not seen in training are left out."""

    utterances: list[Utterance]
    labels: list[np.ndarray]

    @property
    def texts(self) -> list[str]:
        """The transcripts."""
        return [utterance.text for utterance in self.utterances]


@dataclasses.dataclass(frozen=True, eq=False)  # compared by identity, as arrays have no single truth value
class Data:
    """The splits, and the statistics of the training set; also isolated words if the source provides them.

    `info` fits JSON: source, fingerprint, split, targets, symbols (the blank first), texts (of the training set), level
    (its loudness), width and bucket_lengths (in frames), and the settings that `Frames` and `prepared` need.
    """

    train: Part
    valid: Part
    test: Part
    isolated: Part | None
    examples: Part | None
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads and splits the utterances of `config.data` and determines the output symbols.

    Raises:
        InputError: the source is unknown, a file cannot be used, or there are too few utterances.
    """
    return arranged(read(config), config)


def arranged(found: Parts, config: Config) -> Data:
    """Determines the symbols of the utterances that `read` returned; raises InputError as `load`."""
    targets = _targets(found["train"], config)
    symbols = ["", *sorted({symbol for u in found["train"] for symbol in split_text(u.text, targets)})]
    parts = {}
    for name, some in found.items():
        usable = _usable(name, some, symbols, targets, config) if name in ("train", "valid") else some
        parts[name] = Part(usable, [encode(u.text, symbols, targets) for u in usable])
    if len(parts["train"].utterances) < FEWEST or not parts["valid"].utterances:
        raise InputError(f"{config.data}: expected at least {FEWEST} utterances to train on and one to validate")
    raws = {name: [u.raw for u in parts[name].utterances] for name in ("train", "valid")}
    longest = max(len(raw) for some in raws.values() for raw in some)
    info = {
        "source": "digits spoken by eSpeak NG" if config.data == "builtin" else config.data,
        "fingerprint": fingerprint(
            [(part, [(u.origin, u.text, u.speaker) for u in some]) for part, some in found.items()]
        ),
        "split": _split(parts),
        "targets": targets,
        "symbols": symbols,
        "texts": parts["train"].texts,
        "features": config.features,
        "sample_rate": config.sample_rate,
        "bands": config.bands,
        "deltas": config.deltas,
        "normalisation": config.normalisation,
        "streaming": config.streaming,
        "level": _level(raws["train"]) if config.features == "logmel" else 0.0,
        "width": raws["train"][0].shape[1] * (2 if config.deltas else 1),
        "bucket_lengths": bucket_lengths([len(raw) for raw in raws["train"]], config.buckets, longest),
    }
    return Data(*(parts.get(name) for name in ("train", "valid", "test", "isolated", "examples")), info)


def tested_on(data: Data, source: str) -> Data:
    """Returns the same data with the utterances of a folder (see `folder.utterances`) as the test set."""
    info = data.info
    found = folder.utterances(source, Frames(info["features"], info["sample_rate"], info["bands"]))
    part = Part(found, [encode(u.text, info["symbols"], info["targets"]) for u in found])
    return dataclasses.replace(data, test=part, isolated=None, examples=None)


def _level(raws: list[np.ndarray]) -> float:
    """Returns the overall loudness of all utterances, rounded because processors differ in the last digits."""
    return round(total(np.concatenate([loudness(raw) for raw in raws])), 2)


def _targets(train: list[Utterance], config: Config) -> str:
    """Returns the type of output symbol: "words" or "characters"."""
    if config.targets != "auto":
        return config.targets
    return "words" if len({word for u in train for word in u.text.split()}) <= FEW_WORDS else "characters"


def split_text(text: str, targets: str) -> list[str]:
    """Splits a text into symbols: words, or characters including the spaces between words."""
    return text.split() if targets == "words" else list(text)


def encode(text: str, symbols: list[str], targets: str) -> np.ndarray:
    """Encodes a text as (symbols,) int32, skipping symbols not seen in training."""
    numbers = {symbol: number for number, symbol in enumerate(symbols)}
    return np.array([numbers[s] for s in split_text(text, targets) if s in numbers], np.int32)


def _usable(part: str, some: list[Utterance], symbols: list[str], targets: str, config: Config) -> list[Utterance]:
    """Returns the utterances that can be used for training; lists the others on stderr, with the reason."""
    reasons = [_unfit(u, symbols, targets, config) for u in some]
    left = [f"{u.where} ({reason})" for u, reason in zip(some, reasons, strict=True) if reason]
    if left:
        named = ", ".join(left[:NAMED]) + (", ..." if len(left) > NAMED else "")
        print(f"{len(left)} of {len(some)} {part} utterances are left out: {named}", file=sys.stderr)
    return [u for u, reason in zip(some, reasons, strict=True) if not reason]


def _unfit(utterance: Utterance, symbols: list[str], targets: str, config: Config) -> str:
    """Returns why an utterance cannot be used for training, or "" if it can."""
    if utterance.seconds > config.longest:
        return f"longer than --longest {config.longest:g} seconds"
    unknown = next((s for s in split_text(utterance.text, targets) if s not in symbols), None)
    if unknown is not None:
        return f"no training utterance has {unknown!r}"
    least = needed(encode(utterance.text, symbols, targets).tolist())
    if least > steps(len(utterance.raw), config.stride):
        length = sized(len(utterance.text), "characters")
        return f"{utterance.seconds:.2f} seconds are too short for its transcript of {length}"
    return ""


def steps(frames: int, stride: int) -> int:
    """Returns the number of encoder steps for this number of frames."""
    return -(-frames // stride)


def _split(parts: dict[str, Part]) -> str:
    said = []
    for name in ("train", "valid", "test"):
        utterances = parts[name].utterances
        hours = sum(u.seconds for u in utterances) / 3600
        speakers = len({u.speaker for u in utterances} - {""})
        known = sized(speakers, "speakers") if speakers else "unknown speakers"
        said.append(f"{name} {len(utterances):,} ({hours:.2f} h, {known})")
    return ", ".join(said)


class Spoken(BucketBatches):
    """Batches of utterances: ((frames, mask), targets, weights); with `augment`, augmented anew in each epoch.

    Each row of `targets` holds the number of encoder steps of the utterance, then its symbols, then blanks as padding.
    """

    def __init__(self, part: Part, config: Config, info: dict, batch_size: int, seed: int, augment: bool) -> None:
        self.labels = part.labels
        self.most = max(len(labels) for labels in part.labels)
        self.config, self.info, self.augment = config, info, augment
        self.frames = Frames(info["features"], info["sample_rate"], info["bands"])
        rows = np.zeros((len(part.labels), 1), np.int32)
        super().__init__([u.raw for u in part.utterances], rows, batch_size, seed, info["bucket_lengths"])

    def batch(self, epoch: int, step: int) -> tuple:
        """See `BucketBatches`."""
        length, rows, real = self._batches(epoch)[step]
        if self.augment:
            length = int(np.ceil(length * (1 + self.config.speed)))
        random = np.random.default_rng([self.seed, epoch, step])
        length = steps(length, self.config.stride) * self.config.stride
        inputs = np.zeros((len(rows), length, self.info["width"]), np.float32)
        targets = np.zeros((len(rows), 1 + self.most), np.int32)
        mask = np.zeros(inputs.shape[:2], bool)
        for number, row in enumerate(rows):
            x, labels = self._heard(row, random), self.labels[row]
            inputs[number, : len(x)], mask[number, : len(x)] = x, True
            targets[number, 0] = steps(len(x), self.config.stride)
            targets[number, 1 : 1 + len(labels)] = labels
        return (inputs, mask), targets, (np.arange(len(rows)) < real).astype(np.float32)

    def _heard(self, row: int, random: np.random.Generator) -> np.ndarray:
        raw = self.sequences[row]
        if not self.augment:
            return prepared(raw, self.info)
        least = needed(self.labels[row].tolist()) * self.config.stride
        return masked(
            prepared(varied(raw, self.frames, self.config, random, least), self.info), self.config.masks, random
        )
