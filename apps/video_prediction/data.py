"""Videos as training data: batches that are generated on request, and the description of the data."""

import dataclasses
from typing import Any

import numpy as np

from shared.data.sequences import Batches
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from . import sources
from .bouncing import Bouncing
from .config import Config

MEAN_OF = 500  # training sequences of which the mean frame is taken
MEAN_SEED = 3


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """Where training sequences come from, and the sequences (sequences, time, rows, columns, channels) uint8 of the
    other parts, the first `info["past"]` frames of which are seen.

    `mean` (rows, columns, channels) float32 is the mean training frame. `info` fits JSON: source, fingerprint, split,
    past, future, channels, and side: that to which frames of clips are scaled, 0 for digits that are drawn.
    """

    train: Bouncing | sources.Windows
    valid: np.ndarray
    test: np.ndarray
    mean: np.ndarray
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Makes or reads the videos that `config.data` names.

    Raises:
        InputError: an unknown source, a file that cannot be used, too few frames.
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
    """The same training, and windows of the clips at a path to test on."""
    return dataclasses.replace(data, test=sources.windows(source, config))


def as_floats(frames: np.ndarray) -> np.ndarray:
    """uint8 -> float32 from 0 (black) to 1."""
    return frames.astype(np.float32) / 255


class Videos(Batches):
    """Batches ([past, truth, given], targets), made from (seed, epoch, step).

    past (batch, past, ...) is what the network sees; truth (batch, future - 1, ...) the true frames that scheduled
    sampling may feed it, where given (batch, future - 1) is 1; targets (batch, past + future - 1, ...) all frames but
    the first. Bengio et al. (2015), "Scheduled sampling for sequence prediction with recurrent neural networks",
    arXiv:1506.03099, with a linear decay.
    """

    def __init__(self, source: Bouncing | sources.Windows, config: Config) -> None:
        self.source, self.config = source, config
        super().__init__(max(1, config.count(config.sequences) // config.batch_size))

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class."""
        config = self.config
        random = np.random.default_rng([config.seed, epoch, step])
        videos = self.source.draw(random, config.batch_size, config.past + config.future)
        done = (epoch * self.steps + step) / (config.epochs * self.steps)
        share = config.teacher * max(0.0, 1 - done / config.teacher_until) if config.teacher_until else 0.0
        given = random.random((len(videos), config.future - 1)) < share
        return inputs_and_targets(as_floats(videos), config.past, given)


class Fixed(Batches):
    """The same sequences in every epoch; none of their true frames is given to the network once it predicts."""

    def __init__(self, videos: np.ndarray, config: Config) -> None:
        self.videos, self.config = videos, config
        super().__init__(-(-len(videos) // config.batch_size))

    def batch(self, epoch: int, step: int) -> tuple:
        """See `Videos`."""
        videos = self.videos[step * self.config.batch_size :][: self.config.batch_size]
        given = np.zeros((len(videos), self.config.future - 1), bool)
        return inputs_and_targets(as_floats(videos), self.config.past, given)


def inputs_and_targets(videos: np.ndarray, past: int, given: np.ndarray) -> tuple:
    """What `Videos` gives, of whole sequences (batch, past + future, rows, columns, channels) float32."""
    return (videos[:, :past], videos[:, past:-1], given.astype(np.float32)), videos[:, 1:]
