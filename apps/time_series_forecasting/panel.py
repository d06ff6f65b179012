"""Series on a regular time grid, and the repairs needed to fit the rows of a file to it."""

import collections
import dataclasses
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from shared import InputError

from .clock import Clock

NAMED = 4  # number of series that a message names
LONGEST_GAP = 100  # with more steps than this per value, a series has a wrong date rather than gaps


@dataclasses.dataclass(frozen=True)
class Series:
    """One series on its time grid.

    Attributes:
        name: its unique_id, or the column of a wide file.
        clock: its time grid. first: the step of the first value on it.
        values: (time,) float64; missing values repeat the previous one, so that no future values leak in.
        observed: (time,) bool.
        season: season length in steps, 1 for none.
        known: (time + future steps, columns) float64, covariates whose future is known.
        static: the text of each static column.
    """

    name: str
    clock: Clock
    first: int
    values: np.ndarray
    observed: np.ndarray
    season: int
    known: np.ndarray
    static: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def until(self, end: int) -> "Series":
        """Returns the series before value number `end` arrived; known columns keep their future values."""
        return dataclasses.replace(self, values=self.values[:end], observed=self.observed[:end])


@dataclasses.dataclass(frozen=True)
class Panel:
    """Several series, the names of their covariates, and notes for the user on how they were read.

    source: name in messages; known, static: names of the covariate columns; notes: one line per kind of repair.
    """

    source: str
    series: tuple[Series, ...]
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the series."""
        return tuple(series.name for series in self.series)

    @property
    def clocks(self) -> dict[str, Clock]:
        """The clock of each series."""
        return {series.name: series.clock for series in self.series}


@dataclasses.dataclass
class Rows:
    """The rows of one series, in the order of the file; missing values are NaN."""

    moments: list[int] = dataclasses.field(default_factory=list)
    values: list[float] = dataclasses.field(default_factory=list)
    known: list[Sequence[float]] = dataclasses.field(default_factory=list)
    places: list[str] = dataclasses.field(default_factory=list)
    static: tuple[str, ...] = ()


def of_values(name: str, values: np.ndarray, clock: Clock, first: int = 0, season: int = 0) -> Series:
    """Returns a series from values (time,) on a regular grid; NaN marks a missing value."""
    values = np.asarray(values, np.float64)
    start = int(np.argmax(~np.isnan(values)))
    values = values[start:]
    observed = ~np.isnan(values)
    known = np.zeros((len(values), 0))
    return Series(name, clock, first + start, forward(values), observed, season or clock.season(), known)


def forward(values: np.ndarray) -> np.ndarray:
    """Fills each NaN of values (time, ...) with the previous value; the first values must not be NaN."""
    there = ~np.isnan(values)
    at = np.where(there, np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1)), 0)
    return np.take_along_axis(values, np.maximum.accumulate(at, axis=0), axis=0)


def regular(name: str, rows: Rows, clock: Clock, season: int, source: str, counts: collections.Counter) -> Series:
    """Converts rows to a series on the clock.

    Rows out of order are sorted, those of the same step averaged, times between two steps moved to the nearer one, and
    missing steps filled with the previous value. `counts` is incremented by the number of each repair of this series.

    Raises:
        InputError: there are no values, or so few for their range that a date must be wrong.
    """
    moments, values = np.array(rows.moments, np.int64), np.array(rows.values, np.float64)
    k = clock.place(moments)
    there = ~np.isnan(values)
    if not there.any():
        raise InputError(f"{rows.places[0]}: expected values of {name}; received none")
    counts["out of order, sorted", name] += int((np.diff(moments) < 0).sum())
    counts["between two steps, moved to the nearer one", name] += int((clock.moment(k) != moments).sum())
    first, last, end = int(k[there].min()), int(k[there].max()), int(k.max())
    if end + 1 - first > LONGEST_GAP * len(np.unique(k)) + LONGEST_GAP:
        far = int(np.argmax(np.abs(k - np.median(k))))
        raise InputError(
            f"{rows.places[far]}: expected steps like those of the other rows; {clock.text(int(k[far]))} is "
            f"{abs(int(k[far]) - int(np.median(k))):,} steps from the middle of {name}"
        )
    total, count = np.zeros(last + 1 - first), np.zeros(last + 1 - first)
    np.add.at(total, k[there] - first, values[there])
    np.add.at(count, k[there] - first, 1)
    observed = count > 0
    counts["several at one moment, averaged", name] += int((count[observed] - 1).sum())
    counts["missing, filled with the value before", name] += int((~observed).sum())
    with np.errstate(invalid="ignore"):
        filled = forward(total / count)
    known = _known(rows, k, first, end, name)
    counts["of known columns missing, filled with the ones before", name] += int(np.isnan(known).sum())
    known = forward(known)
    return Series(name, clock, first, filled, observed, season or clock.season(), known, rows.static)


def _known(rows: Rows, k: np.ndarray, first: int, end: int, name: str) -> np.ndarray:
    """(time, columns): the known columns from the first value on; NaN where they are missing."""
    given = np.array(rows.known, np.float64).reshape(len(k), -1)
    found = np.full((end + 1 - first, given.shape[1]), np.nan)
    inside = k >= first
    found[k[inside] - first] = given[inside]
    if np.isnan(found[:1]).any():
        raise InputError(f"{rows.places[0]}: expected a number in each known column of the first row of {name}")
    return found


def said(counts: Mapping[tuple[str, str], int], source: str, series: int) -> tuple[str, ...]:
    """Returns one line for each kind of repair: the number of values, and of the series that they are in.

    Args:
        counts: by repair and series. series: the number of all series.

    >>> said({("missing, filled", "a"): 2, ("missing, filled", "b"): 0}, "my.csv", 2)
    ('my.csv: values missing, filled: 2, in 1 of 2 series',)
    """
    lines = []
    for kind in dict.fromkeys(kind for kind, _ in counts):
        repaired = [number for (each, _), number in counts.items() if each == kind and number]
        where = f", in {len(repaired):,} of {series:,} series" if series > 1 else ""
        lines += [f"{source}: values {kind}: {sum(repaired):,}{where}"] if repaired else []
    return tuple(lines)


def named(names: Sequence[str]) -> str:
    """Returns the names of some series, at most `NAMED` of them, for a message."""
    return f"{', '.join(names[:NAMED])}{' and others' if len(names) > NAMED else ''}"


def warn(notes: Sequence[str]) -> None:
    """Prints notes on how a file was read."""
    for note in notes:
        print(note, file=sys.stderr)
