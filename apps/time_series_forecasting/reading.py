"""Reads CSV files of series in long or wide format; invalid input raises an InputError that names its line."""

import collections
import contextlib
import csv
import dataclasses
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError

from . import dates, steps
from .clock import DAY_S, Clock, on_weekend
from .panel import Panel, Rows, regular, said

ID, DATE, VALUE = "unique_id", "ds", "y"
DATES = ("ds", "date", "datetime", "timestamp", "time", "month", "year", "week", "day")
MISSING = {"", "na", "nan", "n/a", "null", "none", "?", "-"}
TAKEN_AS_WIDE = f" (the file is taken as wide; long format needs the columns {ID}, {DATE}, {VALUE})"
LARGEST = 1e30  # largest absolute value; the networks use single precision
JUMP = 20.0  # a change of more than this many typical changes is noted as a jump


@dataclasses.dataclass(frozen=True)
class Columns:
    """The roles of a file's columns; in a wide file `id` and `value` are None and `series` lists its columns."""

    names: tuple[str, ...]
    date: str
    id: str | None
    value: str | None
    series: tuple[str, ...]

    @property
    def long(self) -> bool:
        """Whether the file has one row per value (long format) rather than one per time step (wide format)."""
        return self.value is not None


def read(
    path: Path,
    known: Sequence[str] = (),
    static: Sequence[str] = (),
    season: int = 0,
    alone: str | None = None,
    usual: Mapping[str, Clock] | None = None,
) -> Panel:
    """Reads the series of a CSV file.

    Args:
        path: in long format, with the columns ds, y and, for several series, unique_id; or in wide format, with a
            column of dates and one column per series.
        known, static: columns of covariates, see `Config`.
        season: season length in steps; 0 = inferred from the dates.
        alone: name of the series of a long file without unique_id; None: the file's name.
        usual: the clocks of series that have been seen before, for those with too few dates to tell their step.

    Raises:
        InputError: the file or a row is invalid.
    """
    lines = read_rows(path)
    columns = header(next(lines)[1], known, static, str(path))
    found, texts, order = _collect(lines, columns, known, static, path, alone)
    if not texts:
        raise InputError(f"{path}: expected rows below the header; received none")
    unit, moments = dates.parse(texts, order)
    each = [dates.local(moments[rows.moments], [texts[n] for n in rows.moments]) for rows in found.values()]
    fitted = steps.fit_each(unit, each, str(path), [(usual or {}).get(name) for name in found])
    counts: collections.Counter = collections.Counter()
    series = []
    for (name, rows), at, (clock, times) in zip(found.items(), each, fitted, strict=True):
        rows.moments = times.tolist()
        if clock.unit == "weekdays":
            counts["on a Saturday or Sunday, moved to the Friday before", name] += int(on_weekend(at).sum())
        series.append(regular(name, rows, clock, season, str(path), counts))
    unused = [] if not columns.long else [n for n in columns.names if n and n not in _used(columns, known, static)]
    notes = [*said(counts, str(path), len(series)), *_odd(series, str(path))]
    if dates.zone_of(texts[0]):
        whole = all(clock.unit != "seconds" or clock.step % DAY_S == 0 for clock, _ in fitted)
        read_as = "local dates, without it" if whole else "UTC"
        notes.append(f"{path}: dates with a time zone are read, and written, as {read_as}")
    if unused:
        notes.append(f"{path}: columns that are not read: {', '.join(unused)}; --known and --static name covariates")
    return Panel(str(path), tuple(series), tuple(known), tuple(static), tuple(notes))


def check_header(path: Path, known: Sequence[str], static: Sequence[str]) -> None:
    """Raises InputError, as `read`, if a file does not exist or has not the columns of series."""
    rows = read_rows(path)
    with contextlib.closing(rows):
        header(next(rows)[1], known, static, str(path))


def _used(columns: Columns, known: Sequence[str], static: Sequence[str]) -> set[str]:
    return {columns.date, columns.id or "", columns.value or "", *known, *static}


def _odd(series: Sequence, source: str) -> Iterator[str]:
    """Yields a note for each series that is constant, or that jumps once, as after a change of unit or a split."""
    for each in series:
        changes = np.diff(each.values)
        if len(changes) and not changes.any():
            yield f"{source}: {each.name} is constant"
            continue
        moving = np.abs(changes[changes != 0])
        typical = float(np.median(moving)) if len(moving) else 0.0
        level = float(np.median(np.abs(each.values)))
        jumps = np.flatnonzero(np.abs(changes) > max(JUMP * typical, 0.5 * level))
        if len(jumps) == 1:
            at = int(jumps[0])
            yield (
                f"{source}: {each.name} jumps from {each.values[at]:g} to {each.values[at + 1]:g} at "
                f"{each.clock.text(each.first + at + 1)}; another unit, or a split?"
            )


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields (line number, cells) of a CSV file, starting with its header; blank lines are skipped.

    Raises:
        InputError: the file does not exist, is not text, is empty, or has a row with a different number of cells.
    """
    if not path.is_file():
        raise MissingFileError(f"Expected a CSV file of series. There is none at {path}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader, width = csv.reader(file), 0
            for row in reader:
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                width = width or len(cells)
                if len(cells) != width:
                    hint = ". Decimals need a point." if len(cells) > width else ""
                    raise InputError(
                        f"{path}, line {reader.line_num}: expected {width} cells; received {len(cells)}{hint}"
                    )
                yield reader.line_num, cells
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a CSV file in UTF-8: {error}") from error
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from error
    if not width:
        raise InputError(f"{path}: expected a header and rows; received an empty file")


def header(cells: Sequence[str], known: Sequence[str], static: Sequence[str], source: str) -> Columns:
    """Determines the columns' roles from the header.

    Raises:
        InputError: there is no date column, a column occurs twice, or a covariate is missing.
    """
    where = f"{source}, line 1"
    if len(cells) == 1 and re.search(r"[;\t|]", cells[0]):
        raise InputError(f"{where}: expected commas between the cells and a point in decimals; received {cells[0]!r}")
    for name in filter(None, cells):
        if list(cells).count(name) > 1:
            raise InputError(f"{where}: expected one column {name}; received {', '.join(cells)}")
    for name in (*known, *static):
        if name not in cells:
            raise InputError(f"{where}: expected a column {name}, which --known or --static names; received {cells}")
    lower = {name.lower(): name for name in cells}
    date = next((lower[name] for name in DATES if name in lower), None)
    if date is None:
        raise InputError(
            f"{where}: expected a column of dates called {' or '.join(DATES[:3])}; received {', '.join(cells)}"
        )
    if VALUE in lower and (ID in lower or date.lower() == DATE or len(cells) == 2):
        return Columns(tuple(cells), date, lower.get(ID), lower[VALUE], ())
    if ID in lower:
        raise InputError(f"{where}: expected a column {VALUE} besides {ID} and {date}; received {', '.join(cells)}")
    if static:
        raise InputError(f"{where}: --static: expected a long file with {ID}, {date}, {VALUE}; a wide one has none")
    series = tuple(name for name in cells if name and name != date and name not in known)
    if not series:
        raise InputError(f"{where}: expected a column for each series besides {date}; received {', '.join(cells)}")
    return Columns(tuple(cells), date, None, None, series)


def number(text: str, what: str, place: str, hint: str = "") -> float:
    """Parses a finite number, or NaN for a missing value; the InputError for invalid text gives its location."""
    if text.lower() in MISSING:
        return math.nan
    try:
        value = float(text.replace("_", "?"))  # Python also accepts 1_000, which a table never means
    except ValueError:
        hint = " (decimals need a point)" if "," in text else hint
        raise InputError(f"{place}: expected a number as {what}{hint}; received {text!r}") from None
    if not abs(value) <= LARGEST:
        raise InputError(f"{place}: expected a number from -{LARGEST:g} to {LARGEST:g} as {what}; received {text}")
    return value


def refuse_infinite(text: str, what: str, place: str) -> None:
    """Raises InputError if a text is a number that is not finite, such as nan."""
    try:
        finite = math.isfinite(float(text))
    except ValueError:
        return
    if not finite:
        raise InputError(f"{place}: expected a text or a finite number as {what}; received {text!r}")


def cells_of(row: Mapping[str, str], columns: Columns, place: str, alone: str) -> list[tuple[str, float]]:
    """Returns (series, value) for each value in a row."""
    if not columns.long:
        return [(name, number(row[name], name, place, TAKEN_AS_WIDE)) for name in columns.series]
    name = row[columns.id] if columns.id else alone
    if not name:
        raise InputError(f"{place}: expected a {ID}; received an empty cell")
    return [(name, number(row[columns.value or VALUE], VALUE, place))]


def _collect(
    lines: Iterator[tuple[int, list[str]]],
    columns: Columns,
    known: Sequence[str],
    static: Sequence[str],
    path: Path,
    alone: str | None,
) -> tuple[dict[str, Rows], list[str], list[str]]:
    """Returns the rows of each series, with indices of dates as their moments; the dates; and the location of each."""
    found: dict[str, Rows] = {}
    texts: list[str] = []
    order: list[str] = []
    alone = alone or path.stem
    for line, cells in lines:
        place, row = f"{path}, line {line}", dict(zip(columns.names, cells, strict=True))
        if not row[columns.date]:
            raise InputError(f"{place}: expected a date as {columns.date}; received an empty cell")
        for column in static:
            refuse_infinite(row[column], column, place)
        covariates = [number(row[name], name, place) for name in known]
        for name, value in cells_of(row, columns, place, alone):
            rows = found.setdefault(name, Rows(static=tuple(row[column] for column in static)))
            if rows.static != tuple(row[column] for column in static):
                raise InputError(f"{place}: expected one value of {', '.join(static)} for all rows of {name}")
            rows.moments.append(len(texts))
            rows.values.append(value)
            rows.known.append(covariates)
            rows.places.append(place)
        texts.append(row[columns.date])
        order.append(place)
    return found, texts, order
