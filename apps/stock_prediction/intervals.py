"""90 % intervals of the volatility and of the next return, and how often they hold."""

import numpy as np
from scipy import stats

from . import baselines
from .config import HORIZONS
from .data import Data, Refit
from .model import FREEDOM, MEAN, SCALE

LEVEL = 0.9  # nominal coverage
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def relative(data: Data, refit: Refit, raw: np.ndarray) -> np.ndarray:
    """(horizons, tickers, days): realised over predicted variance.

    Args:
        raw: (horizons, tickers, days) the network's variances before calibration.
    """
    return data.targets.variance / (raw * baselines.factors(raw, data, refit)[..., None])


def ratios(data: Data, refit: Refit, raw: np.ndarray) -> np.ndarray:
    """(horizons, 2): the quantiles of `relative` on the validation days, by which a forecast becomes an interval."""
    pairs = zip(relative(data, refit, raw), data.valid(refit), strict=True)
    return np.array([np.quantile(found[valid], TAILS) for found, valid in pairs])


def coverage(data: Data, raw: dict[int, np.ndarray]) -> list[float]:
    """Returns, for each horizon, the share of the test days' volatilities inside their interval; `raw` is by refit."""
    inside: list[list[np.ndarray]] = [[] for _ in HORIZONS]
    for refit in data.refits:
        found, tested = relative(data, refit, raw[refit.number]), data.test(refit)
        for place, (low, high) in enumerate(ratios(data, refit, raw[refit.number])):
            some = found[place][tested[place]]
            inside[place].append((low <= some) & (some <= high))
    return [float(np.concatenate(some).mean()) for some in inside]


def of_return(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the interval of the next return, from the Student-t outputs (..., outputs)."""
    degrees = 2.5 + np.logaddexp(0, found[..., FREEDOM] + 2.0)
    scale = np.exp(found[..., SCALE]) * np.sqrt((degrees - 2) / degrees)
    low, high = (found[..., MEAN] + scale * stats.t.ppf(tail, degrees) for tail in TAILS)
    return low, high
