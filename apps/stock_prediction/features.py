"""The inputs of each day: computed from its bar and the previous bars only."""

import dataclasses

import numpy as np

from .bars import Bars
from .rolling import filled, previous, trailing_mean
from .variance import FLOOR, garman_klass, log_return, parkinson

SPANS = (1, 5, 22, 66)  # days of the averages: a day, a week, a month, a quarter
WARM_UP = SPANS[-1]  # days needed before a ticker's first example
# Results are published quarterly, 13 weeks or about 63 trading days apart, so volatility often rises again then.
QUARTER = 63
WIDTHS = (1, 1, 2, 2)  # days on each side of the same day one, two, three and four quarters ago
CLIPPED = 6.0  # standard deviations


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """The measurements of each day, in per cent and squared per cent: (tickers, days), NaN if unknown.

    Attributes:
        returns: from Close to Close, across days without a bar. overnight: from Close to the next Open.
        daytime: from Open to Close.
        ranges: Garman and Klass' variance from the day's range, or Parkinson's where that is not positive.
        variance: overnight^2 + ranges, at least `FLOOR`: the quantity to predict.
        traded: bool, whether there is a bar.
    """

    returns: np.ndarray
    overnight: np.ndarray
    daytime: np.ndarray
    ranges: np.ndarray
    variance: np.ndarray
    traded: np.ndarray

    @property
    def squares(self) -> np.ndarray:
        """The second variance proxy: the squared return."""
        return self.returns**2


def measured(found: Bars) -> Series:
    """Computes the measurements of all tickers, each from its own bars."""
    traded = np.isfinite(found.close)
    before = previous(found.close)
    overnight = log_return(found.open, before)
    ranges = garman_klass(found.open, found.high, found.low, found.close)
    # Without an Open, the range still measures the daytime variance, but the overnight return is unknown.
    ranges = np.where(np.isnan(found.open), parkinson(found.high, found.low), ranges)
    variance = np.maximum(overnight**2 + ranges, FLOOR)
    daytime = log_return(found.close, found.open)
    return Series(log_return(found.close, before), overnight, daytime, ranges, variance, traded)


def log_variance(variance: np.ndarray) -> np.ndarray:
    """Returns the log of an average variance, which is limited to `FLOOR` from below."""
    return np.log(np.maximum(variance, FLOOR))


def inputs(found: Bars, series: Series) -> tuple[tuple[str, ...], np.ndarray]:
    """Returns names and values (tickers, days, inputs) of all inputs, unscaled and forward-filled."""
    count, days = series.traded.shape
    columns: dict[str, np.ndarray] = {}
    for number in range(count):
        own = np.flatnonzero(series.traded[number])
        for name, values in _of_ticker(found, series, number, own).items():
            columns.setdefault(name, np.full((count, days), np.nan))[number, own] = values
    if count > 1:
        columns |= _market(columns)
    values = filled(np.stack(list(columns.values()), axis=-1))
    return tuple(columns), values


def _of_ticker(found: Bars, series: Series, number: int, own: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the inputs computed from a ticker's own bars, on its own days."""
    returns, overnight = series.returns[number, own], series.overnight[number, own]
    ranges, variance, volume = series.ranges[number, own], series.variance[number, own], found.volume[number, own]
    columns = {f"log_range_{span}": log_variance(trailing_mean(ranges, span)) for span in SPANS}
    columns |= {f"log_variance_{span}": log_variance(trailing_mean(variance, span)) for span in SPANS}
    columns |= {f"log_night_{span}": log_variance(trailing_mean(overnight**2, span)) for span in SPANS[1:]}
    columns |= {f"log_square_{span}": log_variance(trailing_mean(returns**2, span)) for span in SPANS[1:]}
    # Returns are divided by the volatility of the quarter, to be comparable across tickers and years.
    usual = np.exp(columns["log_variance_66"] / 2)
    for span in SPANS[:3]:
        columns[f"return_{span}"] = trailing_mean(returns, span) * np.sqrt(span) / usual
        columns[f"fall_{span}"] = trailing_mean(np.minimum(returns, 0), span) * np.sqrt(span) / usual
    relative = np.log(variance) - columns["log_variance_66"]
    columns |= {f"season_{span}": season(relative, span) for span in SPANS[:3]}
    columns["size_1"] = np.abs(returns) / usual
    columns["night"] = overnight / usual
    columns["night_size"] = np.abs(overnight) / usual
    with np.errstate(divide="ignore", invalid="ignore"):
        quarter = trailing_mean(volume, SPANS[3])
        columns |= {f"volume_{span}": np.log(trailing_mean(volume, span) / quarter) for span in SPANS[:3]}
    return columns


def season(values: np.ndarray, span: int) -> np.ndarray:
    """(days,): the largest value at the time of the next `span` days 1, 2, 3 and 4 quarters ago, averaged over these.

    NaN if none is known.
    """
    total, count = np.zeros(len(values)), np.zeros(len(values))
    for quarter, width in enumerate(WIDTHS, 1):
        # The next bar is one bar ahead, so the bar `lag` before it is lag - 1 back.
        lags = range(QUARTER * quarter - span + 1 - width, QUARTER * quarter + width + 1)
        shifted = [np.concatenate([np.full(lag - 1, np.nan), values])[: len(values)] for lag in lags]
        largest = np.fmax.reduce(shifted)
        known = np.isfinite(largest)
        total[known] += largest[known]
        count += known
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _market(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Averages the inputs most informative about common volatility over the tickers that traded on each day."""
    kinds = ("log_variance_", "log_range_", "return_", "fall_", "size_", "night_size", "volume_1")
    found = {}
    for name, values in columns.items():
        if name.startswith(kinds):
            known = np.isfinite(values)
            count = known.sum(axis=0)
            total = np.where(known, values, 0).sum(axis=0)
            mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
            found[f"market_{name}"] = np.broadcast_to(mean, values.shape).copy()
    return found


def scaled(values: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Normalises inputs for the network: float32, in standard deviations of the training days, 0 where unknown."""
    return np.nan_to_num(np.clip((values - mean) / deviation, -CLIPPED, CLIPPED), nan=0.0).astype(np.float32)
