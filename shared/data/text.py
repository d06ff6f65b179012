"""Text to token ids and back: reading files, splitting into characters or words, vocabularies."""

import collections
import dataclasses
import functools
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, MissingFileError

PAD, UNKNOWN, BEGIN, END = SPECIALS = ("<pad>", "<unk>", "<bos>", "<eos>")  # ids 0, 1, 2, 3
SUFFIXES = (".txt", ".text", ".md", ".rst", ".tex", ".py", ".csv", ".tsv")
LONGEST_PATH = 255  # characters


def read_text(path: str | Path) -> str:
    r"""Reads a UTF-8 file, or the text files (`SUFFIXES`) of a folder, recursively and in sorted order.

    Line ends become "\n", and a byte order mark is dropped. Files of a folder are joined with at least one line end.

    Raises:
        MissingFileError: if `path` does not exist.
        InputError: if a file is binary or not UTF-8 (file and line are named), the text is blank, or a folder has no
            text files.
    """
    texts = list(read_texts(path).values())
    return "".join(t if t.endswith("\n") else t + "\n" for t in texts[:-1]) + texts[-1]


def read_texts(path: str | Path) -> dict[str, str]:
    """Reads the same text, keyed by file in the same order, for messages that name file and line."""
    path = Path(path)
    if not path.exists():
        raise MissingFileError(f"Expected a text file or folder. There is nothing at {path}.")
    files = _text_files(path) if path.is_dir() else [path]
    texts = {str(file): decode(file.read_bytes(), str(file)) for file in files}
    if not any(text.strip() for text in texts.values()):
        raise InputError(f"Expected text. {path} is empty or blank.")
    return texts


def first_unknown(texts: Mapping[str, str], known: Container[str]) -> tuple[str, str] | None:
    """Returns the first unknown character in texts keyed by file, with its file and line; None if all are known."""
    for name, text in texts.items():
        for number, line in enumerate(text.split("\n"), 1):
            for character in line:
                if character not in known:
                    return character, f"{name}, line {number}"
    return None


def names_file(argument: str, suffixes: Sequence[str] = SUFFIXES) -> bool:
    """Returns whether a command's argument, which may be a text or the path of a file, is a path.

    A single word ending in one of `suffixes` is a path even if no such file exists, so that `read_text` reports it
    instead of the name being used as the text. Text that is too long for a path or contains NUL would raise an OSError.
    """
    if not argument or len(argument) > LONGEST_PATH or "\0" in argument:
        return False
    looks = Path(argument).suffix.lower() in suffixes and len(argument.split()) == 1
    return looks or Path(argument).is_file()


def decode(raw: bytes, name: str) -> str:
    r"""Decodes UTF-8 bytes to text with "\n" line ends; raises an InputError that names the file `name`."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"Expected UTF-8 text. {name} is UTF-16: convert it with iconv -f utf-16 -t utf-8.")
    if b"\0" in raw:
        raise InputError(f"Expected UTF-8 text. {name} is binary: byte {raw.index(0)} is NUL.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.object` lacks the byte order mark, which the codec has already removed.
        line = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        raise InputError(
            f"Expected UTF-8 text. {name}, line {line}: byte 0x{byte:02x} is not part of a character. "
            "If it is Latin-1, convert it with iconv -f latin1 -t utf-8."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def characters(text: str) -> list[str]:
    """Returns the characters (Unicode code points) of the text."""
    return list(text)


def words(text: str) -> list[str]:
    """Splits text into whitespace-separated words, with `<eos>` for each line end, as for the Penn Treebank."""
    lines = text.split("\n")
    return [word for line in lines[:-1] for word in (*line.split(), END)] + lines[-1].split()


def join_words(tokens: Iterable[str]) -> str:
    r"""Joins words to text, with spaces between words and "\n" for `<eos>`; `words` is the inverse."""
    return "\n".join(" ".join(line) for line in _lines(tokens))


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Tokens in order of their ids; the first four are `<pad> <unk> <bos> <eos>`.

    Raises InputError if they are not, or if a token is duplicated.

    >>> vocabulary = Vocabulary.fit("to be or not to be".split())
    >>> vocabulary.encode(["not", "to", "see"]).tolist()
    [6, 5, 1]
    >>> vocabulary.decode([6, 5, 1])
    ['not', 'to', '<unk>']
    """

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        if any(not isinstance(token, str) for token in self.tokens):
            raise InputError("Expected a vocabulary of strings.")
        if self.tokens[: len(SPECIALS)] != SPECIALS:
            raise InputError(f"Expected a vocabulary beginning {SPECIALS}. Received: {self.tokens[:4]}")
        if len(self.index) != len(self.tokens):
            twice = next(t for t, count in collections.Counter(self.tokens).items() if count > 1)
            raise InputError(f"Expected each token once in the vocabulary. {twice!r} occurs twice.")

    @classmethod
    def fit(cls, tokens: Iterable[str], max_size: int | None = None, min_count: int = 1) -> "Vocabulary":
        """Builds a vocabulary of the most frequent tokens, sorted by descending count, then by token.

        Args:
            tokens: those of the training data only; special tokens among them keep their ids.
            max_size: maximum size, including the four special tokens. None: no limit.
            min_count: rarer tokens are omitted.
        """
        if max_size is not None and max_size < len(SPECIALS):
            raise InputError(f"Expected a vocabulary of at least {len(SPECIALS)}. Received: {max_size}")
        counts = collections.Counter(tokens)
        found = [token for token, count in counts.items() if count >= min_count and token not in SPECIALS]
        found.sort(key=lambda token: (-counts[token], token))
        return cls((*SPECIALS, *found)[:max_size])

    @functools.cached_property
    def index(self) -> dict[str, int]:
        """Maps each token to its id."""
        return {token: i for i, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Returns ids (time,) int32; `<unk>` for tokens not in the vocabulary."""
        unknown = SPECIALS.index(UNKNOWN)
        return np.fromiter((self.index.get(token, unknown) for token in tokens), dtype=np.int32)

    def decode(self, ids: Sequence[int] | np.ndarray) -> list[str]:
        """Returns the tokens of ids (time,). Raises InputError for an id that is not in the vocabulary."""
        ids = np.asarray(ids, dtype=np.int64)
        wrong = ids[(ids < 0) | (ids >= len(self.tokens))]
        if wrong.size:
            raise InputError(f"Expected ids from 0 to {len(self.tokens) - 1}. Received: {wrong[0]}")
        return [self.tokens[i] for i in ids.tolist()]

    def to_json(self) -> str:
        """Returns the tokens as a JSON list."""
        return json.dumps(self.tokens)

    @classmethod
    def from_json(cls, text: str) -> "Vocabulary":
        """Reads the output of `to_json`. Raises InputError if it is invalid."""
        try:
            tokens: Any = json.loads(text)
        except ValueError as error:
            raise InputError(f"Expected a vocabulary as a JSON list: {error}.") from error
        if not isinstance(tokens, list):
            raise InputError(f"Expected a vocabulary as a JSON list. Received: a {type(tokens).__name__}")
        return cls(tuple(tokens))


def _text_files(folder: Path) -> list[Path]:
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not files:
        raise InputError(f"Expected text files ({' '.join(SUFFIXES)}) in {folder}. There are none.")
    return files


def _lines(tokens: Iterable[str]) -> list[list[str]]:
    lines: list[list[str]] = [[]]
    for token in tokens:
        if token == END:
            lines.append([])
        else:
            lines[-1].append(token)
    return lines
