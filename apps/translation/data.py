"""Sentence pairs as token ids, split without leakage, and batches of pairs of similar length."""

import dataclasses
from typing import Any

import numpy as np

from shared import InputError
from shared.data.sequences import BucketBatches, bucket_lengths, spread
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from .config import Config
from .sources import Pair, Parts, read, read_files
from .tokens import BEGIN, Tokenizer

SPLIT_SEED = 0  # fixed, so that all runs use the same split
FEWEST = 50  # minimum number of training pairs


@dataclasses.dataclass(frozen=True)
class Part:
    """Sentence pairs and their ids, (source (time,), target (time,)) int32 each; both end with <eos>."""

    pairs: list[Pair]
    ids: list[tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True, eq=False)  # hashed by identity, as the cache of the baselines requires
class Data:
    """The splits, and the statistics of the training pairs.

    `info` fits JSON: source (of the pairs), fingerprint, split, languages (from, into), tokenizer, frequencies (number
    of occurrences of each token in the training targets), bucket_lengths and examples (sentences to show).
    """

    train: Part
    valid: Part
    test: Part
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads the pairs of `config.data`, splits them and converts them to ids.

    Raises:
        InputError: the source is unknown, files cannot be used, or pairs are too few or all too long.
    """
    return arranged(read(config), config)


def arranged(read_parts: Parts, config: Config) -> Data:
    """Splits the pairs that `read` returned and converts them to ids; raises InputError as `load`."""
    some = {name: [pairs[i] for i in spread(len(pairs), config.max_examples)] for name, pairs in read_parts.items()}
    parts, split = cut(some, config)
    parts["train"] = distinct(parts)
    sentences = [text for pair in parts["train"] for text in (pair.source, pair.target)]
    tokenizer = Tokenizer.fit(sentences, config.level, config.vocabulary, config.min_count)
    every = {name: _encoded(pairs, tokenizer) for name, pairs in parts.items()}
    # Long pairs are only left out of training and validation: the test set stays comparable with the literature.
    found = {name: part if name == "test" else _short(part, config) for name, part in every.items()}
    left_out = sum(len(every[name].pairs) - len(found[name].pairs) for name in found)
    counts = np.bincount(np.concatenate([target for _, target in found["train"].ids]), minlength=len(tokenizer))
    content = [(name, [(pair.source, pair.target) for pair in pairs]) for name, pairs in read_parts.items()]
    sizes = ", ".join(f"{name} {len(found[name].pairs):,}" for name in ("train", "valid", "test"))
    info = {
        "source": f"CLDR phrases, {_babel()}" if config.data == "builtin" else config.data,
        "fingerprint": fingerprint(content),
        "split": f"{sizes} pairs; {split}"
        + (f", {left_out:,} longer than {config.max_tokens} tokens left out" if left_out else ""),
        "languages": [config.source, config.target],
        "tokenizer": tokenizer.to_json(),
        "frequencies": counts.tolist(),
        "bucket_lengths": padded_lengths(found["train"], config),
        "examples": examples(found["valid"]),
    }
    return Data(**found, info=info)


def _babel() -> str:
    import babel

    return f"babel {babel.__version__}"


def cut(parts: Parts, config: Config) -> tuple[Parts, str]:
    """Cuts missing valid and test splits off train; the same source sentence is never in two of them."""
    pairs = parts["train"]
    files = [f"{part} from {getattr(config, part)}" for part in ("valid", "test") if getattr(config, part)]
    said = ["values held out" if config.data == "builtin" else "as published"] if len(files) < 2 else []
    sources = sorted({pair.source for pair in pairs})
    order = np.random.default_rng(SPLIT_SEED).permutation(len(sources))
    shares = {"valid": config.valid_fraction, "test": config.test_fraction}
    parts, begin = dict(parts), 0
    for part, share in shares.items():
        if part in parts:
            continue
        end = begin + max(1, int(share * len(sources)))
        taken = {sources[number] for number in order[begin:end]}
        parts[part], begin = [pair for pair in pairs if pair.source in taken], end
        parts["train"] = [pair for pair in parts["train"] if pair.source not in taken]
        said = ["drawn by source sentence"]
    if len(parts["train"]) < FEWEST:
        raise InputError(
            f"Expected at least {FEWEST} pairs to train on. {config.data} has {len(parts['train'])} after "
            "validation and test are taken off."
        )
    return parts, ", ".join([*said, *files])


def tested_on(data: Data, path: str, target_file: str) -> Data:
    """Returns the data of a run with the pairs of other files as its test set; unknown characters become <unk>.

    Raises:
        InputError: a file cannot be used; the message gives file and line.
    """
    return dataclasses.replace(data, test=_encoded(read_files(path, target_file), Tokenizer(data.info["tokenizer"])))


def distinct(parts: Parts) -> list[Pair]:
    """Returns the training pairs without duplicates and without those in valid or test."""
    heldout = {(pair.source, pair.target) for part in ("valid", "test") for pair in parts[part]}
    pairs = {(pair.source, pair.target): pair for pair in parts["train"]}
    return [pair for key, pair in pairs.items() if key not in heldout]


def _encoded(pairs: list[Pair], tokenizer: Tokenizer) -> Part:
    return Part(pairs, [(tokenizer.encode(pair.source).ids, tokenizer.encode(pair.target).ids) for pair in pairs])


def _short(part: Part, config: Config) -> Part:
    """Returns the pairs with at most max_tokens on either side."""
    kept = [number for number, ids in enumerate(part.ids) if max(map(len, ids)) <= config.max_tokens]
    if not kept:
        raise InputError(f"--max-tokens: every pair is longer than {config.max_tokens} tokens; allow more")
    return Part([part.pairs[number] for number in kept], [part.ids[number] for number in kept])


def padded_lengths(part: Part, config: Config) -> list[int]:
    """Returns lengths to pad to, with about as many training pairs in each bucket; the last one holds every pair."""
    longest = [max(map(len, ids)) for ids in part.ids]
    lengths = bucket_lengths(longest, config.buckets, config.max_tokens)
    # Very long pairs are rare: the longest 1 % get a bucket of their own.
    few = [int(np.quantile(longest, 0.99, method="higher"))] if config.buckets > 1 else []
    return sorted({*lengths, *few})


def examples(part: Part, count: int = 5) -> list[str]:
    """Returns validation source sentences to show results for: one of each kind, if there are kinds."""
    first = {pair.kind or pair.source: pair.source for pair in reversed(part.pairs)}
    return list(first.values())[-count:]


class PairBatches(BucketBatches):
    """Batches ((source, target before), target, weights), each (batch, time), padded with 0 to a common length.

    The decoder's input, target before, is <bos> followed by the target without its last token. The weight is 0 after
    the end of the target.
    """

    def __init__(self, part: Part, batch_size: int, seed: int, lengths: list[int]) -> None:
        inputs = [(source, np.array([BEGIN, *target[:-1]], np.int32)) for source, target in part.ids]
        super().__init__(inputs, [target for _, target in part.ids], batch_size, seed, lengths)

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class docstring; the masks are left out, since the network derives them from the zeros."""
        (inputs, _), target, weights = super().batch(epoch, step)
        return inputs, target, weights
