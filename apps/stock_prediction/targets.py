"""The targets of each day, computed from the days after it, and which days they depend on."""

import dataclasses

import numpy as np

from .config import HORIZONS
from .features import WARM_UP, Series


@dataclasses.dataclass(frozen=True, eq=False)
class Targets:
    """The targets of forecasts made on each day, the origin.

    Attributes:
        variance: (horizons, tickers, days) the mean variance of the ticker's next 1, 5, 22 bars; NaN if unknown.
        squares: the same for squared returns.
        returns: (tickers, days) the next return, in per cent. daytime, overnight: its two parts.
        first: (tickers, days) the index of the day of the next bar; beyond the last day if there is none.
        last: (horizons, tickers, days) the index of the day of the last bar in the target.
    """

    variance: np.ndarray
    squares: np.ndarray
    returns: np.ndarray
    overnight: np.ndarray
    daytime: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def inside(self, start: int, end: int) -> np.ndarray:
        """(horizons, tickers, days) bool: the target is known and uses only days from `start` to before `end`."""
        return (self.first >= start) & (self.last < end) & np.isfinite(self.variance)


def targets(series: Series) -> Targets:
    """Computes the targets of every day on which a ticker traded, after its first `WARM_UP` bars."""
    count, days = series.traded.shape
    shape = (len(HORIZONS), count, days)
    variance, squares = np.full(shape, np.nan), np.full(shape, np.nan)
    last = np.full(shape, days)
    first = np.full((count, days), days)
    after = {name: np.full((count, days), np.nan) for name in ("returns", "overnight", "daytime")}
    for number in range(count):
        own = np.flatnonzero(series.traded[number])
        origins = own[WARM_UP:-1]
        first[number, origins] = own[WARM_UP + 1 :]
        for name, values in after.items():
            values[number, origins] = getattr(series, name)[number, own[WARM_UP + 1 :]]
        for place, horizon in enumerate(HORIZONS):
            some = own[WARM_UP : max(WARM_UP, len(own) - horizon)]
            last[place, number, some] = own[WARM_UP + horizon :]
            for proxy, values in ((series.variance, variance), (series.squares, squares)):
                values[place, number, some] = ahead_mean(proxy[number, own], horizon)[WARM_UP : WARM_UP + len(some)]
    return Targets(variance, squares, first=first, last=last, **after)


def ahead_mean(values: np.ndarray, horizon: int) -> np.ndarray:
    """(days - horizon,): the mean of the `horizon` values after each one; NaN if one of them is unknown."""
    windows = np.lib.stride_tricks.sliding_window_view(values, horizon) if len(values) >= horizon else np.empty((0, 1))
    return windows.mean(axis=-1)[1:]
