"""The simulated trading of the backtest: positions from forecasts, returns after costs, deflated Sharpe ratios."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from .data import Data
from .significance import interval

YEAR = 252  # trading days, of what is not traded at weekends
EULER = 0.5772156649015329
BASIS_POINT = 1e-4


@dataclasses.dataclass(frozen=True)
class Terms:
    """Trading terms: costs per turnover in basis points, target volatility in per cent per year, maximum position, and
    the number of days in a year."""

    cost_bps: float = 5.0
    slippage_bps: float = 2.0
    target_volatility: float = 15.0
    leverage: float = 1.0
    per_year: int = YEAR


def volatility_target(variance: np.ndarray, terms: Terms) -> np.ndarray:
    """Positions with constant expected volatility: smaller when more volatility is predicted, never short."""
    return np.minimum(terms.target_volatility / np.sqrt(terms.per_year * variance), terms.leverage)


def direction(up: np.ndarray, terms: Terms) -> np.ndarray:
    """Fully invested if a rise is more likely than a fall, else out of the market; up: probability of a rise."""
    return np.where(up > 0.5, min(1.0, terms.leverage), 0.0)


def traded(data: Data) -> np.ndarray:
    """(tickers, days) bool: the days of the decisions whose result is known."""
    return data.tested()[0] & np.isfinite(data.targets.returns)


def result_days(data: Data) -> np.ndarray:
    """Returns the days of the results, each the first bar of a ticker after a decision."""
    return data.bars.days[np.unique(data.targets.first[traded(data)])]


def earned(positions: np.ndarray, data: Data, terms: Terms) -> np.ndarray:
    """Returns what an equal share in each ticker earns on each test day, after costs: (days,) simple returns.

    A position is decided after a day's Close and traded at the next Open, so the previous one still earns the overnight
    return, with which that of the daytime compounds. The cost of each change is paid at the Open, including that of the
    first position. The returns are those of the days `result_days`.

    Args:
        positions: (tickers, days) by the day of the decision, as multiples of the ticker's share of the capital.
    """
    tested = traded(data)
    days = len(data.bars.days)
    total, count = np.zeros(days), np.zeros(days)
    price = (terms.cost_bps + terms.slippage_bps) * BASIS_POINT
    for number in range(len(positions)):
        origins = np.flatnonzero(tested[number])
        now = positions[number, origins]
        before = np.concatenate([[0.0], now[:-1]])
        night, day = (getattr(data.targets, name)[number, origins] for name in ("overnight", "daytime"))
        # Without an Open there is no trade, and the old position earns the whole day's return.
        unknown = np.isnan(night) | np.isnan(day)
        now = np.where(unknown, before, now)
        night = np.where(unknown, data.targets.returns[number, origins], night)
        day = np.where(unknown, 0.0, day)
        by_day = 1 + now * np.expm1(day / 100) - price * np.abs(now - before)
        profit = (1 + before * np.expm1(night / 100)) * by_day - 1
        total[data.targets.first[number, origins]] += profit
        count[data.targets.first[number, origins]] += 1
    return total[count > 0] / count[count > 0]


def sharpe(returns: np.ndarray, per_year: int = YEAR) -> float:
    """Annualised ratio of mean to standard deviation of daily returns, without interest on cash."""
    deviation = returns.std(ddof=1)
    return float(returns.mean() / deviation * math.sqrt(per_year)) if deviation > 0 else 0.0


def sharpe_interval(returns: np.ndarray, per_year: int = YEAR) -> tuple[float, float]:
    """Returns the 95 % interval of the Sharpe ratio, by the block bootstrap over days."""
    return interval(lambda rows: sharpe(returns[rows], per_year), len(returns))


def drawdown(returns: np.ndarray) -> float:
    """Returns the largest loss from a peak, as a share of the peak."""
    wealth = np.concatenate([[1.0], np.cumprod(1 + returns)])
    return float((1 - wealth / np.maximum.accumulate(wealth)).max())


def expected_best(spread: float, count: int) -> float:
    """Returns the expected best Sharpe ratio of `count` trials without any skill.

    Bailey and Lopez de Prado (2014), "The deflated Sharpe ratio", doi:10.3905/jpm.2014.40.5.094, equation 1:
    sqrt(V) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e))), g Euler's constant, Z the normal quantile function.

    Args:
        spread: sqrt(V), the standard deviation of the trials' ratios. count: N.
    """
    if count < 2:
        return 0.0
    first, second = stats.norm.ppf(1 - 1 / count), stats.norm.ppf(1 - 1 / (count * math.e))
    return spread * float((1 - EULER) * first + EULER * second)


def deflated_sharpe(ratio: float, least: float, days: int, skew: float, kurtosis: float) -> float:
    """Returns the probability that the true Sharpe ratio is above `least`.

    The same source, equation 2: Z((SR - SR0) sqrt(T - 1) / sqrt(1 - s SR + (k - 1) / 4 SR^2)), Z the normal CDF.

    Args:
        ratio, least: SR and SR0 per day, not per year. days: T.
        skew, kurtosis: s and k of the daily returns; 0 and 3 for a normal distribution.
    """
    spread = math.sqrt(max(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2, 1e-12))
    return float(stats.norm.cdf((ratio - least) * math.sqrt(days - 1) / spread))


def deflated(returns: np.ndarray, trials: Sequence[float], per_year: int = YEAR) -> float:
    """Returns the probability that the true Sharpe ratio exceeds what the best trial would reach by chance.

    Args:
        trials: the annualised Sharpe ratios of all trials, including this one.
    """
    if not returns.std() > 0:
        return 0.0
    of_a_day = np.asarray(trials) / math.sqrt(per_year)
    least = expected_best(float(of_a_day.std(ddof=1)) if len(trials) > 1 else 0.0, len(trials))
    moments = float(stats.skew(returns)), float(stats.kurtosis(returns, fisher=False))
    return deflated_sharpe(sharpe(returns, 1), least, len(returns), *moments)
