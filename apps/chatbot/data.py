"""Requests as ids, split without leakage, and the vocabularies learned from the training requests."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError
from shared.data.sequences import BucketBatches, bucket_lengths, pad, spread
from shared.data.text import SPECIALS, UNKNOWN
from shared.data.wording import sized
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from .config import Config
from .sources import PUBLIC, Parts, Request, public, read, read_path
from .tags import OUTSIDE
from .tokens import Encoder

SPLIT_SEED = 0  # fixed, so that all runs use the same split
TENTH = 0.1  # test share of data without a test split
FEWEST = 20  # minimum number of training requests
NONE = -1  # id of an intent not seen in training


@dataclasses.dataclass(frozen=True)
class Part:
    """Requests, truncated; ids, each (time, 1 + letters); intents (rows,); tags, each (time,)."""

    requests: list[Request]
    ids: list[np.ndarray]
    intents: np.ndarray
    tags: list[np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)  # hashed by identity, as the cache of the baselines requires
class Data:
    """The splits, and the statistics of the training requests.

    `info` fits JSON: source, fingerprint, split, intents, tags, words and letters (by id), max_words, bucket_lengths.
    """

    train: Part
    valid: Part
    test: Part
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads the requests given by `config`, splits them and converts them to ids.

    Raises:
        InputError: the source is unknown, a file cannot be used, or there are too few requests or intents.
    """
    return arranged(read(config), config)


def arranged(found_parts: Parts, config: Config) -> Data:
    """Splits the requests that `read` returned and converts them to ids; raises InputError as `load`."""
    content = fingerprint([(name, [(r.tokens, r.tags, r.intent) for r in some]) for name, some in found_parts.items()])
    some_of = {name: [some[i] for i in spread(len(some), config.max_examples)] for name, some in found_parts.items()}
    some_of = {name: [shortened(request, config.max_words) for request in some] for name, some in some_of.items()}
    parts, said = split(distinct(some_of), config)
    train = parts["train"]
    encoder = Encoder.fit([request.tokens for request in train], config.min_count, config.max_words)
    intents = sorted({request.intent for request in train})
    tags = [OUTSIDE, *_both_kinds({tag for request in train for tag in request.tags} - {OUTSIDE})]
    found = {name: _part(some, encoder, intents, tags) for name, some in parts.items()}
    counts = ", ".join(f"{name} {len(parts[name]):,}" for name in ("train", "valid", "test"))
    lengths = [len(request.tokens) for request in train]
    info = {
        "source": "a grammar of requests" if config.data == "builtin" else config.data,
        "fingerprint": content,
        "split": f"{counts} requests, {len(intents)} intents, {sized((len(tags) - 1) // 2, 'slots')}; {said}",
        "intents": intents,
        "tags": tags,
        "words": list(encoder.words.tokens),
        "letters": list(encoder.letters.tokens),
        "max_words": config.max_words,
        # an extra one for longer requests
        "bucket_lengths": sorted({*bucket_lengths(lengths, config.buckets, max(lengths)), config.max_words}),
    }
    return Data(**found, info=info)


def other_part(path: str, info: dict) -> Part:
    """Reads another labelled file or folder, or a public test set, for a run with this `info`.

    Raises:
        InputError: the file cannot be used.
    """
    found = public(path)["test"] if path in PUBLIC else read_path(Path(path))
    requests = [shortened(request, info["max_words"]) for request in found]
    encoder = Encoder(info["words"], info["letters"], info["max_words"])
    return _part(requests, encoder, info["intents"], info["tags"])


def _both_kinds(tags: set[str]) -> list[str]:
    """Returns B-x and I-x for every slot, even if it only has single words in training."""
    return [f"{kind}-{name}" for name in sorted({tag[2:] for tag in tags}) for kind in "BI"]


def _part(requests: list[Request], encoder: Encoder, intents: list[str], tags: list[str]) -> Part:
    intent_ids = {intent: number for number, intent in enumerate(intents)}
    tag_ids = {tag: number for number, tag in enumerate(tags)}
    return Part(
        requests,
        [encoder.encode(request.tokens) for request in requests],
        np.array([intent_ids.get(request.intent, NONE) for request in requests], np.int32),
        [np.array([tag_ids.get(tag, 0) for tag in request.tags], np.int32) for request in requests],
    )


def shortened(request: Request, most: int) -> Request:
    """Returns the request with its first `most` tokens."""
    return dataclasses.replace(request, tokens=request.tokens[:most], tags=request.tags[:most])


def distinct(parts: Parts) -> Parts:
    """Removes training requests that also occur in valid or test, which are left unchanged."""
    others = {_as_read(request) for name, some in parts.items() if name != "train" for request in some}
    return parts | {"train": [request for request in parts.get("train", []) if _as_read(request) not in others]}


def _as_read(request: Request) -> tuple[str, ...]:
    """Returns the tokens as the network reads them: requests that only differ in case are duplicates."""
    return tuple(token.lower() for token in request.tokens)


def split(parts: Parts, config: Config) -> tuple[Parts, str]:
    """Cuts missing test and valid splits off train; duplicate requests stay together."""
    if len(parts["train"]) < FEWEST:
        raise InputError(
            f"Expected at least {FEWEST} training requests that valid and test do not have. "
            f"{config.data} has {len(parts['train'])}."
        )
    said = _split_said(parts, config)
    for name, share in (("test", TENTH), ("valid", config.valid_fraction)):
        if name not in parts:
            kept, cut_off = _cut_off(parts["train"], share)
            parts = parts | {"train": kept, name: cut_off}
    if len({request.intent for request in parts["train"]}) < 2:
        raise InputError(f"Expected two or more intents in {config.data}. It has {parts['train'][0].intent!r} only.")
    return parts, said


def _split_said(parts: Parts, config: Config) -> str:
    """Describes the origin of the splits."""
    if config.data in PUBLIC and not (config.valid or config.test):
        return "split as published"
    shares = {"test": "a tenth", "valid": f"the share {config.valid_fraction:g}"}
    cut_off = [f"{name} is {share} of train" for name, share in shares.items() if name not in parts]
    return ", ".join(cut_off) or ("each part has patterns of its own" if config.data == "builtin" else "split as given")


def _cut_off(requests: list[Request], share: float) -> tuple[list[Request], list[Request]]:
    texts = list(dict.fromkeys(map(_as_read, requests)))
    order = np.random.default_rng(SPLIT_SEED).permutation(len(texts))
    chosen = {texts[number] for number in order[: max(1, round(share * len(texts)))]}
    kept = [request for request in requests if _as_read(request) not in chosen]
    return kept, [request for request in requests if _as_read(request) in chosen]


class RequestBatches(BucketBatches):
    """Batches with targets {"intent": (batch,), "slots": (batch, max_words), -1 after the end} and their weights.

    `word_dropout` is the share of words that are replaced with the unknown word.
    """

    def __init__(self, part: Part, info: dict, batch_size: int, seed: int, word_dropout: float = 0.0) -> None:
        super().__init__(part.ids, np.arange(len(part.ids)), batch_size, seed, info["bucket_lengths"])
        self.intents, self.word_dropout = part.intents, word_dropout
        self.tags, _ = pad(part.tags, info["max_words"], NONE)

    def batch(self, epoch: int, step: int) -> tuple:
        """See `BucketBatches`."""
        (ids, mask), rows, weights = super().batch(epoch, step)
        if self.word_dropout:
            random = np.random.default_rng([self.seed, epoch, step])
            hidden = random.random(mask.shape) < self.word_dropout
            ids[..., 0] = np.where(hidden & mask, SPECIALS.index(UNKNOWN), ids[..., 0])
        intents = self.intents[rows]
        known = weights * (intents != NONE)
        return (ids, mask), {"intent": np.maximum(intents, 0), "slots": self.tags[rows]}, {
            "intent": known, "slots": weights}  # fmt: skip
