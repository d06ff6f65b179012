"""Renders input, prediction, truth and error side by side, as mp4, GIF and PNG."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image, ImageDraw

from shared.files import replacing

from . import ffmpeg

TITLES = ("input", "prediction", "truth", "error")
HEAD, GAP = 16, 4  # pixels above and between panels
SMALLEST, LARGEST = 128, 960  # smaller panels are enlarged to about these rows, wider ones reduced to these columns
NOTHING = 48  # grey level of an empty panel
LONGEST_GIF = 300  # maximum number of frames, since a GIF is in memory until it is written

Frame = np.ndarray | None


def side_by_side(parts: list[Frame], like: np.ndarray, titles: tuple[str, ...] = TITLES) -> np.ndarray:
    """Joins frames (rows, columns, channels) in [0, 1] into a picture (rows, columns, 3) uint8; None is a grey panel.

    Args:
        like: a frame with the size of all the others.
    """
    panels = [_panel(like, nothing=True) if part is None else _panel(part) for part in parts]
    rows, columns = panels[0].shape[:2]
    # yuv420p needs even numbers of rows and columns.
    height, width = (-(-n // 2) * 2 for n in (rows + HEAD, len(panels) * (columns + GAP) - GAP))
    image = np.full((height, width, 3), NOTHING // 2, np.uint8)
    for number, panel in enumerate(panels):
        left = number * (columns + GAP)
        image[HEAD : HEAD + rows, left : left + columns] = panel
    drawing = Image.fromarray(image)
    pen = ImageDraw.Draw(drawing)
    for number, title in enumerate(titles):
        pen.text((number * (columns + GAP) + 3, 2), title, fill=(255, 255, 255))
    return np.asarray(drawing)


def _panel(frame: np.ndarray, nothing: bool = False) -> np.ndarray:
    """Scales a frame for display: enlarges it pixel by pixel, or keeps every n-th pixel."""
    pixels = np.full(frame.shape, NOTHING / 255) if nothing else frame
    larger = max(1, min(SMALLEST // pixels.shape[0], LARGEST // pixels.shape[1]))
    smaller = max(1, -(-pixels.shape[1] // LARGEST))
    shown = np.round(255 * np.clip(pixels[::smaller, ::smaller], 0, 1)).astype(np.uint8)
    shown = shown.repeat(larger, axis=0).repeat(larger, axis=1)
    return shown if shown.shape[-1] == 3 else shown.repeat(3, axis=-1)


def error(truth: Frame, found: Frame) -> Frame:
    """Returns the absolute difference of two frames, per pixel; None if either is missing."""
    return None if truth is None or found is None else np.abs(truth - found)


class Writer:
    """Writes frames one by one to the mp4, and keeps them for the GIF as long as there are few enough."""

    def __init__(self, mp4: Path, fps: float, stack: ExitStack) -> None:
        self.mp4, self.fps, self.stack = mp4, fps, stack
        self.video: ffmpeg.Mp4 | None = None
        self.kept: list[np.ndarray] | None = []

    def add(self, picture: np.ndarray) -> None:
        """Adds a picture; all must have the same size."""
        if self.video is None:
            self.video = self.stack.enter_context(ffmpeg.Mp4(self.mp4, *picture.shape[:2], self.fps))
        self.video.add(picture)
        if self.kept is not None:
            self.kept = [*self.kept, picture] if len(self.kept) < LONGEST_GIF else None


@contextmanager
def written(mp4: Path, gif: Path, fps: float) -> Iterator[Writer]:
    """Yields a `Writer`; on exit both files are complete, except that a long video has no GIF."""
    mp4.parent.mkdir(parents=True, exist_ok=True)
    with replacing(mp4) as temporary:
        with ExitStack() as stack:
            writer = Writer(temporary, fps, stack)
            yield writer
        if writer.kept:
            with replacing(gif) as other:
                iio.imwrite(other, writer.kept, plugin="pillow", duration=1000 / fps, loop=0)


def strip(rows: list[tuple[str, np.ndarray]], path: Path) -> None:
    """Writes a PNG with one row per (title, frames (time, rows, columns, channels)), all of the same length."""
    drawn = [side_by_side(list(frames), frames[0], (title,)) for title, frames in rows]
    with replacing(path) as temporary:
        iio.imwrite(temporary, np.concatenate(drawn), plugin="pillow")
