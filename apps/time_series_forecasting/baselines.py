"""Baselines: naive and linear forecasts, with intervals from their validation errors."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import ridge
from .config import Config
from .data import Data
from .heads import LEVELS
from .windows import Windows

RIDGES = (96, 336, 512, 720)  # lookbacks of the linear forecasts
MOST = 2000  # maximum number of validation windows used to estimate the spread

Baseline = Callable[[Windows], np.ndarray]  # -> (windows, horizon), scaled


def baselines(data: Data, config: Config) -> dict[str, Baseline]:
    """Returns the baselines that apply to the data, fitted on the training part."""
    store = data.test.store
    found: dict[str, Baseline] = {"last_value": lambda windows: repeated(windows, np.ones_like(windows.store.season))}
    if (store.season > 1).any():
        found["seasonal_naive"] = lambda windows: repeated(windows, windows.store.season)
    if ((store.week > 1) & (store.week != store.season)).any():
        found["last_week"] = lambda windows: repeated(windows, windows.store.week)
    fitted = []
    # The lookbacks of the run and those common in the literature, ascending and without duplicates
    for length in ridge.lookbacks(data.linear, sorted({*config.linear, *RIDGES})):
        if data.test.at.min() < length:
            continue
        fitted.append(ridge.fit(data.linear, data.valid, length, config.normalise, config.lookback))
        found[f"ridge_{length}"] = linear(fitted[-1], config)
    several = [each for each in fitted if len(each.kernel) > RIDGES[0]]
    if len(several) > 1:
        found["ridge_mean"] = linear(ridge.mean(several, max(len(each.kernel) for each in several)), config)
    return found


def repeated(windows: Windows, steps: np.ndarray) -> np.ndarray:
    """(windows, horizon): the last `steps` (series,) values of each window, repeated; the last one if it has fewer."""
    found = np.empty((len(windows), windows.horizon), np.float32)
    wanted = np.where(windows.at >= steps[windows.who], steps[windows.who], 1)
    for count in np.unique(wanted).tolist():
        rows = np.flatnonzero(wanted == count)
        found[rows] = windows.past(rows, count)[:, np.arange(windows.horizon) % count]
    return found


def linear(fitted: ridge.Ridge, config: Config) -> Baseline:
    """Wraps a ridge regression as a baseline."""
    length = len(fitted.kernel)

    def forecast(windows: Windows) -> np.ndarray:
        reach = max(length, config.lookback) if config.normalise == "window" else length
        found = np.empty((len(windows), windows.horizon), np.float32)
        for start in range(0, len(windows), ridge.CHUNK):
            rows = np.arange(start, min(start + ridge.CHUNK, len(windows)))
            x, shift, scale = ridge.normalised(windows.past(rows, reach), config.normalise, config.lookback)
            found[rows] = shift + scale * fitted(x)
        return found

    return forecast


def spread(baseline: Baseline, valid: Windows) -> np.ndarray:
    """(horizon, `LEVELS`): the quantiles of a baseline's validation errors."""
    some = valid.among(np.unique(np.linspace(0, len(valid) - 1, MOST).round().astype(int)))
    return np.quantile(some.future() - baseline(some), LEVELS, axis=0).T


def published(config: Config) -> Mapping[str, Any] | None:
    """Returns the published result of a recurrent network for the same data, split and horizon, if there is one."""
    if config.data != "etth1" or config.lookback != 96 or config.reach != 96:
        return None
    mse = {96: 0.368, 192: 0.408, 336: 0.444, 720: 0.446}.get(config.horizon)
    return None if mse is None else {"name": "SegRNN (Lin et al. 2023)", "value": mse, "source": "arXiv:2308.11200"}
