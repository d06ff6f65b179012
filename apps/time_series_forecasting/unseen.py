"""Intervals for series not seen in training, calibrated on the forecast errors of their own past."""

from collections.abc import Callable

import numpy as np

from . import conformal
from .config import Config
from .data import Mine
from .windows import Windows

MOST = 200  # number of latest past forecasts per series
Ends = tuple[np.ndarray, np.ndarray]


def past(mine: Mine, number: int, config: Config) -> Windows:
    """Returns the latest windows of a series whose future is known and which do not reach before its first value."""
    more = mine.padded[number]
    at = np.arange(config.reach + more, len(mine.panel.series[number]) + more - config.horizon + 1)[-MOST:]
    return Windows(mine.store, np.full(len(at), number), at, mine.code, config.reach, config.horizon)


def calibrated(mine: Mine, config: Config, ends: Callable[[Windows], Ends]) -> dict[int, np.ndarray]:
    """Split conformal calibration of each unseen series of a file on its own past, if that is long enough.

    Args:
        ends: windows -> the ends (windows, horizon) of their uncalibrated intervals.

    Returns:
        {index of the series: (horizon,) number of interval widths by which to widen the interval at each end}.
    """
    found = {}
    for number in mine.unseen():
        windows = past(mine, number, config)
        if conformal.enough(windows.observed()):
            grid = conformal.grid_of(conformal.scores(*ends(windows), windows.future()), windows.observed())
            found[number] = conformal.looked_up(grid, np.full(config.horizon, 1 - config.coverage))
    return found
