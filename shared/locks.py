"""Locks between processes: a second training of a run is refused at once; who changes a shared file waits.

Windows has no such locks: there two processes on one run or one file are left to the user to avoid.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from shared import InputError

_held: dict[tuple[int, int], int] = {}  # the folder that this process trains in: device and inode -> open file


def hold(folder: Path) -> None:
    """Keeps the folder for this process until it holds another one or ends, however it ends.

    The lock is on the folder itself, no file is written. In the same process it may be held again.

    Raises:
        InputError: another process holds it.
    """
    try:
        import fcntl
    except ImportError:
        return
    status = os.stat(folder)
    key = (status.st_dev, status.st_ino)
    if key in _held:
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise InputError(
            f"{folder} is being trained by another process. Wait until it ends, or choose another --run."
        ) from None
    while _held:
        os.close(_held.popitem()[1])
    _held[key] = file


@contextlib.contextmanager
def waited(path: Path) -> Iterator[None]:
    """Waits until no other thread or process is in such a block; `path` is an empty file of its own, which stays."""
    with path.open("a") as file:
        try:
            import fcntl
        except ImportError:
            pass
        else:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        yield
