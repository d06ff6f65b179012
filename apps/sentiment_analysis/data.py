"""Labelled texts as ids, split without leakage, and the vocabularies learned from the training texts."""

import collections
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from shared import InputError
from shared.data.doctor import having
from shared.data.sequences import BucketBatches, bucket_lengths, spread
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from .config import FOLDS, Config
from .sources import Example, Parts, read
from .tokens import Encoder, clean, letters, words
from .vectors import known_words

ORDER = ("negative", "neutral", "positive")  # label order, if a data set has only these
SOURCES = {"builtin": "sentences rated by people, and generated ones for training", "grammar": "a grammar of opinions"}
SPLIT_SEED = 0  # fixed, so that all runs use the same folds
FEWEST = 20  # minimum number of training texts
ELSEWHERE = -1  # label number of texts whose label does not occur in training
WORDS_READ = (16, 256)  # minimum and maximum of the limit chosen by `settled`
FEW_TEXTS = 2_000  # fewer texts are trained on in small batches
FIRST_EPOCHS = 4


class Encoded(NamedTuple):
    """A text for both models: ids (time, 1 + pieces) int32 for the network, all its words for the linear model."""

    ids: np.ndarray
    words: list[str]


@dataclasses.dataclass(frozen=True)
class Part:
    """Texts for display and as model inputs, labels (rows,) int32, possibly `ELSEWHERE`, and kinds."""

    texts: list[str]
    encoded: list[Encoded]
    labels: np.ndarray
    kinds: list[str]


@dataclasses.dataclass(frozen=True, eq=False)  # hashed by identity, as the cache of the baselines requires
class Data:
    """The splits, and the statistics of the training texts.

    `info` fits JSON: source, fingerprint, split, labels, counts (training texts per label), words and pieces
    (vocabularies by id), learned (number of words that occur in the training texts), max_words and bucket_lengths.
    """

    train: Part
    valid: Part
    test: Part
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads the texts of `config.data`, splits them and converts them to ids.

    Raises:
        InputError: the source is unknown, a file cannot be used, or there are too few texts or labels.
    """
    return arranged(read(config), config)


def arranged(read_parts: Parts, config: Config) -> Data:
    """Splits the texts that `read` returned and converts them to ids; raises InputError as `load`."""
    kept = {name: _wanted(examples, config) for name, examples in read_parts.items()}
    parts = {name: [some[i] for i in spread(len(some), config.max_examples)] for name, some in kept.items()}
    parts, split = cut(distinct(parts), config)
    labels = label_names(parts["train"])
    parts["valid"] = known_labels(parts["valid"], labels, "They are left out.")
    tokens = [words(clean(example.text)) for example in parts["train"]]
    config = settled(config, [len(text) for text in tokens])
    encoder, learned = Encoder.fit(tokens, known_words(config.vectors), dataclasses.asdict(config))
    found = {name: encoded(examples, encoder, labels) for name, examples in parts.items()}
    info = {
        "source": SOURCES.get(config.data, config.data),
        "fingerprint": fingerprint([(name, [(e.text, e.label) for e in some]) for name, some in read_parts.items()]),
        "split": ", ".join(f"{name} {len(parts[name]):,}" for name in ("train", "valid", "test")) + f" texts; {split}",
        "labels": labels,
        "counts": np.bincount(found["train"].labels, minlength=len(labels)).tolist(),
        "words": list(encoder.words.tokens),
        "learned": learned,
        "pieces": list(encoder.pieces.tokens),
        "max_words": config.max_words,
        "bucket_lengths": bucket_lengths(
            [len(text.ids) for text in found["train"].encoded], config.buckets, config.max_words
        ),
    }
    return Data(**found, info=info)


def settled(config: Config, lengths: Sequence[int]) -> Config:
    """Fills in the settings that depend on the data; `lengths` are those of the training texts, in words.

    95 % of the texts are read in full, within limits. Few texts are trained on in small batches for many epochs, and
    many texts for few epochs, so that the training time depends little on the amount of data.
    """
    max_words = config.max_words or int(np.clip(np.quantile(lengths, 0.95, method="higher"), *WORDS_READ))
    batch_size = config.batch_size or (16 if len(lengths) < FEW_TEXTS else 64)
    enough = max(round(config.steps * batch_size / len(lengths)), FIRST_EPOCHS) if config.steps else config.epochs
    return dataclasses.replace(config, max_words=max_words, batch_size=batch_size, epochs=min(config.epochs, enough))


def other(config: Config, info: dict[str, Any], source: str) -> Part:
    """Reads another source for a run with this `info`: its test split, or all of its texts if it has none."""
    parts = read(dataclasses.replace(config, data=source, valid="", test=""))
    examples = _wanted(parts.get("test") or parts["train"], config)
    encoder = Encoder(info["words"], info["pieces"], info["max_words"])
    return encoded(examples, encoder, info["labels"])


def encoded(examples: list[Example], encoder: Encoder, labels: list[str]) -> Part:
    """Encodes examples; those with a label not seen in training are kept, and always count as errors."""
    known_labels(examples, labels, "They count as errors, also for the baselines.")
    texts = [clean(example.text) for example in examples]
    found = [labels.index(example.label) if example.label in labels else ELSEWHERE for example in examples]
    read = [Encoded(encoder.encode(words(text)), words(text)) for text in texts]
    return Part(texts, read, np.array(found, np.int32), [example.kind for example in examples])


def _wanted(examples: list[Example], config: Config) -> list[Example]:
    """Returns the examples with the selected labels. Raises InputError for an empty text, with its location."""
    known = sorted({example.label for example in examples})
    if missing := [label for label in config.labels if label not in known]:
        raise InputError(f"--labels: there is no {missing[0]!r} in {config.data}; it has {', '.join(known)}")
    for example in examples:
        if not words(clean(example.text)):
            raise InputError(f"Expected a text with at least one word. {example.where} has none.")
    return [example for example in examples if not config.labels or example.label in config.labels]


def distinct(parts: Parts) -> Parts:
    """Removes duplicates across splits: test takes precedence over valid, and valid over train."""
    seen: set[str] = set()
    kept: Parts = {}
    for name in ("test", "valid", "train"):
        for example in parts.get(name, []):
            print_of = letters(clean(example.text)) or example.text
            # A published test set keeps its duplicates, for comparable results.
            if name == "train" and print_of in seen:
                continue
            seen.add(print_of)
            kept.setdefault(name, []).append(example)
    return kept


def cut(parts: Parts, config: Config) -> tuple[Parts, str]:
    """Cuts missing test and valid splits off train, stratified by label."""
    from sklearn.model_selection import StratifiedKFold, train_test_split

    if len(parts.get("train", [])) < FEWEST:
        raise InputError(
            f"Expected at least {FEWEST} different training texts with the chosen labels. "
            f"{config.data} has {len(parts.get('train', []))}."
        )
    train, said = parts["train"], []
    _check_counts(parts, config)
    if "test" in parts:
        said.append(f"test {_origin(config, config.test)}")
    else:
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SPLIT_SEED)
        rest, test = list(folds.split(train, [example.label for example in train]))[config.fold]
        parts = parts | {"test": [train[i] for i in test]}
        train = [train[i] for i in rest]
        said.append(f"test is fold {config.fold} of {FOLDS}")
    if "valid" in parts:
        said.append(f"validation {_origin(config, config.valid)}")
    else:
        labels = [example.label for example in train]
        split = train_test_split(train, test_size=config.valid_fraction, stratify=labels, random_state=SPLIT_SEED)
        train, parts = split[0], parts | {"valid": split[1]}
        said.append(f"{config.valid_fraction:.0%} for validation")
    return parts | {"train": train}, ", ".join(said)


def _origin(config: Config, file: str) -> str:
    if file:
        return f"from {Path(file).name}"
    return {"builtin": "by document", "grammar": "as generated"}.get(config.data, "as published")


def _check_counts(parts: Parts, config: Config) -> None:
    """Raises InputError unless every split that is cut off train can contain every label."""
    counts = collections.Counter(example.label for example in parts["train"])
    if len(counts) < 2:
        raise InputError(f"Expected two or more labels in {config.data}. All its texts are {next(iter(counts))!r}.")
    label, fewest = counts.most_common()[-1]
    needed = FOLDS if "test" not in parts else 1 if "valid" in parts else 2
    if fewest < needed:
        raise InputError(
            f"Expected at least {needed} texts of each label, to split them. {config.data} has {fewest} of {label!r}. "
            "Leave that label out with --labels, or give more texts."
        )


def label_names(train: list[Example]) -> list[str]:
    """Returns the labels in order."""
    found = {example.label for example in train}
    return [label for label in ORDER if label in found] if found <= set(ORDER) else sorted(found)


def known_labels(examples: list[Example], labels: list[str], otherwise: str) -> list[Example]:
    """Returns the examples with these labels; prints how many have others, and raises InputError if all have."""
    kept = [example for example in examples if example.label in labels]
    if others := [example for example in examples if example.label not in labels]:
        found = f"{others[0].where} has {others[0].label!r}"
        if not kept:
            raise InputError(f"Expected the labels of the training texts: {', '.join(labels)}. {found}.")
        print(f"{having(len(others), len(examples), 'texts')} a label that no training text has ({found}). {otherwise}")
    return kept


class Weighted(BucketBatches):
    """Batches in which each text has the same weight, or each label if `balanced`; 1 per text on average."""

    def __init__(self, part: Part, info: dict, batch_size: int, seed: int, balanced: bool) -> None:
        ids = [text.ids for text in part.encoded]
        super().__init__(ids, part.labels, batch_size, seed, info["bucket_lengths"])
        counts = np.bincount(part.labels, minlength=len(info["labels"]))
        weights = 1 / np.maximum(counts, 1) if balanced else np.ones(len(counts))
        self.label_weights = (weights / weights[part.labels].mean()).astype(np.float32)

    def batch(self, epoch: int, step: int) -> tuple:
        """See `BucketBatches`."""
        inputs, labels, weights = super().batch(epoch, step)
        return inputs, labels, weights * self.label_weights[labels]
