"""The inputs of each day: computed from its bar and the previous bars only."""

import dataclasses

import numpy as np

from .bars import Bars
from .rolling import filled, previous, trailing_mean
from .variance import FLOOR, garman_klass, log_return, parkinson

SPANS = (1, 5, 22, 66)  # days of the averages: a day, a week, a month, a quarter
WARM_UP = SPANS[-1]  # days of each ticker before its first example
# Results are published once a quarter, 13 weeks of about 63 trading days apart: what was wild then may be so again.
QUARTER = 63
WIDTHS = (1, 1, 2, 2)  # days to each side of the same day one, two, three and four quarters ago
CLIPPED = 6.0  # standard deviations


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """What is measured on each day, in per cent and squared per cent; (tickers, days), NaN where it is unknown.

    Attributes:
        returns: from Close to Close, over the days without a bar. overnight: from Close to the next Open.
        daytime: from Open to Close.
        ranges: Garman and Klass' variance of the day's range, Parkinson's where that is not above zero.
        variance: overnight^2 + ranges, at least `FLOOR`: what is to be predicted.
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
        """The second proxy of the variance: the squared return."""
        return self.returns**2


def measured(found: Bars) -> Series:
    """The series of all tickers, each from its own bars one after the other."""
    traded = np.isfinite(found.close)
    before = previous(found.close)
    overnight = log_return(found.open, before)
    ranges = garman_klass(found.open, found.high, found.low, found.close)
    # Where the Open is missing the range still tells about the day, but not about the night.
    ranges = np.where(np.isnan(found.open), parkinson(found.high, found.low), ranges)
    variance = np.maximum(overnight**2 + ranges, FLOOR)
    daytime = log_return(found.close, found.open)
    return Series(log_return(found.close, before), overnight, daytime, ranges, variance, traded)


def log_variance(variance: np.ndarray) -> np.ndarray:
    """The log of an average variance, not below that of `FLOOR`."""
    return np.log(np.maximum(variance, FLOOR))


def inputs(found: Bars, series: Series) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and values (tickers, days, inputs) of all inputs; unscaled, without a gap after a ticker's first day."""
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
    """The inputs that a ticker's own bars give, on its own days."""
    returns, overnight = series.returns[number, own], series.overnight[number, own]
    ranges, variance, volume = series.ranges[number, own], series.variance[number, own], found.volume[number, own]
    columns = {f"log_range_{span}": log_variance(trailing_mean(ranges, span)) for span in SPANS}
    columns |= {f"log_variance_{span}": log_variance(trailing_mean(variance, span)) for span in SPANS}
    columns |= {f"log_night_{span}": log_variance(trailing_mean(overnight**2, span)) for span in SPANS[1:]}
    columns |= {f"log_square_{span}": log_variance(trailing_mean(returns**2, span)) for span in SPANS[1:]}
    # Returns are measured by the volatility of the quarter, so that those of all tickers and years are alike.
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
    """(days,) the largest value about one quarter before the next `span` days, and two, three and four: their mean.

    NaN where none is known.
    """
    total, count = np.zeros(len(values)), np.zeros(len(values))
    for quarter, width in enumerate(WIDTHS, 1):
        # The next bar is one bar ahead, so that the one `lag` before it is lag - 1 back.
        lags = range(QUARTER * quarter - span + 1 - width, QUARTER * quarter + width + 1)
        shifted = [np.concatenate([np.full(lag - 1, np.nan), values])[: len(values)] for lag in lags]
        largest = np.fmax.reduce(shifted)
        known = np.isfinite(largest)
        total[known] += largest[known]
        count += known
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _market(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The average over the tickers that traded on the day, of what tells most about their common volatility."""
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
    """Inputs as the network reads them: float32, in standard deviations of the training days, 0 where unknown."""
    return np.nan_to_num(np.clip((values - mean) / deviation, -CLIPPED, CLIPPED), nan=0.0).astype(np.float32)
