"""Estimates of a day's variance from its bar, and the QLIKE loss of variance forecasts. Returns are in per cent."""

import numpy as np

FLOOR = 1e-4  # lower limit of a variance in squared per cent: one basis point per day, about a price tick


def log_return(later: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """100 log(later / earlier), in per cent."""
    return 100 * (np.log(later) - np.log(earlier))


def parkinson(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Variance from the range alone, Parkinson (1980), doi:10.1086/296071: log(H/L)^2 / (4 log 2)."""
    return log_return(high, low) ** 2 / (4 * np.log(2))


def garman_klass(open_: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> np.ndarray:
    """Garman and Klass (1980), doi:10.1086/296072: log(H/L)^2 / 2 - (2 log 2 - 1) log(C/O)^2.

    Falls back to Parkinson's estimate if that is not positive, which can happen if the Open or Close is slightly wrong.
    """
    found = 0.5 * log_return(high, low) ** 2 - (2 * np.log(2) - 1) * log_return(close, open_) ** 2
    return np.where(found > 0, found, parkinson(high, low))


def qlike(variance: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """y/f - log(y/f) - 1 per day, 0 for a perfect forecast; Patton (2011), doi:10.1016/j.jeconom.2010.03.034.

    It ranks forecasts consistently for every unbiased proxy y, and penalises underprediction most.
    """
    ratio = variance / forecast
    return ratio - np.log(ratio) - 1


def qlike_of_square(squared_return: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """log f + r^2/f: the same ranking without log r^2, which is infinite on a day without a price change."""
    return np.log(forecast) + squared_return / forecast
