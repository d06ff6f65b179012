"""Video data sets for training: batches generated on the fly, and the description of the data."""

import dataclasses
from typing import Any

import numpy as np

from shared.data.sequences import Batches
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from . import sources
from .bouncing import Bouncing
from .config import Config

MEAN_OF = 500  # number of training sequences for the mean frame
MEAN_SEED = 3


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """The source of training sequences, and the validation and test sequences.

    The latter are (sequences, time, rows, columns, channels) uint8, the first `info["past"]` frames being the input.
    `mean` (rows, columns, channels) float32 is the mean training frame. `info` fits JSON: source, fingerprint, split,
    past, future, channels, size, and side: the shorter side that clips are scaled to; 0 for generated digits.
    """

    train: Bouncing | sources.Windows
    valid: np.ndarray
    test: np.ndarray
    mean: np.ndarray
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Generates or reads the videos of `config.data`.

    Raises:
        InputError: the source is unknown, a file cannot be used, or there are too few frames.
    """
    found = sources.read(config)
    time = config.past + config.future
    some = found.train.draw(np.random.default_rng(MEAN_SEED), config.count(MEAN_OF), time)
    made = config.data in sources.MADE
    learned_from = found.train.images if isinstance(found.train, Bouncing) else found.train.videos
    info = {
        "source": found.said,
        "fingerprint": fingerprint(learned_from, found.valid, found.test),
        "split": found.split,
        "past": config.past,
        "future": config.future,
        "channels": config.channels,
        "size": config.size,
        "side": 0 if made else config.size,
    }
    return Data(found.train, found.valid, found.test, as_floats(some).mean(axis=(0, 1)), info)


def tested_on(data: Data, source: str, config: Config) -> Data:
    """Returns the same data with windows of the clips at a path as the test set."""
    return dataclasses.replace(data, test=sources.windows(source, config))


def as_floats(frames: np.ndarray) -> np.ndarray:
    """Converts uint8 to float32 in [0, 1], where 0 is black."""
    return frames.astype(np.float32) / 255


class Videos(Batches):
    """Batches ([past, truth, given], targets), generated from (seed, epoch, step).

    past (batch, past, ...) holds the input frames; truth (batch, future - 1, ...) the true frames that scheduled
    sampling feeds to the network where given (batch, future - 1) is 1; targets (batch, past + future - 1, ...) all
    frames except the first. Bengio et al. (2015), "Scheduled sampling for sequence prediction with recurrent neural
    networks", arXiv:1506.03099, with linear decay.
    """

    def __init__(self, source: Bouncing | sources.Windows, config: Config) -> None:
        self.source, self.config = source, config
        super().__init__(max(1, config.count(config.sequences) // config.batch_size))

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class docstring."""
        config = self.config
        random = np.random.default_rng([config.seed, epoch, step])
        videos = self.source.draw(random, config.batch_size, config.past + config.future)
        done = (epoch * self.steps + step) / (config.epochs * self.steps)
        share = config.teacher * max(0.0, 1 - done / config.teacher_until) if config.teacher_until else 0.0
        given = random.random((len(videos), config.future - 1)) < share
        return inputs_and_targets(as_floats(videos), config.past, given)


class Fixed(Batches):
    """Batches of the same sequences in every epoch, without teacher forcing: the network is fed its own predictions."""

    def __init__(self, videos: np.ndarray, config: Config) -> None:
        self.videos, self.config = videos, config
        super().__init__(-(-len(videos) // config.batch_size))

    def batch(self, epoch: int, step: int) -> tuple:
        """See `Videos`."""
        videos = self.videos[step * self.config.batch_size :][: self.config.batch_size]
        given = np.zeros((len(videos), self.config.future - 1), bool)
        return inputs_and_targets(as_floats(videos), self.config.past, given)


def inputs_and_targets(videos: np.ndarray, past: int, given: np.ndarray) -> tuple:
    """Splits sequences (batch, past + future, rows, columns, channels) float32 into the batches of `Videos`."""
    return (videos[:, :past], videos[:, past:-1], given.astype(np.float32)), videos[:, 1:]
