"""90 % intervals of the volatility and of the next return, and how often they hold."""

import numpy as np
from scipy import stats

from . import baselines
from .config import HORIZONS
from .data import Data, Refit
from .model import FREEDOM, MEAN, SCALE

LEVEL = 0.9  # nominal coverage
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def ratios(data: Data, refit: Refit, raw: np.ndarray) -> np.ndarray:
    """(horizons, 2): the quantiles of realised over predicted variance on the validation days, after calibration.

    Args:
        raw: (horizons, tickers, days) the network's variances before calibration.
    """
    found = data.targets.variance / (raw * baselines.factors(raw, data, refit)[..., None])
    return np.array([np.quantile(some[known], TAILS) for some, known in zip(found, data.valid(refit), strict=True)])


def coverage(data: Data, raw: dict[int, np.ndarray]) -> list[float]:
    """Returns, for each horizon, the share of the test days' volatilities inside their interval.

    Args:
        raw: by refit, see `ratios`.
    """
    inside: list[list[np.ndarray]] = [[] for _ in HORIZONS]
    for refit in data.refits:
        forecast = raw[refit.number] * baselines.factors(raw[refit.number], data, refit)[..., None]
        ends, tested = ratios(data, refit, raw[refit.number]), data.test(refit)
        for place, (low, high) in enumerate(ends):
            found = (data.targets.variance[place] / forecast[place])[tested[place]]
            inside[place].append((low <= found) & (found <= high))
    return [float(np.concatenate(some).mean()) for some in inside]


def of_return(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the interval of the next return, from the Student-t outputs (..., outputs)."""
    degrees = 2.5 + np.logaddexp(0, found[..., FREEDOM] + 2.0)
    scale = np.exp(found[..., SCALE]) * np.sqrt((degrees - 2) / degrees)
    low, high = (found[..., MEAN] + scale * stats.t.ppf(tail, degrees) for tail in TAILS)
    return low, high
