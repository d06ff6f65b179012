"""Memory that the C library keeps instead of giving it back after every step."""

import ctypes
import functools
import platform
from typing import Any

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of mallopt(3)
GIB = 1 << 30


def keep() -> bool:
    """Lets the process reuse large blocks of memory; True if the C library took the advice.

    A training step allocates hundreds of megabytes for activations. glibc maps each large block anew and unmaps it
    when it is freed, so the kernel zeroes the same pages at every step; measured, that is up to 40 % of a forward
    pass. After this call freed blocks stay with the process. Peak memory is the same, and is held to the end.

    TensorFlow 2.21 on Python 3.11 takes it back once, when it reads from a Python generator for the first time
    (`ApplyPython311MemoryPatch`), as `model.fit` does with a `PyDataset`; so `shared.fit` calls this at every step.
    """
    mallopt = _mallopt()
    return mallopt is not None and bool(mallopt(MMAP_THRESHOLD, GIB) and mallopt(TRIM_THRESHOLD, 2 * GIB - 1))


@functools.cache
def _mallopt() -> Any:
    """glibc's mallopt(3); None where another C library serves."""
    return ctypes.CDLL(None).mallopt if platform.libc_ver()[0] == "glibc" else None
