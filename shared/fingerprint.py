"""Hashes of the content of data and of files, by which a run detects that its data has changed."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any


def fingerprint(*parts: Any) -> str:
    """A hash of the content of data: nests of texts, bytes, numbers, None, arrays, dataclasses; 16 hex digits."""
    digest = hashlib.sha256()
    _feed(digest, parts)
    return digest.hexdigest()[:16]


def of_files(path: Path) -> str:
    """A hash of the content of a file, or of all files in a folder and below it with their names there.

    Hidden ones are left out, since file managers leave some behind. Far quicker than reading them as data: nothing is
    parsed.
    """
    digests = []
    for file in files_of(path):
        with file.open("rb") as opened:
            digests.append((file.relative_to(path).as_posix(), hashlib.file_digest(opened, "sha256").hexdigest()))
    return fingerprint(digests)


def files_of(path: Path) -> list[Path]:
    """The file itself, or all files in a folder and below it, sorted; links to nothing are left out."""
    found = (file for file in path.rglob("*") if not any(part.startswith(".") for part in file.relative_to(path).parts))
    return sorted(file for file in (found if path.is_dir() else [path]) if file.is_file())


def _feed(digest: Any, value: Any) -> None:
    """Adds a value with its kind and size, so that no two nests feed the same bytes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list | tuple):
        digest.update(f"list {len(value)} ".encode())
        for each in value:
            _feed(digest, each)
        return
    import numpy as np  # here, since every --help imports this module

    array = None if isinstance(value, str | bytes | int | float | None) else np.ascontiguousarray(value)
    if array is not None and array.dtype.kind not in "OV":
        head, content = f"array {array.dtype.str} {array.shape} ", array.tobytes()
    elif isinstance(value, str | bytes):
        content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        head = f"{type(value).__name__} {len(content)} "
    else:
        head, content = f"{type(value).__name__} ", repr(value).encode()
    digest.update(head.encode() + content)
