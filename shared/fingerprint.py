"""A hash of the content of data, by which a run detects that its data has changed."""

import dataclasses
import hashlib
from typing import Any


def fingerprint(*parts: Any) -> str:
    """A hash of the content of data: nests of texts, bytes, numbers, None, arrays, dataclasses; 16 hex digits."""
    digest = hashlib.sha256()
    _feed(digest, parts)
    return digest.hexdigest()[:16]


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
