"""Windows of the past and the steps that follow them, cut from many series of any length."""

import dataclasses

import numpy as np

from shared.data.sequences import Batches

UNKNOWN_SHARE = 0.1  # share of training windows whose series is hidden, so that unseen series can be forecast too


@dataclasses.dataclass(frozen=True)
class Store:
    """All series concatenated, scaled.

    Attributes:
        values: (steps,) float32. observed: (steps,) bool. start: (series,) index of the first value of each series.
        known: (known steps, columns) float32, calendar and known columns. known_start: (series,).
        static: (series, columns) float32.
        season, week: (series,) length of a season and of a week in steps, or 1.
        weight: (series,) how much the errors of a series count in the fit.
    """

    values: np.ndarray
    observed: np.ndarray
    start: np.ndarray
    known: np.ndarray
    known_start: np.ndarray
    static: np.ndarray
    season: np.ndarray
    week: np.ndarray
    weight: np.ndarray


@dataclasses.dataclass(frozen=True)
class Windows:
    """The forecasts to make, each given by a series and its first forecast step.

    Attributes:
        store: the series. who: (windows,) index of the series. at: (windows,) index of the first forecast step.
        code: (series,) the series' index in the network's embedding. reach, horizon: numbers of steps.
    """

    store: Store
    who: np.ndarray
    at: np.ndarray
    code: np.ndarray
    reach: int
    horizon: int

    def __len__(self) -> int:
        return len(self.who)

    def among(self, rows: np.ndarray) -> "Windows":
        """Returns a subset of the windows."""
        return dataclasses.replace(self, who=self.who[rows], at=self.at[rows])

    def past(self, rows: np.ndarray | slice = slice(None), length: int = 0) -> np.ndarray:
        """Returns the values before each forecast, (rows, length), by default `reach` of them."""
        return self.store.values[self._places(rows)[:, None] + np.arange(-(length or self.reach), 0)]

    def future(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Returns the true values, (rows, horizon)."""
        return self.store.values[self._places(rows)[:, None] + np.arange(self.horizon)]

    def observed(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Returns whether each true value was observed, (rows, horizon) bool."""
        return self.store.observed[self._places(rows)[:, None] + np.arange(self.horizon)]

    def weights(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Returns how much each true value counts in the fit, (rows, horizon); 0 if it was not observed."""
        return self.observed(rows) * self.store.weight[self.who[rows]][:, None]

    def inputs(self, rows: np.ndarray | slice = slice(None), lookback: int = 0) -> dict[str, np.ndarray]:
        """Returns the model's inputs, see `model.build`; `lookback` is that of the network."""
        who = self.who[rows]
        found = {"window": self.past(rows), "series": self.code[who].astype(np.int32)}
        if self.store.known.shape[1]:
            places = self.store.known_start[who] + self.at[rows]
            found["known"] = self.store.known[places[:, None] + np.arange(-lookback, self.horizon)]
        if self.store.static.shape[1]:
            found["static"] = self.store.static[who]
        return found

    def _places(self, rows: np.ndarray | slice) -> np.ndarray:
        return self.store.start[self.who[rows]] + self.at[rows]


class WindowBatches(Batches):
    """Batches of windows for `fit`, in a new order each epoch and assembled on demand.

    Args:
        windows: at least one. batch_size: of each batch; the last one is filled up with windows of weight 0.
        lookback: of the network. unknown: index in the embedding for a series without a name.
        scale: (series,) of the counts, which the negative binomial loss needs with the targets; None for other heads.
        steps: batches per epoch; 0 = every window once.

    Batch:
        inputs, targets (batch, horizon, 1 or 2) with the scale as the second, weights (batch, horizon).
    """

    def __init__(
        self,
        windows: Windows,
        batch_size: int,
        seed: int,
        lookback: int,
        unknown: int,
        scale: np.ndarray | None = None,
        steps: int = 0,
        shuffle: bool = True,
    ) -> None:
        self.windows, self.batch_size, self.seed, self.shuffle = windows, batch_size, seed, shuffle
        self.lookback, self.unknown, self.scale = lookback, unknown, scale
        whole = -(-len(windows) // batch_size)
        super().__init__(min(steps, whole) if steps else whole)
        self._order: tuple[int, np.ndarray] = (-1, np.arange(len(windows)))

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class docstring."""
        rows = self._rows(epoch)[step * self.batch_size :][: self.batch_size]
        real = len(rows)
        rows = np.resize(rows, self.batch_size)
        inputs, targets = self.windows.inputs(rows, self.lookback), self.windows.future(rows)[..., None]
        if self.scale is not None:
            scales = np.broadcast_to(self.scale[self.windows.who[rows]][:, None, None], targets.shape)
            targets = np.concatenate([targets, scales.astype(np.float32)], axis=-1)
        if self.shuffle:
            hidden = np.random.default_rng([self.seed, epoch, step]).random(len(rows)) < UNKNOWN_SHARE
            inputs["series"] = np.where(hidden, self.unknown, inputs["series"]).astype(np.int32)
        weights = self.windows.weights(rows) * (np.arange(self.batch_size) < real)[:, None]
        return inputs, targets, weights.astype(np.float32)

    def _rows(self, epoch: int) -> np.ndarray:
        """Returns the order of the windows in an epoch, caching the last one."""
        if self.shuffle and self._order[0] != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.windows))
            self._order = (epoch, order)
        return self._order[1]
