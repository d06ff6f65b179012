"""Makes the C library keep freed memory instead of returning it to the system after every step."""

import ctypes
import functools
import platform
from typing import Any

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # parameters of mallopt(3)
GIB = 1 << 30


def keep() -> bool:
    """Lets the process reuse large memory blocks; returns whether the C library accepted the setting.

    A training step allocates hundreds of megabytes for activations. By default glibc maps every large block anew and
    unmaps it when it is freed, so the kernel zeroes the same pages at every step: up to 40 % of a forward pass, as
    measured. After this call, freed blocks stay with the process. Peak memory is the same, and is held until the end.

    TensorFlow 2.21 on Python 3.11 reverts this once, when it first reads from a Python generator
    (`ApplyPython311MemoryPatch`), as `model.fit` does with a `PyDataset`; so `shared.fit` calls this at every step.
    """
    mallopt = _mallopt()
    return mallopt is not None and bool(mallopt(MMAP_THRESHOLD, GIB) and mallopt(TRIM_THRESHOLD, 2 * GIB - 1))


@functools.cache
def _mallopt() -> Any:
    """Returns glibc's mallopt(3); None with any other C library."""
    return ctypes.CDLL(None).mallopt if platform.libc_ver()[0] == "glibc" else None
