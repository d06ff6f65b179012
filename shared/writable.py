"""Files that a command is told to write, refused before any work if they cannot be."""

import os
import tempfile
from pathlib import Path

from shared import InputError


def check(option: str, given: str) -> None:
    """InputError if no file can be written at the path that an option gives; folders above it may still be missing."""
    path = Path(given)
    if given.endswith(os.sep) or path.is_dir():
        raise InputError(f"{option}: expected the path of a file; {given} is a folder")
    folder = next(above for above in path.absolute().parents if above.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{option}: {folder} takes no files ({error.strerror}); received {given}") from None
