"""Text to token ids: the built-in text, a public one, or your own file or folder, by character or by word.

Nothing leaks: a text is cut in its own order, and the vocabulary comes from the training part alone.
"""

import dataclasses
import difflib
import platform
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np

from shared import InputError, MissingFileError
from shared.data import fetch, text, tfds
from shared.data.catalogue import CATALOGUE

from .config import Config

PUBLIC = ("ptb", "tinyshakespeare")  # names in shared/data/fetch.py; of one file, or of train, valid and test
PARTS = ("train", "valid", "test")
KINDS = {"char": "characters", "word": "words"}


@dataclasses.dataclass(frozen=True)
class Data:
    """Token ids (time,) int32 of each part, and what was learned from the text.

    `info` fits JSON: source, split, level, vocabulary (the tokens in the order of their ids), frequencies (how
    often each stands in train) and counts: for each part its characters, words, tokens and how many of the tokens
    are unknown.
    """

    train: np.ndarray
    valid: np.ndarray | None
    test: np.ndarray | None
    info: dict[str, Any]


def load(config: Config) -> Data:
    """Reads the text that `config.data` names, splits it and turns it into ids.

    Raises:
        InputError: an unknown source, a file that is not text, or one too short for the batches.
    """
    if config.level not in KINDS:
        raise InputError(f"Expected --level char or word. Received: {config.level}")
    tokenise, join = (text.characters, "".join) if config.level == "char" else (text.words, text.join_words)
    parts = {part: tokenise(content) for part, content in read(config.data).items()}
    parts, split = cut(parts, config.valid_fraction, config.test_fraction)
    check_length(parts, config)
    rarest = min_count(parts["train"], config.level)
    vocabulary = text.Vocabulary.fit(parts["train"], config.max_vocabulary or None, rarest)
    ids = {part: vocabulary.encode(tokens) for part, tokens in parts.items()}
    builtin = f"pydoc_data.topics of Python {platform.python_version()}"
    info = {
        "source": builtin if config.data == "builtin" else config.data,
        "split": split,
        "level": config.level,
        "vocabulary": list(vocabulary.tokens),
        "frequencies": np.bincount(ids["train"], minlength=len(vocabulary)).tolist(),
        "counts": {part: counts(join(tokens), ids[part]) for part, tokens in parts.items()},
    }
    return Data(ids["train"], ids.get("valid"), ids.get("test"), info)


def read(source: str) -> dict[str, str]:
    """The texts of the source, by part; a text that is not split yet is all "train"."""
    if source == "builtin":
        return {"train": builtin()}
    if source in PUBLIC:
        files = zip(PARTS, CATALOGUE[source], strict=False)
        return {part: text.decode(fetch.fetch(file), file.name) for part, file in files}
    if source.startswith(tfds.PREFIX):
        return read_tfds(source)
    if not Path(source).exists():
        near = difflib.get_close_matches(source, ("builtin", *PUBLIC), 1)
        raise MissingFileError(
            f"Expected --data builtin, {', '.join(PUBLIC)}, tfds:NAME or the path of a text file or folder. "
            f"Received: {source}." + (f" Did you mean {near[0]}?" if near else "")
        )
    return {"train": text.read_text(source)}


def builtin() -> str:
    """The reference manual of the Python language, which is in every Python, without its drawn tables and rules."""
    lines = "\n".join(topics[name] for name in sorted(topics)).split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith(("|", "+-", "+=", "==", "--", "***")))


def read_tfds(source: str) -> dict[str, str]:
    """The texts of a TensorFlow data set, each part's examples joined line by line."""
    found = tfds.splits(source)
    named = {part: "validation" if part == "valid" and "validation" in found else part for part in PARTS}
    if "train" not in found:
        raise InputError(f"Expected a split called train in {source}. It has: {', '.join(found)}")
    return {part: "\n".join(tfds.load_texts(source, name)) for part, name in named.items() if name in found}


def cut(parts: dict[str, Any], valid_fraction: float, test_fraction: float) -> tuple[dict[str, Any], str]:
    """Cuts valid, then test, off the end of train where the source does not bring them; says what is what."""
    if min(valid_fraction, test_fraction) < 0 or valid_fraction + test_fraction >= 1:
        raise InputError(
            "Expected --valid-fraction and --test-fraction not below 0 and together below 1. "
            f"Received: {valid_fraction} and {test_fraction}"
        )
    valid = 0 if "valid" in parts else valid_fraction
    test = 0 if "test" in parts else test_fraction
    whole = parts["train"]
    first, second = int(len(whole) * (1 - valid - test)), int(len(whole) * (1 - test))
    pieces = {"train": whole[:first], "valid": whole[first:second], "test": whole[second:]}
    shares = {"train": 1 - valid - test, "valid": valid, "test": test}
    taken = {part: piece for part, piece in pieces.items() if 0 < shares[part] < 1}
    said = {part: f"{shares[part]:.0%} in order" if part in taken else "as published" for part in PARTS}
    parts = parts | taken
    return parts, ", ".join(f"{part} {said[part]}" for part in PARTS if part in parts)


def check_length(parts: dict[str, Any], config: Config) -> None:
    """Training needs a window for each of batch_size streams and one to shift them by; the rest, one."""
    kind = KINDS[config.level]
    needed = (config.batch_size + 1) * config.window
    if len(parts["train"]) < needed:
        raise InputError(
            f"Expected at least {needed} {kind} to train on (batch_size + 1 windows of {config.window}). "
            f"{config.data} has {len(parts['train'])}. Lower --batch-size or --window, or give more text."
        )
    needed = max(config.window, config.batch_size) + 1
    for part in ("valid", "test"):
        if part in parts and len(parts[part]) < needed:
            raise InputError(
                f"Expected at least {needed} {kind} in the {part} part of {config.data}. "
                f"It has {len(parts[part])}. "
                f"Lower --batch-size and --window, raise --{part}-fraction, or give more text."
            )


def min_count(train: list[str], level: str) -> int:
    """Words seen only once become <unk>: else it would never be trained on. A text may have its own <unk>."""
    return 2 if level == "word" and text.UNKNOWN not in train else 1


def counts(content: str, ids: np.ndarray) -> dict[str, int]:
    """Sizes of a part; `characters` makes nats per token into bits per character."""
    unknown = int((ids == text.SPECIALS.index(text.UNKNOWN)).sum())
    return {"characters": len(content), "words": len(content.split()), "tokens": len(ids), "unknown": unknown}
