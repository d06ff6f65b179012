"""The data sources: bouncing digits, your own clips, TensorFlow Datasets."""

import dataclasses
import sys

import numpy as np

from shared import InputError
from shared.data import catalogue, tfds
from shared.data.wording import sized

from . import clips, mnist
from .bouncing import Bouncing, handwritten
from .config import Config

MADE = ("builtin", "moving_mnist")
SEEDS = {"valid": 1, "test": 2}  # seeds of the sequences that are generated once
MOST_FRAMES = 20_000  # maximum for your own clips in total; any further frames are not used
KEYS = ("image_sequence", "video", "frames")  # names of the video feature in different data sets


class Windows:
    """Windows cut from clips at random times and positions.

    Args:
        videos: clips (frames, rows, columns, channels) uint8, each with at least as many frames as a window.
        size: height and width of a window.
    """

    def __init__(self, videos: list[np.ndarray], size: int) -> None:
        self.videos, self.size = videos, size

    def draw(self, random: np.random.Generator, count: int, time: int) -> np.ndarray:
        """Draws `count` windows (count, time, rows, columns, channels) uint8."""
        starts = np.array([len(video) - time + 1 for video in self.videos])
        found = []
        for _ in range(count):
            video = self.videos[random.choice(len(starts), p=starts / starts.sum())]
            first, row, column = (random.integers(room + 1) for room in self._room(video, time))
            found.append(self._cut(video, first, row, column, time))
        return np.stack(found)

    def all(self, most: int, time: int) -> np.ndarray:
        """Returns up to `most` centre-cropped windows that do not overlap in time, spread evenly."""
        places = [(video, first) for video in self.videos for first in range(0, len(video) - time + 1, time)]
        chosen = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int))
        found = []
        for video, first in (places[number] for number in chosen):
            _, row, column = self._room(video, time)
            found.append(self._cut(video, first, row // 2, column // 2, time))
        return np.stack(found)

    def _room(self, video: np.ndarray, time: int) -> tuple[int, int, int]:
        return len(video) - time, video.shape[1] - self.size, video.shape[2] - self.size

    def _cut(self, video: np.ndarray, first: int, row: int, column: int, time: int) -> np.ndarray:
        return video[first : first + time, row : row + self.size, column : column + self.size]


@dataclasses.dataclass(frozen=True)
class Sequences:
    """The source of training sequences; the others (sequences, time, rows, columns, channels) uint8."""

    train: Bouncing | Windows
    valid: np.ndarray
    test: np.ndarray
    said: str  # description of the data
    split: str


def known(source: str) -> None:
    """Raises InputError if a --data value is not a known source."""
    catalogue.check(source, MADE[1:], "tfds:NAME, a video file or a folder")


def read(config: Config) -> Sequences:
    """Reads or generates the videos of `config.data`, with disjoint splits.

    Raises:
        InputError: the source is unknown, a file cannot be used, or there are too few frames.
    """
    if config.data in MADE:
        return _made(config)
    if config.data.startswith(tfds.PREFIX):
        return _split([_from_tfds(config)], config, f"sequences of {config.data}")
    return _split([_from_clips(config.data, config)], config, f"clips of {config.data}")


def windows(name: str, config: Config) -> np.ndarray:
    """Returns test windows of the clips at a path: (sequences, time, rows, columns, channels) uint8."""
    time = config.past + config.future
    return Windows(_from_clips(name, config), config.size).all(config.count(config.test_sequences), time)


def _made(config: Config) -> Sequences:
    if config.channels != 1:
        raise InputError(f"--channels: expected 1 with {config.data}, which is grey; received {config.channels}")
    images = handwritten if config.data == "builtin" else mnist.digits
    time = config.past + config.future
    videos = {part: Bouncing(images(part), config.size, config.digits) for part in ("train", "valid", "test")}
    count = {"valid": config.valid_sequences, "test": config.test_sequences}
    fixed = {
        part: videos[part].draw(np.random.default_rng(SEEDS[part]), config.count(count[part]), time) for part in SEEDS
    }
    said = ", ".join(f"{part} {len(video.images):,}" for part, video in videos.items())
    what = "handwritten digits of scikit-learn" if config.data == "builtin" else "MNIST digits"
    split = f"different digits in each part: {said}; {len(fixed['valid']):,} and {len(fixed['test']):,} sequences"
    return Sequences(videos["train"], fixed["valid"], fixed["test"], f"{what} that bounce", split)


def _from_clips(name: str, config: Config) -> list[np.ndarray]:
    """Reads the clips at a path that are long enough; lists the others on stderr."""
    known(name)
    time, videos, left = config.past + config.future, [], MOST_FRAMES
    found = clips.find(name)
    for clip in found:
        frames = []
        for frame in clip.frames(config.channels, config.size):
            if not left:
                print(f"{clip.path}: only the first {MOST_FRAMES:,} frames of all clips are used", file=sys.stderr)
                break
            frames.append(frame)
            left -= 1
        if len(frames) >= time:
            videos.append(np.stack(frames))
        elif len(found) > 1:
            print(
                f"left out: {clip.path} has {sized(len(frames), 'frames')}, of {time} that are needed", file=sys.stderr
            )
        else:
            raise too_short(str(clip.path), len(frames), config)
        if not left:
            break
    if not videos:
        raise InputError(f"{name}: expected a clip of at least {time} frames (--past and --future); there is none")
    return videos


def too_short(where: str, received: int, config: Config) -> InputError:
    """Returns the error for a clip with too few frames."""
    time = config.past + config.future
    return InputError(f"{where}: expected at least {time} frames (--past and --future); received {received}")


def _from_tfds(config: Config) -> list[np.ndarray]:
    videos: list[np.ndarray] = []
    for split in tfds.splits(config.data):
        for example in tfds.load_examples(config.data, split):
            key = next((key for key in KEYS if key in example), None)
            if key is None:
                raise InputError(f"{config.data}: expected {' or '.join(KEYS)}; received {', '.join(example)}")
            frames = [clips.scaled(clips.as_frame(f, config.channels, config.data), config.size) for f in example[key]]
            if len(frames) >= config.past + config.future:
                videos.append(np.stack(frames))
    if not videos:
        raise too_short(config.data, 0, config)
    return videos


def _split(found: list[list[np.ndarray]], config: Config, said: str) -> Sequences:
    """Splits by clip if there are three or more, else by time: the last tenth is test, the one before validation."""
    (videos,) = found
    time = config.past + config.future
    if len(videos) >= 3:
        tenth = max(1, len(videos) // 10)
        parts = videos[: -2 * tenth], videos[-2 * tenth : -tenth], videos[-tenth:]
        how = f"by clip: train {len(parts[0])}, valid {tenth}, test {tenth}"
    else:
        cuts = [_cuts(len(video), time) for video in videos]
        if any(cut is None for cut in cuts):
            raise InputError(
                f"{config.data}: expected three clips or more, or at least {3 * time} frames in each; "
                f"received {', '.join(str(len(video)) for video in videos)}"
            )
        parts = tuple([v[slice(*c[n : n + 2])] for v, c in zip(videos, cuts, strict=True)] for n in range(3))
        how = "by time: the last frames test, those before them validate"
    train, valid, test = (Windows(part, config.size) for part in parts)
    fixed = [
        part.all(config.count(most), time)
        for part, most in ((valid, config.valid_sequences), (test, config.test_sequences))
    ]
    return Sequences(train, *fixed, said, f"{how}; {len(fixed[0]):,} and {len(fixed[1]):,} sequences")


def _cuts(frames: int, time: int) -> tuple[int, int, int, int] | None:
    """Returns the starts of train, valid and test, and the end; None if there are too few frames for a window each."""
    tenth = max(time, frames // 10)
    return (
        (0, frames - 2 * tenth, frames - tenth, frames) if frames >= 3 * time and frames - 2 * tenth >= time else None
    )
