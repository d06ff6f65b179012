"""Reads a small file of the user's own before a backend starts, so that what is wrong with it is said at once."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

SMALL = 20_000_000  # bytes; to read a larger file twice would take longer than a backend takes to start


def read_early(path: str, reader: Callable[[], object]) -> None:
    """Calls `reader` if `path` is a small file. Prints nothing, since the training will read the file again.

    Args:
        path: what --data names, perhaps no file. reader: reads it; raises InputError if it cannot be used.
    """
    file = Path(path)
    if file.is_file() and file.stat().st_size <= SMALL:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            reader()
