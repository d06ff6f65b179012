"""Adaptive intervals over consecutive forecasts, as they would have been issued at the time."""

import numpy as np

from .conformal import Adaptive
from .predict import Predictor
from .windows import Windows


def adapted(predictor: Predictor, windows: Windows, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intervals (windows, horizon) of forecasts at moments that follow each other, adapted with what came meanwhile.

    Args:
        windows: whose forecasts they are. low, high: their ends before, see `Answer.interval`.
    """
    config = predictor.config
    found = low.copy(), high.copy()
    for rows in runs_of(windows):
        one = windows.among(rows[:1])
        state = Adaptive(predictor.grid(one, "usual"), config.coverage, config.adapt_rate)
        store, place = windows.store, windows.store.start[one.who[0]]
        for number, row in enumerate(rows.tolist()):
            if number:
                step = place + windows.at[row] - 1
                state.observe(store.values[step : step + 1], store.observed[step : step + 1])
            for part, end in zip(found, state.interval(low[row : row + 1], high[row : row + 1]), strict=True):
                part[row] = end[0]
    return found


def runs_of(windows: Windows) -> list[np.ndarray]:
    """The windows of each series that follow each other step by step."""
    order = np.lexsort((windows.at, windows.who))
    who, at = windows.who[order], windows.at[order]
    cuts = np.flatnonzero((np.diff(who) != 0) | (np.diff(at) != 1)) + 1
    return np.split(order, cuts)


def by_part(
    windows: Windows, low: np.ndarray, high: np.ndarray, names: list[str]
) -> tuple[float, dict[str, float], list[float]]:
    """The share of observed values inside of their intervals: in all, of each series, and at each step ahead."""
    actual, observed = windows.future(), windows.observed()
    inside = (actual >= low) & (actual <= high) & observed
    count = np.maximum(observed.sum(), 1)
    series = {}
    for number, name in enumerate(names):
        mine = windows.who == number
        series[name] = float(inside[mine].sum() / max(observed[mine].sum(), 1))
    steps = inside.sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
    return float(inside.sum() / count), series, steps.tolist()
