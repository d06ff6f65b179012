"""Text to token ids: the built-in text, a public one, or your own file or folder, by character or by word.

Nothing leaks: a text is split in its own order, and the vocabulary comes from the training part alone.
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
LONGEST_EXAMPLE, PROMPT_WORDS = 60, 3  # characters, and words of it that are continued
FEWEST = 2  # tokens of a text to be measured on: the first one is only read


@dataclasses.dataclass(frozen=True, eq=False)  # hashed as the object that it is: the baseline is kept for it
class Data:
    """Token ids (time,) int32 of each part, and what was learned from the text.

    `info` fits JSON: source, fingerprint, split, level, vocabulary (the tokens in the order of their ids), frequencies
    (how often each occurs in train), example (a line of the text to try the network with) and counts: for each part its
    characters, words, tokens and how many of the tokens are unknown.
    """

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray | None
    info: dict[str, Any]

    def held_out(self) -> dict[str, np.ndarray]:
        """The parts that are not trained on: test, if there is one, and valid."""
        return ({} if self.test is None else {"test": self.test}) | {"valid": self.valid}


def known(source: str) -> None:
    """Refuses a --data that names nothing."""
    check(source, PUBLIC, "tfds:NAME or the path of a text file or folder")


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads the text that `config.data` names, splits it and turns it into ids.

    Raises:
        InputError: an unknown source, a file that is not text, or one too short for the batches.
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
    """The texts of the source, by part; a text that is not split yet is all "train"."""
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
    """The reference manual of the Python language, which every Python includes, without its drawn tables and rules."""
    lines = "\n".join(topics[name] for name in sorted(topics)).split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith(("|", "+-", "+=", "==", "--", "***")))


def read_tfds(source: str) -> dict[str, str]:
    """The texts of a TensorFlow data set, each part's examples joined line by line."""
    found = tfds.splits(source)
    named = {part: "validation" if part == "valid" and "validation" in found else part for part in PARTS}
    if "train" not in found:
        raise InputError(f"Expected a split called train in {source}. It has: {', '.join(found)}")
    return {part: "\n".join(tfds.load_texts(source, name)) for part, name in named.items() if name in found}


def cut(
    parts: dict[str, Any], valid_fraction: float, test_fraction: float, files: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], str]:
    """Cuts valid, then test, off the end of train where there is none; also gives the split in words.

    Args:
        parts: by part; those that are there are left as they are.
        valid_fraction: share of train to cut off as valid.
        test_fraction: the same for test.
        files: of each part that the user gave as a file, its path; all others that are there are published ones.
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
    """A line of a text to try the network with, one of several words if there is one; "" if none can be read."""
    whole = (" ".join(line.split()) for line in content.split("\n")[1:] or [content])  # the first one may be cut
    known = [line for line in whole if line and (level == "word" or set(line) <= vocabulary.index.keys())]
    # On a command line these are no texts.
    known = [line for line in known if not line.startswith("-") and not text.names_file(line)]
    found = next((line for line in known if len(line.split()) >= PROMPT_WORDS), next(iter(known), ""))
    return found[:LONGEST_EXAMPLE].strip()


def prompt(line: str) -> str:
    """Its first words, to be continued."""
    return " ".join(line.split()[:PROMPT_WORDS])


def tested_on(data: Data, path: str) -> Data:
    """The data of a run with another text as its test part; words that the run does not know become <unk>.

    Raises:
        InputError: a file that is not text, one that is too short, or a character that the run was not trained on.
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
    """Training needs a window for each of batch_size streams and one to shift them by; the other parts one in all."""
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
    """Words seen only once become <unk>: else it would never be trained on. A text may have its own <unk>."""
    return 2 if level == "word" and text.UNKNOWN not in train else 1


def counts(content: str, ids: np.ndarray) -> dict[str, int]:
    """Sizes of a part; `characters` makes nats per token into bits per character."""
    unknown = int((ids == text.SPECIALS.index(text.UNKNOWN)).sum())
    return {"characters": len(content), "words": len(content.split()), "tokens": len(ids), "unknown": unknown}
