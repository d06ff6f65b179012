"""Locks between processes: a second training process on a run is refused; writers of a shared file wait.

Windows lacks such locks: there the user must not use one run or file in two processes at once.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from shared import InputError

_held: dict[tuple[int, int], int] = {}  # folder being trained by this process: (device, inode) -> open file


def hold(folder: Path) -> None:
    """Locks the folder until this process locks another one or ends, however it ends.

    The lock is on the folder itself; no file is written. Locking it again in the same process has no effect.

    Raises:
        InputError: if another process holds the lock.
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
    """Waits until no other thread or process is in such a block; `path` is a dedicated lock file, which is kept."""
    with path.open("a") as file:
        try:
            import fcntl
        except ImportError:
            pass
        else:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        yield
