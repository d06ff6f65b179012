"""Recordings to samples: any format, rate, width and number of channels that soundfile knows, block by block."""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".aiff", ".mp3")
BLOCK = 16_384  # samples read at a time
CLIPPED = 0.999  # of full scale
CLIPPED_SHARE = 1e-3  # of the samples, from which on a recording is flagged
SILENT = 1e-4  # of full scale: -80 dB
UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # what a WAV header says of a recording that was written to a pipe
OGG_PAGE, OGG_END = b"OggS", 4  # the capture pattern of a page, and the flag of the last one
OGG_TAIL = 1 << 17


def blocks(path: Path, rate: int) -> Iterator[np.ndarray]:
    """The samples (n,) float32 of one channel, from -1 to 1, at `rate` Hz; memory does not grow with the recording.

    A recording with clipped samples is flagged on stderr.

    Raises:
        MissingFileError: there is no such file.
        InputError: it is no recording, is empty, silent or truncated, or holds what is not a number.
    """
    import soundfile

    if not path.is_file():
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
    """The whole recording, see `blocks`."""
    return np.concatenate(list(blocks(path, rate)))


def _checked(path: Path, file, rate: int) -> Iterator[np.ndarray]:
    count, clipped, loudest = 0, 0, 0.0
    resample = Resampler(file.samplerate, rate)
    if _truncated(path):
        raise InputError(f"{path}: expected a whole recording; its end is missing")
    while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
        if not np.isfinite(block).all():
            raise InputError(f"{path}: expected samples that are numbers; there are others from sample {count:,} on")
        count += len(block)
        clipped += int((np.abs(block) >= CLIPPED).any(axis=1).sum())
        loudest = max(loudest, float(np.abs(block).max()))
        yield resample(block.mean(axis=1))
    yield resample(np.zeros(0, np.float32), last=True)
    if count < file.frames:
        raise InputError(f"{path}: expected {file.frames:,} samples; there are {count:,}, its end is missing")
    if not count:
        raise InputError(f"{path}: expected a recording; it is empty")
    if loudest < SILENT:
        raise InputError(f"{path}: expected speech; it is silent")
    if clipped > CLIPPED_SHARE * count:
        print(f"{path}: {clipped / count:.1%} of the samples are clipped; expect errors", file=sys.stderr)


class Resampler:
    """Samples at one rate to samples at another, block by block."""

    def __init__(self, rate: int, wanted: int) -> None:
        import soxr

        self.stream = None if rate == wanted else soxr.ResampleStream(rate, wanted, 1, dtype="float32")

    def __call__(self, samples: np.ndarray, last: bool = False) -> np.ndarray:
        """What is known of the samples (n,) at the other rate by now; all of it after the `last` block."""
        samples = samples.astype(np.float32)
        return samples if self.stream is None else self.stream.resample_chunk(samples, last=last)


def _truncated(path: Path) -> bool:
    """Whether a WAV or OGG file ends before its header or pages say; the library reads such a file without a word."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            said = struct.unpack("<I", head[4:8])[0]
            return said not in UNKNOWN_SIZES and said + 8 > size + 1
        if head[:4] == OGG_PAGE:
            file.seek(max(0, size - OGG_TAIL))
            tail = file.read()
            at = tail.rfind(OGG_PAGE)
            return at >= 0 and not tail[at + 5] & OGG_END
    return False


def find(names: tuple[str, ...]) -> list[Path]:
    """The recordings that files and folders hold, those of a folder by name.

    Raises:
        InputError: a name that is neither, or a folder without a recording.
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
