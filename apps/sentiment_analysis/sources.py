"""The data sources: rated sentences, public data sets, TFDS, your own CSV, TSV or JSONL file."""

import dataclasses
import sys
from pathlib import Path

from shared import InputError
from shared.data import fetch, tables, tfds
from shared.data.catalogue import CATALOGUE, check
from shared.data.text import decode

from . import everyday, grammar, rated
from .config import Config

BUILTIN = ("builtin", "grammar")  # these have their own splits
PUBLIC = ("grammar", "tweeteval", "mr_polarity")
TWEET_LABELS = {"0": "negative", "1": "neutral", "2": "positive"}
TFDS_LABELS = {"0": "negative", "1": "positive"}  # label numbers in the data sets of TFDS_OPINIONS
TFDS_OPINIONS = ("imdb_reviews", "glue/sst2", "yelp_polarity_reviews")
TFDS_TEXTS = ("text", "sentence")


@dataclasses.dataclass(frozen=True)
class Example:
    """A text, its label, its location, for messages, and its kind, if the source has kinds."""

    text: str
    label: str
    where: str
    kind: str = ""


Parts = dict[str, list[Example]]


def known(source: str) -> None:
    """Raises InputError if a --data value is not a known source."""
    check(source, PUBLIC, "tfds:NAME or the path of a CSV, TSV or JSONL file")


def read(config: Config) -> Parts:
    """Reads the examples of the source by split; without published splits all are "train".

    Raises:
        InputError: the source is unknown, or a file cannot be used; the message gives file and line.
    """
    source = config.data
    own = {part: file for part, file in (("valid", config.valid), ("test", config.test)) if file}
    if own and (source in BUILTIN or source in PUBLIC or source.startswith(tfds.PREFIX)):
        raise InputError(f"--{next(iter(own))}: expected with your own file as --data; {source} has its own split")
    if source == "builtin":
        parts = {
            part: [Example(text, label, where, kind) for text, label, kind, where in rows]
            for part, rows in rated.parts().items()
        }
        return parts | {"train": parts["train"] + generated(config.everyday)}
    if source == "grammar":
        return {part: [Example(*made, "grammar") for made in found] for part, found in grammar.parts().items()}
    if source == "tweeteval":
        return tweeteval()
    if source == "mr_polarity":
        return mr_polarity()
    if source.startswith(tfds.PREFIX):
        return read_tfds(source)
    known(source)
    parts = {"train": read_file(Path(source), config)}
    return parts | {part: read_file(Path(file), config) for part, file in own.items()}


def generated(count: int) -> list[Example]:
    """Returns this many generated everyday sentences."""
    made = enumerate(everyday.sentences(count), 1)
    return [Example(text, label, f"everyday.py, sentence {number}", "everyday") for number, (text, label) in made]


def reachable(config: Config) -> Config:
    """Returns the settings, with the grammar instead of the built-in sentences if pip cannot download these."""
    if config.data == "builtin" and fetch.find(*CATALOGUE["vader_ratings"]) is None:
        try:
            fetch.fetch(*CATALOGUE["vader_ratings"])
        except InputError as error:
            print(f"{error}\nUsing generated opinions instead: --data grammar.", file=sys.stderr)
            return dataclasses.replace(config, data="grammar")
    return config


def tweeteval() -> Parts:
    """TweetEval's valid and test sets; for training, the SemEval tweets of 2013 to 2016 on which it is based."""
    valid_text, valid_labels, test_text, test_labels, *pool = CATALOGUE["tweeteval"]
    train = []
    for entry in pool:
        for number, line in enumerate(_lines(entry), 1):
            _, label, text, *_ = line.split("\t")
            train.append(Example(text, label, f"{entry.member}, line {number}"))
    parts = {"train": train}
    for part, texts, labels in (("valid", valid_text, valid_labels), ("test", test_text, test_labels)):
        rows = enumerate(zip(_lines(texts), _lines(labels), strict=True), 1)
        parts[part] = [Example(text, TWEET_LABELS[label], f"{texts.name}, line {n}") for n, (text, label) in rows]
    return parts


def mr_polarity() -> Parts:
    """Pang and Lee's sentences, alternately positive and negative; they are later split into ten folds."""
    both = [
        [Example(text.strip(), label, f"{entry.name}, line {n}") for n, text in enumerate(_lines(entry, "latin-1"), 1)]
        for entry, label in zip(CATALOGUE["mr_polarity"], ("positive", "negative"), strict=True)
    ]
    return {"train": [example for pair in zip(*both, strict=True) for example in pair]}


def _lines(entry: fetch.Resource, encoding: str = "utf-8") -> list[str]:
    r"""Returns the lines of a public file, split at "\n" only: tweets contain other line separators."""
    return fetch.fetch(entry).decode(encoding).removesuffix("\n").split("\n")


def read_tfds(source: str) -> Parts:
    """Reads a data set with label and text or sentence; a hidden test set (labels of -1) is left out."""
    found = tfds.splits(source)
    if "train" not in found:
        raise InputError(f"Expected a split called train in {source}. It has: {', '.join(found)}")
    names = TFDS_LABELS if source.removeprefix(tfds.PREFIX).startswith(TFDS_OPINIONS) else {}
    parts: Parts = {}
    for part, split in (("train", "train"), ("valid", "validation"), ("test", "test")):
        if split not in found:
            continue
        examples = []
        for number, example in enumerate(tfds.load_examples(source, split)):
            key = next((key for key in TFDS_TEXTS if key in example), None)
            if key is None or "label" not in example:
                raise InputError(f"Expected features label and text or sentence in {source}. It has {list(example)}")
            label = str(int(example["label"]))
            text = decode(example[key], f"{source}, {split}, example {number}").replace("<br />", " ")
            examples.append(Example(text, names.get(label, label), f"{source}, {split}, example {number}"))
        if not all(example.label == "-1" for example in examples):
            parts[part] = examples
    return parts


def read_file(path: Path, config: Config) -> list[Example]:
    """Reads the rows of a CSV, TSV or JSONL file with a text column and a label column."""
    hint = "The columns are named in the training, with --text-column and --label-column; other files need the same."
    examples = []
    for row, where in tables.rows(path):
        text, label = (tables.cell(row, name, where, hint) for name in (config.text_column, config.label_column))
        examples.append(Example(text, label.strip(), where))
    if not examples:
        raise InputError(f"Expected rows of texts and labels. {path} has none.")
    return examples
