"""The data sources: CLDR phrases, multi30k, TensorFlow Datasets, your own files."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from shared import InputError, MissingFileError
from shared.data import fetch, tfds
from shared.data.catalogue import CATALOGUE, not_found
from shared.data.text import decode

from . import phrases
from .config import Config
from .tokens import clean

MULTI30K = ("en", "de", "fr")
MULTI30K_PARTS = {"train": "train", "valid": "val", "test": "test_2016_flickr"}


@dataclasses.dataclass(frozen=True)
class Pair:
    """A sentence, its translation, and their location, for messages; for built-in phrases also their kind."""

    source: str
    target: str
    where: str
    kind: str = ""


Parts = dict[str, list[Pair]]


def read(config: Config) -> Parts:
    """Reads the pairs of the source by split, and of --valid and --test; without published splits all are "train".

    Raises:
        InputError: the source or a language is unknown, or a file cannot be used; the message gives file and line.
    """
    given = {part: getattr(config, part) for part in ("valid", "test") if getattr(config, part)}
    return _of_source(config) | {
        part: read_files(path, getattr(config, f"{part}_target_file")) for part, path in given.items()
    }


def known(config: Config) -> None:
    """Raises InputError if --data, a file of a split, or a locale of the built-in phrases does not exist."""
    data = config.data
    if data == "builtin":
        phrases.locale(config.source)
        phrases.locale(config.target)
    elif data != "multi30k" and not data.startswith(tfds.PREFIX) and not Path(data).is_file():
        files = "the path of a TSV file of pairs, or of source sentences with their translations in --target-file"
        raise not_found(data, ("multi30k",), f"{tfds.PREFIX}NAME, {files}")
    for part in ("valid", "test"):
        if path := getattr(config, part):
            _there(path, getattr(config, f"{part}_target_file"))
    if config.target_file:
        _there(data, config.target_file)


def _there(path: str, target_file: str) -> None:
    if not Path(path).is_file():
        raise MissingFileError(f"Expected a TSV file of pairs, or a file of sentences. There is none at {path}.")
    if target_file and not Path(target_file).is_file():
        raise MissingFileError(f"--target-file: expected a file of translations. There is none at {target_file}.")


def _of_source(config: Config) -> Parts:
    known(config)
    data = config.data
    if data == "builtin":
        made = phrases.parts(config.source, config.target).items()
        return {
            part: [Pair(clean(one), clean(other), f"CLDR, {kind}", kind) for one, other, kind in some]
            for part, some in made
        }
    if data == "multi30k":
        return multi30k(config.source, config.target)
    if data.startswith(tfds.PREFIX):
        return read_tfds(config)
    return {"train": read_files(data, config.target_file)}


def read_files(path: str, target_file: str) -> list[Pair]:
    """Reads pairs from a TSV file, or from a file of sentences and one of their translations.

    Raises:
        InputError: a file does not exist or cannot be used; the message gives file and line.
    """
    _there(path, target_file)
    return read_two_files(path, target_file) if target_file else read_tsv(path)


def multi30k(source: str, target: str) -> Parts:
    """Elliott et al. (2016), W16-3210: image captions and their translations; test is test_2016_flickr."""
    if not {source, target} <= set(MULTI30K):
        raise InputError(f"--source, --target: multi30k has {', '.join(MULTI30K)}; received {source!r} and {target!r}")
    files = {entry.name.removeprefix("multi30k "): entry for entry in CATALOGUE["multi30k"]}
    parts = {}
    for part, name in MULTI30K_PARTS.items():
        one, other = (
            decode(fetch.fetch(files[f"{name}.{language}"]), f"{name}.{language}").removesuffix("\n").split("\n")
            for language in (source, target)
        )
        parts[part] = _pairs(one, other, f"multi30k {name}")
    return parts


def read_tfds(config: Config) -> Parts:
    """Reads a data set whose examples have one feature per language, such as ted_hrlr_translate/de_to_en."""
    found = tfds.splits(config.data)
    if "train" not in found:
        raise InputError(f"Expected a split called train in {config.data}. It has: {', '.join(found)}")
    parts = {}
    for part, split in (("train", "train"), ("valid", "validation"), ("test", "test")):
        if split not in found:
            continue
        pairs = []
        for number, example in enumerate(tfds.load_examples(config.data, split)):
            where = f"{config.data}, {split}, example {number}"
            for language in (config.source, config.target):
                if language not in example:
                    raise InputError(f"--source, --target: {config.data} has {', '.join(example)}; not {language!r}")
            one, other = (clean(decode(example[key], where)) for key in (config.source, config.target))
            if one and other:  # ted_hrlr_translate has some empty sentences
                pairs.append(Pair(one, other, where))
        parts[part] = pairs
    return parts


def read_two_files(source: str, target: str) -> list[Pair]:
    """Reads two files of sentences, line by line. Raises InputError if their numbers of lines differ."""
    one, other = _lines(source), _lines(target)
    if len(one) != len(other):
        raise InputError(
            f"Expected a translation for each sentence. {source} has {len(one)} lines, {target} has {len(other)}."
        )
    return _pairs(one, other, f"{source} and {target}")


def read_tsv(path: str) -> list[Pair]:
    """Reads a file with a sentence, a tab and its translation per line, without header and quoting."""
    hint = " Two files of sentences are named with --data and --target-file."
    rows = [columns(line, f"{path}, line {number}", hint) for number, line in enumerate(_lines(path), 1)]
    one, other = zip(*rows, strict=True)
    return _pairs(one, other, path)


def columns(line: str, where: str, hint: str = "") -> tuple[str, str]:
    """Splits a line of a pair into its two columns. Raises InputError if it has more or fewer."""
    cells = line.split("\t")
    if len(cells) != 2:
        count = f"{len(cells)} column" + "s" * (len(cells) > 1)
        raise InputError(f"Expected a sentence, a tab and its translation. {where} has {count}.{hint}")
    return cells[0], cells[1]


def _lines(path: str) -> list[str]:
    text = decode(Path(path).read_bytes(), path)
    if not text.strip():
        raise InputError(f"Expected sentences. {path} is empty or blank.")
    return text.removesuffix("\n").split("\n")


def _pairs(one: Sequence[str], other: Sequence[str], name: str) -> list[Pair]:
    pairs = [Pair(clean(a), clean(b), f"{name}, line {n}") for n, (a, b) in enumerate(zip(one, other, strict=True), 1)]
    for pair in pairs:
        if not pair.source or not pair.target:
            raise InputError(f"Expected a sentence and its translation. {pair.where} is empty on one side.")
    return pairs
