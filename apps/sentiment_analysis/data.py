"""Labelled texts to ids, split so that nothing leaks, and what is learned from the training texts."""

import collections
import dataclasses
from typing import Any

import numpy as np

from shared import InputError
from shared.data.sequences import BucketBatches, bucket_lengths, spread
from shared.runs import fingerprint
from shared.trials import same_for_every_seed

from .config import FOLDS, Config
from .sources import Example, Parts, read
from .tokens import Encoder, clean, letters, words
from .vectors import known_words

ORDER = ("negative", "neutral", "positive")  # labels of these names are listed in this order
SPLIT_SEED = 0  # the same folds in every run, so that runs compare
FEWEST = 20  # training texts


@dataclasses.dataclass(frozen=True)
class Part:
    """Texts as they may be shown, their ids, each (time, 1 + pieces) int32, and labels (rows,) int32."""

    texts: list[str]
    ids: list[np.ndarray]
    labels: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)  # hashed as the object that it is: the baselines are kept for it
class Data:
    """The parts, and what was learned from the training texts.

    `info` fits JSON: source, fingerprint, split, labels, words and pieces (vocabularies in the order of their ids),
    learned (how many of the words the training texts have), max_words and bucket_lengths.
    """

    train: Part
    valid: Part
    test: Part
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads the texts that `config.data` names, splits them and turns them into ids.

    Raises:
        InputError: an unknown source, a file that cannot be used, too few texts or labels.
    """
    read_parts = read(config)
    known = sorted({example.label for examples in read_parts.values() for example in examples})
    if missing := [label for label in config.labels if label not in known]:
        raise InputError(f"--labels: there is no {missing[0]!r} in {config.data}; it has {', '.join(known)}")
    kept = {name: _checked(examples, config) for name, examples in read_parts.items()}
    parts = {name: [some[i] for i in spread(len(some), config.max_examples)] for name, some in kept.items()}
    parts, split = cut(distinct(parts), config)
    labels = label_names(parts)
    cleaned = {name: [clean(example.text) for example in examples] for name, examples in parts.items()}
    tokens = {name: [words(text) for text in texts] for name, texts in cleaned.items()}
    encoder, learned = Encoder.fit(tokens["train"], known_words(config.vectors), dataclasses.asdict(config))
    found = {
        name: Part(
            cleaned[name],
            [encoder.encode(text) for text in tokens[name]],
            np.array([labels.index(example.label) for example in examples], np.int32),
        )
        for name, examples in parts.items()
    }
    info = {
        "source": "a grammar of opinions" if config.data == "builtin" else config.data,
        "fingerprint": fingerprint([(name, [(e.text, e.label) for e in some]) for name, some in read_parts.items()]),
        "split": ", ".join(f"{name} {len(parts[name]):,}" for name in ("train", "valid", "test")) + f" texts; {split}",
        "labels": labels,
        "words": list(encoder.words.tokens),
        "learned": learned,
        "pieces": list(encoder.pieces.tokens),
        "max_words": config.max_words,
        "bucket_lengths": bucket_lengths([len(ids) for ids in found["train"].ids], config.buckets, config.max_words),
    }
    return Data(**found, info=info)


def _checked(examples: list[Example], config: Config) -> list[Example]:
    """The examples whose label is wanted; an empty text is refused, with its row."""
    for example in examples:
        if not words(clean(example.text)):
            raise InputError(f"Expected a text with at least one word. {example.where} has none.")
    return [example for example in examples if not config.labels or example.label in config.labels]


def distinct(parts: Parts) -> Parts:
    """Each text once, and in the rarest part that has it: test before valid before train."""
    seen: set[str] = set()
    kept: Parts = {}
    for name in ("test", "valid", "train"):
        for example in parts.get(name, []):
            print_of = letters(clean(example.text)) or example.text
            # A published test part is what others measure on: it keeps its repetitions.
            if name == "train" and print_of in seen:
                continue
            seen.add(print_of)
            kept.setdefault(name, []).append(example)
    return kept


def cut(parts: Parts, config: Config) -> tuple[Parts, str]:
    """Cuts test and valid off train where the source does not bring them, each label in equal shares."""
    from sklearn.model_selection import StratifiedKFold, train_test_split

    if len(parts.get("train", [])) < FEWEST:
        raise InputError(
            f"Expected at least {FEWEST} different training texts with the chosen labels. "
            f"{config.data} has {len(parts.get('train', []))}."
        )
    said = "as published"
    train = parts["train"]
    _check_counts(train, config)
    if "test" not in parts:
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SPLIT_SEED)
        rest, test = list(folds.split(train, [example.label for example in train]))[config.fold]
        parts = parts | {"test": [train[i] for i in test]}
        train = [train[i] for i in rest]
        said = f"test is fold {config.fold} of {FOLDS}"
    if "valid" not in parts:
        labels = [example.label for example in train]
        split = train_test_split(train, test_size=config.valid_fraction, stratify=labels, random_state=SPLIT_SEED)
        train, parts = split[0], parts | {"valid": split[1]}
        said += f", {config.valid_fraction:.0%} for validation"
    return parts | {"train": train}, said


def _check_counts(train: list[Example], config: Config) -> None:
    """Every part needs every label."""
    counts = collections.Counter(example.label for example in train)
    if len(counts) < 2:
        raise InputError(f"Expected two or more labels in {config.data}. All its texts are {next(iter(counts))!r}.")
    label, fewest = counts.most_common()[-1]
    if fewest < FOLDS:
        raise InputError(
            f"Expected at least {FOLDS} texts of each label, to split them. {config.data} has {fewest} of {label!r}. "
            "Leave that label out with --labels, or give more texts."
        )


def label_names(parts: Parts) -> list[str]:
    """The labels of train in their order; refuses a label that only another part has."""
    found = {example.label for example in parts["train"]}
    for example in [*parts["valid"], *parts["test"]]:
        if example.label not in found:
            raise InputError(
                f"Expected the labels of the training texts: {', '.join(sorted(found))}. "
                f"{example.where} has {example.label!r}."
            )
    return [label for label in ORDER if label in found] if found <= set(ORDER) else sorted(found)


class Weighted(BucketBatches):
    """Batches whose rare labels count more: an example of label n weighs (texts / texts of n) ** balance."""

    def __init__(self, part: Part, info: dict, batch_size: int, seed: int, balance: float) -> None:
        super().__init__(part.ids, part.labels, batch_size, seed, info["bucket_lengths"])
        counts = np.bincount(part.labels, minlength=len(info["labels"]))
        weights = (len(part.labels) / np.maximum(counts, 1)) ** balance
        self.label_weights = (weights / weights[part.labels].mean()).astype(np.float32)

    def batch(self, epoch: int, step: int) -> tuple:
        """See `BucketBatches`."""
        inputs, labels, weights = super().batch(epoch, step)
        return inputs, labels, weights * self.label_weights[labels]
