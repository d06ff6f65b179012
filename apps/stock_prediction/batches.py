"""Batches of day sequences for training and for validation."""

import numpy as np

from shared.data.sequences import Batches

from .config import Config


class Chunks(Batches):
    """Sequences of `chunk_days` days of one ticker, preceded by the days that warm up the state.

    Their offset differs from epoch to epoch. Every batch is full: padding rows have weight 0.

    Args:
        inputs: (tickers, days, inputs) scaled. goals: (tickers, days, horizons + 2), see `model.goals`.
        weights: (tickers, days), 0 for days that are not training examples.

    Batch:
        inputs (batch, context + chunk, inputs), goals and weights (batch, context + chunk).
    """

    def __init__(self, inputs: np.ndarray, goals: np.ndarray, weights: np.ndarray, config: Config) -> None:
        days = int(np.flatnonzero(weights.any(axis=0))[-1]) + 1
        self.chunk, self.context = config.chunk_days, config.context_days
        # Pad with empty days for the context, and on both sides for the offset of an epoch.
        room = ((0, 0), (self.context + self.chunk, 2 * self.chunk), (0, 0))
        self.inputs = np.pad(inputs[:, :days], room)
        self.goals = np.pad(goals[:, :days], room)
        self.weights = np.pad(weights[:, :days], room[:2])
        self.seed, self.count = config.seed, len(inputs)
        self.pieces = -(-days // self.chunk) + 1
        self.rows = min(config.batch_size, self.count * self.pieces)
        self._kept: tuple[int, np.ndarray, int] = (-1, np.empty(0), 0)
        super().__init__(-(-self.count * self.pieces // self.rows))

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class docstring."""
        order, offset = self._plan(epoch)
        places = order[step * self.rows :][: self.rows]
        fill = np.arange(self.rows) < len(places)
        places = np.resize(places, self.rows)
        ticker, piece = places % self.count, places // self.count
        days = (offset + piece * self.chunk)[:, None] + np.arange(self.context + self.chunk)
        weights = self.weights[ticker[:, None], days] * fill[:, None]
        weights[:, : self.context] = 0
        return self.inputs[ticker[:, None], days], self.goals[ticker[:, None], days], weights

    def _plan(self, epoch: int) -> tuple[np.ndarray, int]:
        """Returns the order of all chunks of an epoch, and the day on which the first one starts."""
        if self._kept[0] != epoch:
            random = np.random.default_rng([self.seed, epoch])
            self._kept = (epoch, random.permutation(self.count * self.pieces), int(random.integers(self.chunk)))
        return self._kept[1], self._kept[2]


class AllDays(Batches):
    """A single batch of all tickers and all days up to the last one with a weight.

    Args: as those of `Chunks`.
    """

    def __init__(self, inputs: np.ndarray, goals: np.ndarray, weights: np.ndarray) -> None:
        some = slice(int(np.flatnonzero(weights.any(axis=0))[-1]) + 1)
        self.arrays = inputs[:, some], goals[:, some], weights[:, some]
        super().__init__(1)

    def batch(self, epoch: int, step: int) -> tuple:
        """Returns the only batch."""
        return self.arrays
