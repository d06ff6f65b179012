"""Reads frames of video files and image folders one at a time, so that a video is never in memory as a whole."""

import dataclasses
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from PIL import Image, UnidentifiedImageError

from shared import InputError, MissingFileError

from . import ffmpeg

VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".gif")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
FPS = 10.0  # default frame rate where none is stored, such as in a folder of pictures
GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
COMPLETE = 0.9  # a file with less than this share of the frames it announces is damaged


@dataclasses.dataclass(frozen=True)
class Clip:
    """A video file or a folder of pictures."""

    path: Path

    @property
    def name(self) -> str:
        """The name used in messages and pictures."""
        return self.path.name

    def fps(self) -> float:
        """Returns the frame rate in frames per second."""
        if self.path.is_dir():
            return FPS
        if self.path.suffix.lower() == ".gif":
            wait = _opened(self.path, lambda: iio.immeta(self.path, plugin="pillow").get("duration", 0))
            return 1000 / wait if wait else FPS
        return _opened(self.path, lambda: ffmpeg.rate(self.path)[0]) or FPS

    def frames(self, channels: int, side: int = 0) -> Iterator[np.ndarray]:
        """Yields frames (rows, columns, channels) uint8, with the shorter side scaled to `side` pixels; 0 = unscaled.

        Raises:
            InputError: the clip cannot be read, is empty, or has frames of different sizes.
        """
        if self.path.is_dir():
            yield from _pictures(self.path, channels, side)
        else:
            moving = _gif(self.path) if self.path.suffix.lower() == ".gif" else _video(self.path)
            for image in moving:
                yield scaled(as_frame(image, channels, str(self.path)), side)


def find(name: str) -> list[Clip]:
    """Returns the clips at a path: a video, a folder of videos, a folder of pictures, or a folder of such folders.

    Raises:
        InputError: there is nothing at the path, or nothing readable.
    """
    path = Path(name)
    if path.is_dir():
        inside = natural(path.iterdir())
        videos = [each for each in inside if each.suffix.lower() in VIDEOS]
        pictures = [each for each in inside if each.suffix.lower() in PICTURES]
        if videos and pictures:
            raise InputError(f"{path}: expected videos or the frames of one video; received both")
        folders = [each for each in inside if each.is_dir() and _has_pictures(each)]
        found = [path] if pictures else [*videos, *folders]
        if not found:
            raise InputError(f"{path}: expected videos ({' '.join(VIDEOS)}) or frames ({' '.join(PICTURES)}); none")
        return [Clip(each) for each in found]
    if not path.exists():
        raise MissingFileError(f"{path}: expected a video file or a folder of frames; there is none")
    if path.suffix.lower() not in VIDEOS:
        raise InputError(f"{path}: expected a video ({' '.join(VIDEOS)}) or a folder of frames")
    return [Clip(path)]


def natural(paths: Any) -> list[Path]:
    """Sorts paths by name, in natural order: frame 2 before frame 10."""
    return sorted(paths, key=lambda path: [(int(part), "") if part.isdecimal() else (-1, part.casefold())
                                           for part in re.split(r"(\d+)", path.name)])  # fmt: skip


def pictures(folder: Path) -> list[Path]:
    """Returns the pictures in a folder, in natural order."""
    return natural(each for each in folder.iterdir() if each.suffix.lower() in PICTURES)


def picture(path: Path, channels: int) -> np.ndarray:
    """Reads a picture as a frame. Raises InputError if it cannot be read."""
    return as_frame(_opened(path, lambda: iio.imread(path, plugin="pillow")), channels, str(path))


def as_frame(image: np.ndarray, channels: int, where: str) -> np.ndarray:
    """Converts any image to (rows, columns, channels) uint8; transparent pixels become black.

    Raises:
        InputError: the pixels are not integers of 1, 8 or 16 bits.
    """
    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    elif image.dtype in (np.uint16, np.int32):  # Pillow loads some 16-bit pictures as int32
        image = np.clip(image // 257, 0, 255).astype(np.uint8)
    if image.dtype != np.uint8:
        raise InputError(f"{where}: expected pixels of 1, 8 or 16 bits; received {image.dtype}")
    image = image[..., None] if image.ndim == 2 else image
    if image.shape[-1] in (2, 4):
        image = np.round(image[..., :-1] * (image[..., -1:] / 255)).astype(np.uint8)
    if image.shape[-1] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=-1)
    return np.round(image @ GREY).astype(np.uint8)[..., None]


def scaled(frame: np.ndarray, side: int) -> np.ndarray:
    """Scales a frame to a shorter side of `side` pixels; 0 leaves it unchanged."""
    rows, columns, channels = frame.shape
    shorter = min(rows, columns)
    if not side or shorter == side:
        return frame
    shape = [max(side, round(each * side / shorter)) for each in (columns, rows)]
    image = Image.fromarray(frame[..., 0] if channels == 1 else frame)
    found = np.asarray(image.resize((shape[0], shape[1]), Image.Resampling.BILINEAR))
    return found[..., None] if channels == 1 else found


def _pictures(folder: Path, channels: int, side: int) -> Iterator[np.ndarray]:
    size = None
    for path in pictures(folder):
        frame = picture(path, channels)
        size = size or frame.shape
        if frame.shape != size:
            raise InputError(
                f"{path}: expected {size[0]} x {size[1]} pixels, as the first frame of the folder has; "
                f"received {frame.shape[0]} x {frame.shape[1]}"
            )
        yield scaled(frame, side)


def _gif(path: Path) -> Iterator[np.ndarray]:
    found = _opened(path, lambda: iio.imopen(path, "r", plugin="pillow"))
    with found:
        yield from _readable(path, found.iter())


def _video(path: Path) -> Iterator[np.ndarray]:
    fps, seconds = _opened(path, lambda: ffmpeg.rate(path))
    yield from _readable(path, ffmpeg.frames(path), COMPLETE * fps * seconds - 1)


def _readable(path: Path, found: Iterator[np.ndarray], least: float = 0) -> Iterator[np.ndarray]:
    """Yields frames until the first one that cannot be read; reports on stderr if the file is damaged.

    Args:
        least: minimum number of frames of an undamaged file.
    """
    read, said = 0, ""
    try:
        for frame in found:
            read += 1
            yield frame
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        if not read:
            raise _unreadable(path, error) from error
        said = f" ({error})"
    if not read:
        raise InputError(f"{path}: expected a video; no frame of it can be read")
    if said or read < least:
        print(f"{path} is damaged: only its first {read} frames can be read{said}", file=sys.stderr, flush=True)


def _opened(path: Path, read: Any) -> Any:
    try:
        if not path.stat().st_size:
            raise InputError(f"{path}: expected a picture or a video; the file is empty")
        return read()
    except InputError:
        raise
    except (OSError, ValueError, EOFError, SyntaxError, UnidentifiedImageError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: BaseException) -> InputError:
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    return InputError(f"{path}: expected a picture or a video; it cannot be read ({said[-1][-200:] if said else ''})")


def _has_pictures(folder: Path) -> bool:
    return any(each.suffix.lower() in PICTURES for each in folder.iterdir())
