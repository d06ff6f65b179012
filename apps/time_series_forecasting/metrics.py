"""Forecast metrics as sums over blocks of windows, for a block bootstrap of differences."""

import numpy as np

from .conformal import LEAST_WIDTH
from .heads import LEVELS
from .predict import WIDE, Answer
from .windows import Windows

DIRECTIONS = {
    "mse": "lower",
    "mae": "lower",
    "mase": "lower",
    "smape": "lower",
    "weighted_quantile_loss": "lower",
    "msis": "lower",
    "coverage_ratio": "one",
}
FEWEST_BLOCKS = 10  # minimum number of blocks, even if they are then shorter than the horizon
WEIGHED = tuple(number for number, level in enumerate(LEVELS) if round(10 * level, 6) == round(10 * level))

# metric -> (numerator, denominator) per block
Sums = dict[str, tuple[np.ndarray, np.ndarray]]


def blocks(windows: Windows, aligned: bool) -> np.ndarray:
    """Returns the block of each window (windows,): windows of consecutive steps within a horizon, of all series.

    If the series have different time steps, each block holds windows of one series only.
    """
    first = np.full(int(windows.who.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, windows.who, windows.at)
    since = windows.at - first[windows.who]
    length = max(1, min(windows.horizon, -(-(int(since.max()) + 1) // FEWEST_BLOCKS)))
    key = since // length if aligned else windows.who * (int(since.max()) + 2) + since // length
    return np.unique(key, return_inverse=True)[1]


class Judge:
    """Accumulates the metrics of forecasts, batch by batch.

    Args:
        windows: all test windows. block: block of each, from `blocks`. info: shift, scale, error_scale, see `Data`.
    """

    def __init__(self, windows: Windows, block: np.ndarray, info: dict) -> None:
        self.windows, self.block, self.count = windows, block, int(block.max()) + 1
        self.shift, self.scale, self.error_scale = (np.array(info[n]) for n in ("shift", "scale", "error_scale"))
        self.sums: dict[str, np.ndarray] = {}

    def add(self, rows: np.ndarray, answer: Answer, usual: tuple | None = None, wide: tuple | None = None) -> None:
        """Adds the forecasts of some rows; usual and wide are the ends of their intervals (rows, horizon), scaled."""
        some, block = self.windows.among(rows), self.block[rows]
        who = some.who
        observed = some.observed().astype(np.float64)
        actual, scale = some.future().astype(np.float64), self.scale[who][:, None]
        error = answer.point - actual
        there = observed.sum(axis=1)

        def keep(metric: str, numerator: np.ndarray, denominator: np.ndarray) -> None:
            total = self.sums.setdefault(metric, np.zeros((2, self.count)))
            for part, values in enumerate((numerator, denominator)):
                total[part] += np.bincount(block, values, minlength=self.count)

        def mean(values: np.ndarray) -> np.ndarray:
            return (values * observed).sum(axis=1) / np.maximum(there, 1)

        real = (there > 0).astype(float)
        keep("mse", (error**2 * observed).sum(axis=1), there)
        keep("mae", (np.abs(error) * observed).sum(axis=1), there)
        relative = self.scale[who] / self.error_scale[who]
        keep("mase", mean(np.abs(error)) * relative, real)
        plain, forecast = actual * scale + self.shift[who][:, None], answer.point * scale + self.shift[who][:, None]
        size = np.abs(plain) + np.abs(forecast)
        keep("smape", 200 * mean(np.abs(plain - forecast) / np.maximum(size, 1e-12)), real)
        levels = np.array([LEVELS[n] for n in WEIGHED])
        miss = actual[..., None] - answer.quantiles[..., list(WEIGHED)]
        loss = 2 * np.maximum(levels * miss, (levels - 1) * miss).mean(axis=-1)
        keep("weighted_quantile_loss", (loss * observed * scale).sum(axis=1), (np.abs(plain) * observed).sum(axis=1))
        low, high = wide or answer.interval(WIDE)
        beyond = np.maximum(low - actual, 0) + np.maximum(actual - high, 0)
        keep("msis", mean(high - low + 2 / (1 - WIDE) * beyond) * relative, real)
        if usual is not None:
            low, high = usual
            keep("inside", ((actual >= low) & (actual <= high) & (observed > 0)).sum(axis=1), there)

    def result(self, coverage: float) -> Sums:
        """Returns numerators and denominators of all metrics; the coverage is relative to its nominal value."""
        found = {name: (total[0], total[1]) for name, total in self.sums.items()}
        if "inside" in found:
            inside, count = found.pop("inside")
            found["coverage_ratio"] = inside / coverage, count
        return found


def score(sums: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> float:
    """Returns the metric over the selected blocks, which may repeat."""
    numerator, denominator = sums
    return float(numerator[rows].sum() / (denominator[rows].sum() or LEAST_WIDTH))
