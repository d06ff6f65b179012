"""A lock on the run folder: a second training process is refused at once, the first one is not disturbed."""

import os
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
    except ImportError:  # Windows has no such locks: there two trainings of one run are left to the user to avoid
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
