"""Text to token ids: the built-in text, a public one, or your own file or folder, by character or by word.

Nothing leaks: a text is split in its own order, and the vocabulary comes from the training part alone.
"""

import dataclasses
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np

from shared import InputError
from shared.data import fetch, text, tfds
from shared.data.catalogue import CATALOGUE, not_found
from shared.runs import fingerprint
from shared.trials import same_for_every_seed

from .config import LEVELS, Config

PUBLIC = ("ptb", "tinyshakespeare")  # names in the catalogue: one file, or one each for train, valid and test
PARTS = ("train", "valid", "test")


@dataclasses.dataclass(frozen=True, eq=False)  # hashed as the object that it is: the baseline is kept for it
class Data:
    """Token ids (time,) int32 of each part, and what was learned from the text.

    `info` fits JSON: source, fingerprint, split, level, vocabulary (the tokens in the order of their ids), frequencies
    (how often each occurs in train) and counts: for each part its characters, words, tokens and how many of the tokens
    are unknown.
    """

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray | None
    info: dict[str, Any]

    def held_out(self) -> dict[str, np.ndarray]:
        """The parts that are not trained on: test, if there is one, and valid."""
        return ({} if self.test is None else {"test": self.test}) | {"valid": self.valid}


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads the text that `config.data` names, splits it and turns it into ids.

    Raises:
        InputError: an unknown source, a file that is not text, or one too short for the batches.
    """
    tokenise, join = (text.characters, "".join) if config.level == "char" else (text.words, text.join_words)
    contents = read(config.data)
    whole = {part: tokenise(content) for part, content in contents.items()}
    parts, split = cut(whole, config.valid_fraction, config.test_fraction)
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
    if not Path(source).exists():
        raise not_found(source, PUBLIC, "tfds:NAME or the path of a text file or folder")
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


def cut(parts: dict[str, Any], valid_fraction: float, test_fraction: float) -> tuple[dict[str, Any], str]:
    """Cuts valid, then test, off the end of train where the source has none; also gives the split in words."""
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
