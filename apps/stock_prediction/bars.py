"""Daily bars of several tickers, validated: invalid bars are corrected or dropped, and reported.

Every rule uses only the day itself and earlier days, so that later information does not change an input.
"""

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from shared import InputError
from shared.data.wording import sized

from .rolling import previous, trailing_mean

PRICES = ("open", "high", "low", "close")
# A High or Low counts as a misprint if its log distance from Open and Close is more than ...
WICK = 0.1
WICK_RANGES = 4.0  # ... and more than this multiple of the mean range of the month before: those of late 2008 are real,
MARKET_WICK = 0.02  # and the other tickers' median is below this on that day: 2010-05-06, 2015-08-24 are real.
MONTH = 22
# A jump of the Close is noted if its factor is closer to one of these split ratios than `SPLIT`, in logs, or larger.
SPLIT, SPLITS = 0.08, (1.5, 2.0, 3.0)
LEAST_JUMP = 0.35
JUMPS = "jumps of the Close by the factor of a split (1.5, 2) or by 3 or more, kept: adjust or correct the prices"
UNKNOWN = "bars without Open, High or Low: the variance of that day is unknown"
FLAT = "bars without a range, Open = High = Low = Close, whose daytime variance is 0: closing prices only?"
OFTEN_AT_WEEKENDS = 0.1  # share of the days; 2 of 7 if every day is a trading day
GAP_DAYS = 10  # longer gaps, in calendar days, are noted
NAMED = 3  # number of places listed in a note; the others are counted


@dataclasses.dataclass(frozen=True)
class Row:
    """One bar as read; empty cells are NaN. `where` is its location for messages."""

    day: np.datetime64
    open: float
    high: float
    low: float
    close: float
    volume: float
    where: str


@dataclasses.dataclass(frozen=True, eq=False)
class Bars:
    """Bars of all tickers on the union of their days.

    Attributes:
        source: name in messages. tickers: their names.
        days: (days,) datetime64[D], ascending.
        open, high, low, close, volume: (tickers, days) float64; NaN if unknown; close is NaN if there is no bar.
        notes: one line with a count for each kind of correction, omission or anomaly, without the source.
        counts: number of occurrences of each kind.
    """

    source: str
    tickers: tuple[str, ...]
    days: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def per_year(self) -> int:
        """The number of bars in a year: 365 for what is also traded at weekends, else 252."""
        weekend = np.is_busday(self.days, "0000011")
        return 365 if weekend.mean() > OFTEN_AT_WEEKENDS else 252

    def last(self, count: int) -> "Bars":
        """Returns only the last `count` days, or all if 0; drops tickers without a bar among them."""
        if not count or count >= len(self.days):
            return self
        there = np.isfinite(self.close[:, -count:]).any(axis=1)
        arrays = {name: getattr(self, name)[there, -count:] for name in (*PRICES, "volume")}
        tickers = tuple(name for name, kept in zip(self.tickers, there, strict=True) if kept)
        return dataclasses.replace(self, tickers=tickers, days=self.days[-count:], **arrays)


def bars(source: str, rows: Mapping[str, Sequence[Row]]) -> Bars:
    """Validates the rows of each ticker, in any order, and returns them as bars.

    Raises:
        InputError: a bar is invalid, two bars of the same day differ, or a ticker's price never changes.
    """
    found: dict[str, list[str]] = collections.defaultdict(list)
    series = {name: _in_order(list(listed), found) for name, listed in rows.items()}
    days = np.unique(np.concatenate([[row.day for row in listed] for listed in series.values()]))
    shape = (len(series), len(days))
    arrays = {name: np.full(shape, np.nan) for name in (*PRICES, "volume")}
    where = np.full(shape, "", object)
    for number, (name, listed) in enumerate(series.items()):
        _look_over(name, listed, rows[name][0].where, found)
        at = np.searchsorted(days, [row.day for row in listed])
        where[number, at] = [row.where for row in listed]
        for column, array in arrays.items():
            array[number, at] = [getattr(row, column) for row in listed]
    _repair(arrays, where, found)
    notes = tuple(_note(source, kind, places) for kind, places in found.items())
    counts = {kind: len(places) for kind, places in found.items()}
    return Bars(source, tuple(series), days, **arrays, notes=notes, counts=counts)


def _in_order(rows: list[Row], found: dict[str, list[str]]) -> list[Row]:
    """Returns the rows in chronological order, one per day, without those that have no Close."""
    for before, row in zip(rows, rows[1:], strict=False):
        if row.day < before.day:
            found["rows out of order, sorted by day"].append(row.where)
    kept: dict[np.datetime64, Row] = {}
    for row in sorted(rows, key=lambda row: row.day):
        first = kept.setdefault(row.day, row)
        if first is row:
            continue
        if not _equal(first, row):
            raise InputError(f"{row.where}: expected one bar a day; {row.day} has another one in {first.where}")
        found["duplicate rows, read once"].append(row.where)
    for row in kept.values():
        if np.isnan(row.close):
            found["rows without a Close, left out"].append(row.where)
    return [row for row in kept.values() if np.isfinite(row.close)]


def _equal(first: Row, second: Row) -> bool:
    values = [[getattr(row, name) for name in (*PRICES, "volume")] for row in (first, second)]
    return np.array_equal(*values, equal_nan=True)


def _look_over(name: str, rows: list[Row], where: str, found: dict[str, list[str]]) -> None:
    """Raises InputError if the rows are not a price series; notes gaps and jumps that look like splits."""
    if len(rows) < 2:
        raise InputError(f"{where}: expected two or more bars with a Close of {name}; received {len(rows)}")
    closes = np.array([row.close for row in rows])
    if (closes == closes[0]).all():
        raise InputError(f"{rows[0].where}: expected prices that change; every Close of {name} is {closes[0]:g}")
    for before, row in zip(rows, rows[1:], strict=False):
        if (row.day - before.day).astype(int) > GAP_DAYS:
            found[f"gaps of more than {GAP_DAYS} days, each read as one night"].append(row.where)
        jump = abs(np.log(row.close / before.close))
        like_a_split = jump > LEAST_JUMP and min(abs(jump - np.log(split)) for split in SPLITS) < SPLIT
        if like_a_split or jump > np.log(max(SPLITS)):
            found[JUMPS].append(row.where)


def _repair(arrays: dict[str, np.ndarray], where: np.ndarray, found: dict[str, list[str]]) -> None:
    """Corrects or clears impossible values, in place."""
    open_, high, low, close, volume = (arrays[name] for name in (*PRICES, "volume"))
    there = np.isfinite(close)

    def note(kind: str, cells: np.ndarray) -> None:
        if cells.any():
            found[kind] += where[cells].tolist()

    note(UNKNOWN, there & np.isnan(open_ + high + low))
    note(FLAT, (open_ == close) & (high == close) & (low == close))
    with np.errstate(invalid="ignore"):
        outside = (close > high) | (close < low)
        note("Closes outside High and Low: the range is widened to them", outside)
        arrays["high"][outside] = np.fmax(high, close)[outside]
        arrays["low"][outside] = np.fmin(low, close)[outside]
        outside = (open_ > high) | (open_ < low)
        note("Opens outside High and Low, moved to the nearer of them", outside)
        arrays["open"][outside] = np.clip(open_, low, high)[outside]
        usual = np.stack([trailing_mean(row, MONTH) for row in previous(np.log(high / low))])
        for name, wick in (
            ("High", np.log(high / np.fmax(open_, close))),
            ("Low", np.log(np.fmin(open_, close) / low)),
        ):
            wrong = (wick > np.fmax(WICK, WICK_RANGES * usual)) & (_others(wick) < MARKET_WICK)
            note(f"{name}s far from Open and Close on a calm day, taken for misprints: the range is unknown", wrong)
            arrays[name.lower()][wrong] = np.nan
        note("days of zero volume, which is unknown", volume <= 0)
        arrays["volume"][~(volume > 0)] = np.nan


def _others(values: np.ndarray) -> np.ndarray:
    """(tickers, days): the median of all other tickers on that day; 0 if there are none."""
    middle = np.zeros(values.shape)
    for number in range(len(values)):
        rest = np.delete(values, number, axis=0)
        known = np.isfinite(rest).any(axis=0)
        if known.any():
            middle[number, known] = np.nanmedian(rest[:, known], axis=0)
    return middle


def _note(source: str, kind: str, places: list[str]) -> str:
    named = "; ".join(_short(place, source) for place in places[:NAMED])
    more = f" and {len(places) - NAMED:,} more" if len(places) > NAMED else ""
    return f"{sized(len(places), kind)} ({named}{more})"


def _short(place: str, source: str) -> str:
    """ "/home/me/bars.csv, line 7" -> "line 7" if that file is the source, else "bars.csv, line 7"."""
    file, comma, line = place.partition(", line ")
    return f"line {line}" if file == source else Path(file).name + comma + line
