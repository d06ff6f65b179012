"""Reads recordings block by block, in any format, sample rate, bit depth and channel count that soundfile supports."""

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".aiff", ".mp3")
BLOCK = 16_384  # samples read per block
CLIPPED = 0.999  # of full scale; samples from this level on count as clipped
CLIPPED_SHARE = 1e-3  # share of clipped samples above which a warning is printed
SILENT = 1e-4  # of full scale: -80 dB
UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # sizes in a WAV header that was written to a pipe
OGG_PAGE, OGG_END = b"OggS", 4  # capture pattern of a page; flag of the last page
OGG_TAIL = 1 << 17


def blocks(path: Path, rate: int) -> Iterator[np.ndarray]:
    """Yields mono samples (n,) float32 in [-1, 1], resampled to `rate` Hz; memory use is independent of the length.

    Prints a warning on stderr if samples are clipped.

    Raises:
        MissingFileError: the file does not exist.
        InputError: the file is not a recording, or is empty, silent or truncated, or has samples that are not finite.
    """
    import soundfile

    if not os.path.isfile(path):  # unlike Path.is_file, no error for a name that is too long
        raise MissingFileError(f"{path}: expected a recording; there is no such file")
    try:
        with soundfile.SoundFile(path) as file:
            yield from _checked(path, file, rate)
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).rstrip(". ")
        raise InputError(
            f"{path}: expected a recording such as WAV, FLAC or OGG; it cannot be read ({reason})"
        ) from error


def read(path: Path, rate: int) -> np.ndarray:
    """Reads a whole recording; see `blocks`."""
    return np.concatenate(list(blocks(path, rate)))


def _checked(path: Path, file, rate: int) -> Iterator[np.ndarray]:
    count, clipped, loudest, heard = 0, 0, 0.0, 0.0
    resample = Resampler(file.samplerate, rate)
    if _truncated(path):
        raise InputError(f"{path}: expected a whole recording; its end is missing")
    while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
        if not np.isfinite(block).all():
            first = count + int(np.argmin(np.isfinite(block).all(axis=1)))
            raise InputError(f"{path}: expected samples that are numbers; sample {first:,} is not")
        count += len(block)
        clipped += int((np.abs(block) >= CLIPPED).any(axis=1).sum())
        mixed = block.mean(axis=1)
        loudest, heard = max(loudest, float(np.abs(block).max())), max(heard, float(np.abs(mixed).max()))
        yield resample(mixed)
    yield resample(np.zeros(0, np.float32), last=True)
    if count < file.frames:
        raise InputError(f"{path}: expected {file.frames:,} samples; there are {count:,}, its end is missing")
    if not count:
        raise InputError(f"{path}: expected a recording; it is empty")
    if loudest < SILENT:
        raise InputError(f"{path}: expected speech; it is silent")
    if heard < SILENT:
        raise InputError(f"{path}: expected speech; its channels cancel each other. Give one of them")
    if clipped > CLIPPED_SHARE * count:
        print(f"{path}: {clipped / count:.1%} of the samples are clipped; expect errors", file=sys.stderr)


class Resampler:
    """Resamples audio from one sample rate to another, block by block."""

    def __init__(self, rate: int, wanted: int) -> None:
        import soxr

        self.stream = None if rate == wanted else soxr.ResampleStream(rate, wanted, 1, dtype="float32")

    def __call__(self, samples: np.ndarray, last: bool = False) -> np.ndarray:
        """Returns the resampled samples (n,) available so far; with `last`, also the remaining ones."""
        samples = samples.astype(np.float32)
        return samples if self.stream is None else self.stream.resample_chunk(samples, last=last)


def _truncated(path: Path) -> bool:
    """Returns whether a WAV, AIFF or OGG file is cut short, which the library would read without an error."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            said = struct.unpack("<I", head[4:8])[0]
            return said not in UNKNOWN_SIZES and said + 8 > size + 1
        if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
            return struct.unpack(">I", head[4:8])[0] + 8 > size + 1
        if head[:4] == OGG_PAGE:
            file.seek(max(0, size - OGG_TAIL))
            tail = file.read()
            at = tail.rfind(OGG_PAGE)
            return at >= 0 and not tail[at + 5] & OGG_END
    return False


def find(names: tuple[str, ...]) -> list[Path]:
    """Returns the recordings among the given files and folders; those in a folder are sorted by path.

    Raises:
        InputError: a name is neither a file nor a folder, or a folder contains no recordings.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            if not inside:
                raise InputError(f"{name}: expected recordings ({', '.join(SUFFIXES)}); the folder has none")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise MissingFileError(f"{name}: expected a recording or a folder of them; there is none")
    return found
