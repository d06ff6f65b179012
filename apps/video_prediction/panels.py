"""Input, prediction, truth and error side by side, as mp4, GIF and PNG."""

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
SMALLEST, LARGEST = 128, 960  # rows that a panel is enlarged to, and columns that it is reduced to
NOTHING = 48  # grey of a panel that has no picture
LONGEST_GIF = 300  # frames, since a GIF is in memory until it is written

Frame = np.ndarray | None


def side_by_side(parts: list[Frame], like: np.ndarray, titles: tuple[str, ...] = TITLES) -> np.ndarray:
    """One picture (rows, columns, 3) uint8 of frames (rows, columns, channels) from 0 to 1; None is a grey panel.

    Args:
        like: a frame that has the size of all.
    """
    panels = [_panel(like, nothing=True) if part is None else _panel(part) for part in parts]
    rows, columns = panels[0].shape[:2]
    # Even numbers of rows and columns, which yuv420p wants.
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
    """A frame in the size that it is shown in: enlarged pixel by pixel, or every n-th pixel of it."""
    pixels = np.full(frame.shape, NOTHING / 255) if nothing else frame
    larger = max(1, SMALLEST // pixels.shape[0])
    smaller = max(1, -(-pixels.shape[1] // LARGEST))
    shown = np.round(255 * np.clip(pixels[::smaller, ::smaller], 0, 1)).astype(np.uint8)
    shown = shown.repeat(larger, axis=0).repeat(larger, axis=1)
    return shown if shown.shape[-1] == 3 else shown.repeat(3, axis=-1)


def error(truth: Frame, found: Frame) -> Frame:
    """How far the frames are apart in each pixel."""
    return None if truth is None or found is None else np.abs(truth - found)


class Writer:
    """Takes pictures one by one; writes all of them to the mp4, and keeps them for the GIF as long as they are few."""

    def __init__(self, mp4: Path, fps: float, stack: ExitStack) -> None:
        self.mp4, self.fps, self.stack = mp4, fps, stack
        self.video: ffmpeg.Mp4 | None = None
        self.kept: list[np.ndarray] | None = []

    def add(self, picture: np.ndarray) -> None:
        """One more picture; all are of one size."""
        if self.video is None:
            self.video = self.stack.enter_context(ffmpeg.Mp4(self.mp4, *picture.shape[:2], self.fps))
        self.video.add(picture)
        if self.kept is not None:
            self.kept = [*self.kept, picture] if len(self.kept) < LONGEST_GIF else None


@contextmanager
def written(mp4: Path, gif: Path, fps: float) -> Iterator[Writer]:
    """Gives a `Writer`; afterwards both files are there whole, but for the GIF of a long video."""
    mp4.parent.mkdir(parents=True, exist_ok=True)
    with replacing(mp4) as temporary:
        with ExitStack() as stack:
            writer = Writer(temporary, fps, stack)
            yield writer
        if writer.kept:
            with replacing(gif) as other:
                iio.imwrite(other, writer.kept, plugin="pillow", duration=1000 / fps, loop=0)


def strip(rows: list[tuple[str, np.ndarray]], path: Path) -> None:
    """A PNG with a row of frames for each (title, frames (time, rows, columns, channels)), all of one length."""
    drawn = [side_by_side(list(frames), frames[0], (title,)) for title, frames in rows]
    with replacing(path) as temporary:
        iio.imwrite(temporary, np.concatenate(drawn), plugin="pillow")
