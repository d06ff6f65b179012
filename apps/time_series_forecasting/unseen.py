"""Intervals for series that training never saw: from how far forecasts of their own past were off."""

from collections.abc import Callable

import numpy as np

from . import conformal
from .config import Config
from .data import Mine
from .windows import Windows

MOST = 200  # of the latest past forecasts of a series
Ends = tuple[np.ndarray, np.ndarray]


def past(mine: Mine, number: int, config: Config) -> Windows:
    """The latest windows of one series whose future has come, none of which reaches before its first value."""
    more = mine.padded[number]
    at = np.arange(config.reach + more, len(mine.panel.series[number]) + more - config.horizon + 1)[-MOST:]
    return Windows(mine.store, np.full(len(at), number), at, mine.code, config.reach, config.horizon)


def calibrated(mine: Mine, config: Config, ends: Callable[[Windows], Ends]) -> dict[int, np.ndarray]:
    """Split conformal calibration of each unseen series of a file on its own past, where that is long enough.

    Args:
        ends: windows -> the ends (windows, horizon) of their intervals before calibration.

    Returns:
        The place of the series in the file -> (horizon,) by how many widths its intervals are to be moved outwards.
    """
    found = {}
    for number in mine.unseen():
        windows = past(mine, number, config)
        if len(windows) >= conformal.FEWEST:
            grid = conformal.grid_of(conformal.scores(*ends(windows), windows.future()), windows.observed())
            found[number] = conformal.looked_up(grid, np.full(config.horizon, 1 - config.coverage))
    return found
