"""Moving averages and last known values; each day uses only that day and earlier ones."""

import numpy as np


def trailing_mean(values: np.ndarray, span: int) -> np.ndarray:
    """(days,) the mean of the known ones among the last `span` values; NaN where none is known.

    >>> trailing_mean(np.array([1.0, 3.0, np.nan, 5.0]), 2).tolist()
    [1.0, 2.0, 3.0, 5.0]
    """
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - span, 0)
    count = counts[ends] - counts[starts]
    return np.divide(sums[ends] - sums[starts], count, out=np.full(len(values), np.nan), where=count > 0)


def filled(values: np.ndarray) -> np.ndarray:
    """Forward fill: replaces each unknown value in (tickers, days, ...) with the last known one before it."""
    known = np.isfinite(values)
    days = np.arange(values.shape[1]).reshape(1, -1, *[1] * (values.ndim - 2))
    last = np.maximum.accumulate(np.where(known, days, 0), axis=1)
    return np.take_along_axis(values, last, axis=1)


def previous(values: np.ndarray) -> np.ndarray:
    """Returns the last known value before each day, (tickers, days)."""
    return filled(np.concatenate([np.full((len(values), 1), np.nan), values[:, :-1]], axis=1))
