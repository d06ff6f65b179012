"""The MNIST digits of Moving MNIST, from their idx files."""

import struct

import numpy as np

from shared import InputError
from shared.data.catalogue import CATALOGUE
from shared.data.fetch import fetch, find

MAGIC = 2051  # magic number of an image file
# The first 20,000 of the training file are used, whether the file is complete or has only these.
USED = 20_000
PARTS = {"train": slice(0, 19_000), "valid": slice(19_000, USED), "test": slice(None)}


def digits(part: str) -> np.ndarray:
    """Returns (digits, 28, 28) uint8; the test digits are the official ones, which are in no other split."""
    whole, first, test = CATALOGUE["mnist"]
    if part == "test":
        return images(fetch(test), test.name)
    resource = first if find(first) and not find(whole) else whole
    return images(fetch(resource), resource.name)[:USED][PARTS[part]]


def images(content: bytes, name: str) -> np.ndarray:
    """Parses an idx file of images: big-endian magic number, count, rows, columns; then one byte per pixel."""
    if len(content) < 16 or struct.unpack(">I", content[:4])[0] != MAGIC:
        raise InputError(f"{name}: expected an idx file of images, which begins with {MAGIC}")
    count, rows, columns = struct.unpack(">III", content[4:16])
    if len(content) != 16 + count * rows * columns:
        raise InputError(f"{name}: expected {count} images of {rows} x {columns}; received {len(content) - 16} bytes")
    return np.frombuffer(content, np.uint8, offset=16).reshape(count, rows, columns)
