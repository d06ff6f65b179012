"""Content hashes of data and files, with which a run detects that its data has changed."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any


def fingerprint(*parts: Any) -> str:
    """Returns a content hash, 16 hex digits, of nested strings, bytes, numbers, None, arrays and dataclasses."""
    digest = hashlib.sha256()
    _feed(digest, parts)
    return digest.hexdigest()[:16]


def of_files(path: Path) -> str:
    """Returns a content hash of a file, or of all files in a folder, recursively, with their relative paths.

    Hidden files are ignored, since file managers create some. Much faster than loading the data: nothing is parsed.
    """
    digests = []
    for file in files_of(path):
        with file.open("rb") as opened:
            digests.append((file.relative_to(path).as_posix(), hashlib.file_digest(opened, "sha256").hexdigest()))
    return fingerprint(digests)


def files_of(path: Path) -> list[Path]:
    """Returns the file itself, or all nonhidden files in a folder, recursively and sorted, without broken links."""
    found = (file for file in path.rglob("*") if not any(part.startswith(".") for part in file.relative_to(path).parts))
    return sorted(file for file in (found if path.is_dir() else [path]) if file.is_file())


def _feed(digest: Any, value: Any) -> None:
    """Adds a value with its type and size, so that no two structures feed the same bytes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list | tuple):
        digest.update(f"list {len(value)} ".encode())
        for each in value:
            _feed(digest, each)
        return
    import numpy as np  # imported here, since every --help imports this module

    array = None if isinstance(value, str | bytes | int | float | None) else np.ascontiguousarray(value)
    if array is not None and array.dtype.kind not in "OV":
        head, content = f"array {array.dtype.str} {array.shape} ", array.tobytes()
    elif isinstance(value, str | bytes):
        content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        head = f"{type(value).__name__} {len(content)} "
    else:
        head, content = f"{type(value).__name__} ", repr(value).encode()
    digest.update(head.encode() + content)
