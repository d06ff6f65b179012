"""The MNIST digits of Moving MNIST, from their idx files."""

import struct

import numpy as np

from shared import InputError
from shared.data.catalogue import CATALOGUE
from shared.data.fetch import fetch, find

MAGIC = 2051  # of a file of images
# The first 20,000 of the training file are used, whether the whole file is there or only these.
USED = 20_000
PARTS = {"train": slice(0, 19_000), "valid": slice(19_000, USED), "test": slice(None)}


def digits(part: str) -> np.ndarray:
    """(digits, 28, 28) uint8; those of test are the official test digits, which are never in another part."""
    whole, first, test = CATALOGUE["mnist"]
    if part == "test":
        return images(fetch(test), test.name)
    resource = first if find(first) and not find(whole) else whole
    return images(fetch(resource), resource.name)[:USED][PARTS[part]]


def images(content: bytes, name: str) -> np.ndarray:
    """The images of an idx file: a big-endian header of magic number, count, rows, columns; then a byte a pixel."""
    if len(content) < 16 or struct.unpack(">I", content[:4])[0] != MAGIC:
        raise InputError(f"{name}: expected an idx file of images, which begins with {MAGIC}")
    count, rows, columns = struct.unpack(">III", content[4:16])
    if len(content) != 16 + count * rows * columns:
        raise InputError(f"{name}: expected {count} images of {rows} x {columns}; received {len(content) - 16} bytes")
    return np.frombuffer(content, np.uint8, offset=16).reshape(count, rows, columns)
