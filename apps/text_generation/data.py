"""Text to token ids: the built-in text, a public one, or your own file or folder, by character or by word.

No information leaks: the text is split in order, and the vocabulary comes from the training part alone.
"""

import dataclasses
from collections.abc import Mapping
from pydoc_data.topics import topics
from typing import Any

import numpy as np

from shared import InputError
from shared.data import fetch, text, tfds
from shared.data.catalogue import CATALOGUE, check
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from .config import LEVELS, Config

PUBLIC = ("ptb", "tinyshakespeare")  # names in the catalogue: one file, or one each for train, valid and test
PARTS = ("train", "valid", "test")
LONGEST_EXAMPLE, PROMPT_WORDS = 60, 3  # maximum characters of the example, and words of it in a prompt
FEWEST = 2  # minimum number of tokens to evaluate on: the first one is input only


@dataclasses.dataclass(frozen=True, eq=False)  # hashed by identity, as the cache of the baseline requires
class Data:
    """The token ids (time,) int32 of each split, and the statistics of the text.

    `info` fits JSON: source, fingerprint, split, level, vocabulary (tokens by id), frequencies (number of occurrences
    of each token in the training set), example (a line of text to try the network with) and counts: the numbers of
    characters, words, tokens and unknown tokens in each split.
    """

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray | None
    info: dict[str, Any]

    def held_out(self) -> dict[str, np.ndarray]:
        """Returns the splits not used for training: test, if there is one, and valid."""
        return ({} if self.test is None else {"test": self.test}) | {"valid": self.valid}


def known(source: str) -> None:
    """Raises InputError if a --data value is not a known source."""
    check(source, PUBLIC, "tfds:NAME or the path of a text file or folder")


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads the text of `config.data`, splits it and converts it to ids.

    Raises:
        InputError: the source is unknown, a file is not text, or a text is too short for the batches.
    """
    tokenise, join = (text.characters, "".join) if config.level == "char" else (text.words, text.join_words)
    files = {part: getattr(config, part) for part in ("valid", "test") if getattr(config, part)}
    contents = read(config.data) | {part: text.read_text(path) for part, path in files.items()}
    whole = {part: tokenise(content) for part, content in contents.items()}
    parts, split = cut(whole, config.valid_fraction, config.test_fraction, files)
    if config.max_examples:
        parts = {part: tokens[: config.max_examples] for part, tokens in parts.items()}
        split += f", at most the first {config.max_examples:,} {LEVELS[config.level]} of each"
    check_length(parts, config)
    rarest = min_count(parts["train"], config.level)
    vocabulary = text.Vocabulary.fit(parts["train"], config.max_vocabulary or None, rarest)
    ids = {part: vocabulary.encode(tokens) for part, tokens in parts.items()}
    info = {
        "source": "pydoc_data.topics, Python's language reference" if config.data == "builtin" else config.data,
        "fingerprint": fingerprint(contents),
        "split": split,
        "level": config.level,
        "vocabulary": list(vocabulary.tokens),
        "frequencies": np.bincount(ids["train"], minlength=len(vocabulary)).tolist(),
        "example": example(join(parts["valid"]), vocabulary, config.level),
        "counts": {part: counts(join(tokens), ids[part]) for part, tokens in parts.items()},
    }
    return Data(ids["train"], ids["valid"], ids.get("test"), info)


def read(source: str) -> dict[str, str]:
    """Reads the texts of the source, by split; a text without published splits is all "train"."""
    if source == "builtin":
        return {"train": builtin()}
    if source in PUBLIC:
        files = zip(PARTS, CATALOGUE[source], strict=False)
        return {part: text.decode(fetch.fetch(file), file.name) for part, file in files}
    if source.startswith(tfds.PREFIX):
        return read_tfds(source)
    known(source)
    return {"train": text.read_text(source)}


def builtin() -> str:
    """Returns the reference manual of the Python language, included in every Python, without tables and rules."""
    lines = "\n".join(topics[name] for name in sorted(topics)).split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith(("|", "+-", "+=", "==", "--", "***")))


def read_tfds(source: str) -> dict[str, str]:
    """Reads the texts of a TensorFlow data set, joining the examples of each split line by line."""
    found = tfds.splits(source)
    named = {part: "validation" if part == "valid" and "validation" in found else part for part in PARTS}
    if "train" not in found:
        raise InputError(f"Expected a split called train in {source}. It has: {', '.join(found)}")
    return {part: "\n".join(tfds.load_texts(source, name)) for part, name in named.items() if name in found}


def cut(
    parts: dict[str, Any], valid_fraction: float, test_fraction: float, files: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], str]:
    """Cuts missing valid and test splits off the end of train; also returns a description of the split.

    Args:
        parts: the texts by split; existing splits are left unchanged.
        valid_fraction: share of train to use as valid.
        test_fraction: share of train to use as test.
        files: paths of the splits that the user gave as files; all other existing splits are published ones.
    """
    valid = 0 if "valid" in parts else valid_fraction
    test = 0 if "test" in parts else test_fraction
    whole, files = parts["train"], files or {}
    first, second = int(len(whole) * (1 - valid - test)), int(len(whole) * (1 - test))
    pieces = {"train": whole[:first], "valid": whole[first:second], "test": whole[second:]}
    shares = {"train": 1 - valid - test, "valid": valid, "test": test}
    taken = {part: piece for part, piece in pieces.items() if 0 < shares[part] < 1}
    published = any(part in parts for part in ("valid", "test") if part not in files)
    said = {part: "as published" if published else "whole" for part in PARTS}
    said |= {part: f"from {path}" for part, path in files.items()}
    said |= {part: f"{shares[part]:.0%} in order" for part in taken}
    parts = parts | taken
    return parts, ", ".join(f"{part} {said[part]}" for part in PARTS if part in parts)


def example(content: str, vocabulary: text.Vocabulary, level: str) -> str:
    """Returns a line of a text to try the network with, preferably of several words; "" if none can be encoded."""
    whole = (" ".join(line.split()) for line in content.split("\n")[1:] or [content])  # the first line may be cut
    known = [line for line in whole if line and (level == "word" or set(line) <= vocabulary.index.keys())]
    # Skip lines that the command line would take for an option or a file.
    known = [line for line in known if not line.startswith("-") and not text.names_file(line)]
    found = next((line for line in known if len(line.split()) >= PROMPT_WORDS), next(iter(known), ""))
    return found[:LONGEST_EXAMPLE].strip()


def prompt(line: str) -> str:
    """Returns the first words of a line, to be continued."""
    return " ".join(line.split()[:PROMPT_WORDS])


def tested_on(data: Data, path: str) -> Data:
    """Returns the data of a run with another text as its test set; words unknown to the run become <unk>.

    Raises:
        InputError: a file is not text or too short, or has a character that is not in the training text.
    """
    level, vocabulary = data.info["level"], text.Vocabulary(tuple(data.info["vocabulary"]))
    texts = text.read_texts(path)
    if level == "char" and (found := text.first_unknown(texts, {*vocabulary.index, "\n"})):
        raise InputError(f"{found[1]}: expected characters that the run was trained on; received {found[0]!r}")
    content = text.read_text(path)
    ids = vocabulary.encode(text.characters(content) if level == "char" else text.words(content))
    if len(ids) < FEWEST:
        raise InputError(f"{path}: expected at least {FEWEST} {LEVELS[level]}; received {len(ids)}")
    counted = data.info["counts"] | {"test": counts(content, ids)}
    return dataclasses.replace(data, test=ids, info=data.info | {"counts": counted})


def check_length(parts: dict[str, Any], config: Config) -> None:
    """Raises InputError unless there are enough windows for all batch_size streams, and a margin for their offset."""
    kind, window, batch_size = LEVELS[config.level], config.window, config.batch_size
    needed = (batch_size + 1) * window
    if (found := len(parts["train"])) < needed:
        raise InputError(
            f"Expected at least {needed} {kind} to train on (batch_size + 1 windows of {window}). "
            f"{config.data} has {found}. Lower --batch-size or --window, or {_more(found, config)}."
        )
    needed = max(window, batch_size) + 1
    for part in ("valid", "test"):
        if part in parts and (found := len(parts[part])) < needed:
            raise InputError(
                f"Expected at least {needed} {kind} in the {part} part of {config.data}. It has {found}. "
                f"Lower --batch-size and --window, raise --{part}-fraction, or {_more(found, config)}."
            )


def _more(found: int, config: Config) -> str:
    return "raise --max-examples" if found == config.max_examples else "give more text"


def min_count(train: list[str], level: str) -> int:
    """Words seen only once become <unk>, to train its embedding, unless the text already has its own <unk>."""
    return 2 if level == "word" and text.UNKNOWN not in train else 1


def counts(content: str, ids: np.ndarray) -> dict[str, int]:
    """Returns the sizes of a split; the number of characters converts nats per token to bits per character."""
    unknown = int((ids == text.SPECIALS.index(text.UNKNOWN)).sum())
    return {"characters": len(content), "words": len(content.split()), "tokens": len(ids), "unknown": unknown}
