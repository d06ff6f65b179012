"""Tests whether one forecast is significantly better than another."""

import math
from collections.abc import Callable, Mapping

import numpy as np

BLOCK_DAYS = 22  # block length of the bootstrap, since nearby days are correlated
DRAWS = 1000
MCS_LEVEL = 0.1  # the set contains the best forecast with a probability of at least 90 %


def daily(losses: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """Losses (tickers, days) -> (tested days,) their mean over the tickers tested on each day.

    Tickers are correlated on the same day: counted individually, they would greatly overstate the evidence.
    """
    days = tested.any(axis=0)
    some = tested[:, days]
    return np.where(some, losses[:, days], 0).sum(axis=0) / some.sum(axis=0)


def newey_west(series: np.ndarray, lags: int) -> float:
    """Returns the standard error of the mean of a series, by Newey and West (1987) with Bartlett weights."""
    centred, count = series - series.mean(), len(series)
    variance = centred @ centred / count
    for lag in range(1, min(lags, count - 1) + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag]) / count
    return math.sqrt(max(variance, 0.0) / count)


def lags_for(count: int, horizon: int) -> int:
    """Returns the number of lags: those whose targets overlap, and at least 4 (T / 100)^(2/9)."""
    return max(horizon - 1, int(4 * (count / 100) ** (2 / 9)))


def diebold_mariano(first: np.ndarray, second: np.ndarray, horizon: int) -> dict[str, float]:
    """Diebold and Mariano (1995), doi:10.1080/07350015.1995.10524599, for two series of daily losses.

    Returns:
        difference: mean of first - second, negative if the first forecast is better; error: its standard error; t;
        p (two-sided).
    """
    series = first - second
    error = newey_west(series, lags_for(len(series), horizon))
    difference = float(series.mean())
    t = difference / error if error else 0.0
    return {"difference": difference, "error": error, "t": t, "p": math.erfc(abs(t) / math.sqrt(2))}


def confidence_set(losses: Mapping[str, np.ndarray], seed: int = 0) -> list[str]:
    """Returns the forecasts in the model confidence set (Hansen, Lunde and Nason 2011), computed with `arch`."""
    from arch.bootstrap import MCS

    names = list(losses)
    size = min(BLOCK_DAYS, max(1, len(losses[names[0]]) // 4))
    found = MCS(np.stack([losses[name] for name in names], axis=1), MCS_LEVEL, reps=DRAWS, block_size=size, seed=seed)
    found.compute()
    return [names[number] for number in sorted(found.included)]


def interval(score: Callable[[np.ndarray], float], days: int, draws: int = DRAWS) -> tuple[float, float]:
    """Returns the 95 % interval of a statistic over days, by the circular block bootstrap.

    Args:
        score: rows (days,), possibly repeated -> the statistic. days: number of days.
    """
    generator = np.random.default_rng(0)
    block = min(BLOCK_DAYS, days)
    found = []
    for _ in range(draws):
        starts = generator.integers(0, days, -(-days // block))
        rows = (starts[:, None] + np.arange(block)).ravel()[:days] % days
        found.append(score(rows))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)
