"""Series not seen in training: their intervals, calibrated on the forecast errors of their own past."""

import dataclasses
from collections.abc import Callable

import numpy as np

from . import conformal
from .config import Config
from .data import Mine
from .windows import Windows

MOST = 200  # number of latest past forecasts per series
Forecasts = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Own:
    """What the past of an unseen series says of its forecasts.

    widths: (horizon,) number of interval widths by which to widen the interval at each end. behind: whether repeating
    the last value had a smaller mean absolute error.
    """

    widths: np.ndarray
    behind: bool


def past(mine: Mine, number: int, config: Config) -> Windows:
    """Returns the latest windows of a series whose future is known and which do not reach before its first value."""
    more = mine.padded[number]
    at = np.arange(config.reach + more, len(mine.panel.series[number]) + more - config.horizon + 1)[-MOST:]
    return Windows(mine.store, np.full(len(at), number), at, mine.code, config.reach, config.horizon)


def calibrated(mine: Mine, config: Config, forecasts: Callable[[Windows], Forecasts]) -> dict[int, Own]:
    """Split conformal calibration of each unseen series of a file on its own past, if that is long enough.

    Args:
        forecasts: windows -> point forecasts and the ends of their uncalibrated intervals, (windows, horizon) each.

    Returns:
        {index of the series: what was found}.
    """
    found = {}
    for number in mine.unseen():
        windows = past(mine, number, config)
        if conformal.enough(windows.observed()):
            (point, low, high), actual, observed = forecasts(windows), windows.future(), windows.observed()
            grid = conformal.grid_of(conformal.scores(low, high, actual), observed)
            ours, last = (np.abs(each - actual)[observed].mean() for each in (point, windows.past()[:, -1:]))
            found[number] = Own(conformal.looked_up(grid, np.full(config.horizon, 1 - config.coverage)), ours > last)
    return found
