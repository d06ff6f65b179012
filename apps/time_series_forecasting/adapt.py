"""Adaptive intervals over consecutive forecasts, as they would have been issued at the time."""

import numpy as np

from .conformal import Adaptive
from .predict import Predictor
from .windows import Windows


def adapted(predictor: Predictor, windows: Windows, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Adapts the intervals (windows, horizon) of consecutive forecasts, using only values observed before each of them.

    Args:
        windows: the forecast windows. low, high: the ends of their intervals from `Answer.interval`.
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
    """Splits the windows into runs of consecutive steps of the same series."""
    order = np.lexsort((windows.at, windows.who))
    who, at = windows.who[order], windows.at[order]
    cuts = np.flatnonzero((np.diff(who) != 0) | (np.diff(at) != 1)) + 1
    return np.split(order, cuts)


def by_part(
    windows: Windows, low: np.ndarray, high: np.ndarray, names: list[str]
) -> tuple[float, dict[str, float], dict[int, float]]:
    """Returns the share of observed values inside their intervals: overall, per series, and per step ahead.

    Series and steps without an observed value are left out.
    """
    actual, observed = windows.future(), windows.observed()
    inside = (actual >= low) & (actual <= high) & observed
    count = np.maximum(observed.sum(), 1)
    series = {}
    for number, name in enumerate(names):
        mine = windows.who == number
        if observed[mine].any():
            series[name] = float(inside[mine].sum() / observed[mine].sum())
    there = np.flatnonzero(observed.any(axis=0)).tolist()
    steps = {step: float(inside[:, step].sum() / observed[:, step].sum()) for step in there}
    return float(inside.sum() / count), series, steps
