"""Atomic file writing: a process killed at any moment leaves either the old or the new file."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shared import InputError

PICTURES = (".png", ".svg", ".pdf")
LONGEST_STEM = 48  # characters, of up to four bytes each; a file name has at most 255 bytes


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path next to `path`; the file written there replaces `path` on success, else it is removed.

    A symlink is kept and its target replaced. If `path` is not a regular file (a pipe, a device), it is yielded itself.
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
            error.filename = str(path)  # the user does not know the temporary name
        raise


def check_output(
    path: str | Path, option: str, kind: str = "a file", apart_from: Mapping[str, str] | None = None
) -> None:
    """Checks that an output path can be written. Call it before the work whose result goes there.

    Args:
        path: the output path.
        option: the option that gave the path, such as --out.
        kind: what is written there, such as "a CSV file".
        apart_from: input files and folders that must stay as they are, keyed by description: {"the series":
            options.series}.

    Raises:
        InputError: if it is a folder, its folder does not exist, it is not writable, or it is one of the input files or
            inside an input folder, all of whose files are read.
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
        if os.path.isdir(other) and Path(os.path.realpath(other)) in Path(os.path.realpath(given)).parents:
            raise InputError(f"{option}: expected a file outside the folder of {what}; received {path}")
    try:
        if given.exists() and not given.is_file():
            writable = os.access(given, os.W_OK)
        else:  # create a file, since permissions do not tell: /proc takes no files, a file system may be read-only
            temporary = _beside(Path(os.path.realpath(given)))
            temporary.touch()
            temporary.unlink()
            writable = True
    except OSError as error:
        raise InputError(f"{option}: cannot write {path}: {error.strerror}") from error
    if not writable:
        raise InputError(f"{option}: cannot write {path}: it is not writable")


def check_picture(path: str | Path, option: str, endings: Sequence[str] = PICTURES) -> None:
    """Checks that a picture can be written to a path. Call it before the work whose result is drawn.

    Raises:
        InputError: the path has another ending than `endings`, or `check_output` raises it.
    """
    if Path(path).suffix.lower() not in endings:
        raise InputError(f"{option}: expected a file ending in {', '.join(endings)}. Received: {path}")
    check_output(path, option, "a picture")


def _beside(path: Path) -> Path:
    """Returns a hidden path in the same folder with the same suffix; a long stem is cut to keep the name valid."""
    return path.with_name(f".{path.stem[:LONGEST_STEM]}.tmp{path.suffix}")


def write_bytes(path: Path, content: bytes) -> None:
    """Writes the file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Writes the text as UTF-8, atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes the value as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n")
