"""Atomic file writing: a process killed at any moment leaves either the old or the new file."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared import InputError

LONGEST_STEM = 48  # characters of up to four bytes; a name has at most 255 bytes


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`; what is written there becomes `path` at the end or is removed.

    A link stays: the file that it leads to is replaced. What is no file (a pipe, a device) is written to directly.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    target = Path(os.path.realpath(path))
    temporary = _beside(target)
    try:
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        if str(error.filename) == str(temporary):
            error.filename = str(path)  # nobody has heard of the temporary name
        raise


def check_output(
    path: str | Path, option: str, kind: str = "a file", apart_from: Mapping[str, str] | None = None
) -> None:
    """Refuses what cannot be written; to be called before the work whose result goes there.

    Args:
        option: that gave the path, such as --out.
        kind: what is written there, such as "a CSV file".
        apart_from: files that are read and must stay, by what they hold: {"the series": options.series}.

    Raises:
        InputError: it is a folder, lies in none, cannot be written to, or is one of the files that are read.
    """
    expected = f"{option}: expected the path of {kind} in a folder that exists"
    given = Path(path)
    if str(path).endswith("/") or os.path.isdir(given):
        raise InputError(f"{expected}; received the folder {path}")
    if not os.path.isdir(os.path.dirname(os.path.realpath(given))):
        raise InputError(f"{expected}; received {path}")
    for what, other in (apart_from or {}).items():
        if os.path.exists(given) and os.path.exists(other) and given.samefile(other):
            raise InputError(f"{option}: expected another file than that of {what}; received {path}")
    try:
        if given.exists() and not given.is_file():
            writable = os.access(given, os.W_OK)
        else:  # tried, since rights do not tell: nobody can make a file in /proc, and a file system may be read-only
            temporary = _beside(Path(os.path.realpath(given)))
            temporary.touch()
            temporary.unlink()
            writable = True
    except OSError as error:
        raise InputError(f"{option}: cannot write {path}: {error.strerror}") from error
    if not writable:
        raise InputError(f"{option}: cannot write {path}: it is not writable")


def _beside(path: Path) -> Path:
    """A hidden name in the same folder with the same suffix; a long one is cut, as it would get too long."""
    return path.with_name(f".{path.stem[:LONGEST_STEM]}.tmp{path.suffix}")


def write_bytes(path: Path, content: bytes) -> None:
    """Writes the file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Writes the text as UTF-8, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes the value as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n")
