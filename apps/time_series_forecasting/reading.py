"""Reads CSV files of series in long or wide format; invalid input raises an InputError that names its line."""

import collections
import csv
import dataclasses
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError

from . import clock
from .panel import Panel, Rows, regular, said

ID, DATE, VALUE = "unique_id", "ds", "y"
DATES = ("ds", "date", "datetime", "timestamp", "time", "month", "year", "week", "day")
MISSING = {"", "na", "nan", "n/a", "null", "none", "?", "-"}
LARGEST = 1e30  # of what is forecast; the networks compute in single precision
JUMP = 20.0  # spreads of its changes by which a series may move from one step to the next, without a note


@dataclasses.dataclass(frozen=True)
class Columns:
    """Which column of a file is what; `id` and `value` are None in a wide one, whose `series` are its columns."""

    names: tuple[str, ...]
    date: str
    id: str | None
    value: str | None
    series: tuple[str, ...]

    @property
    def long(self) -> bool:
        """Whether there is a row for each value, and not for each moment."""
        return self.value is not None


def read(
    path: Path, known: Sequence[str] = (), static: Sequence[str] = (), season: int = 0, alone: str | None = None
) -> Panel:
    """The series of a CSV file.

    Args:
        path: long, with the columns ds, y and, of several series, unique_id; or wide, with a column of dates and one
            for each series.
        known, static: columns of covariates, see `Config`.
        season: steps of a season; 0 = as the dates suggest.
        alone: what the series of a long file without unique_id is called; None: as the file.

    Raises:
        InputError: a file or a row that cannot be right.
    """
    lines = read_rows(path)
    columns = header(next(lines)[1], known, static, str(path))
    found, texts, order = _collect(lines, columns, known, static, path, alone)
    if not texts:
        raise InputError(f"{path}: expected rows below the header; received none")
    unit, moments = clock.parse(texts, order)
    steps, moments = clock.fit(unit, moments, str(path))
    counts: collections.Counter = collections.Counter()
    series = []
    for name, rows in found.items():
        rows.moments = moments[rows.moments].tolist()
        series.append(regular(name, rows, steps, season, str(path), counts))
    unused = [] if not columns.long else [n for n in columns.names if n and n not in _used(columns, known, static)]
    notes = [*said(counts, str(path)), *_odd(series, str(path))]
    if clock.zone_of(texts[0]):
        notes.append(f"{path}: dates with a time zone are read, and written, as UTC")
    if unused:
        notes.append(f"{path}: columns that are not read: {', '.join(unused)}; --known and --static name covariates")
    return Panel(str(path), tuple(series), tuple(known), tuple(static), tuple(notes))


def _used(columns: Columns, known: Sequence[str], static: Sequence[str]) -> set[str]:
    return {columns.date, columns.id or "", columns.value or "", *known, *static}


def _odd(series: Sequence, source: str) -> Iterator[str]:
    """A note for each series that is constant, or that jumps as nothing but another unit or a split makes it."""
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
    """(line, cells) of a CSV file, its header first; blank lines are left out.

    Raises:
        InputError: no such file, not text, empty, or a row of another width.
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
    """What the first line says of the columns.

    Raises:
        InputError: no column of dates, a column twice, or a covariate that is not there.
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


def number(text: str, what: str, place: str) -> float:
    """A finite number, NaN for what stands for a missing one; InputError says where it stood."""
    if text.lower() in MISSING:
        return math.nan
    try:
        value = float(text.replace("_", "?"))  # Python also reads 1_000, which no table means
    except ValueError:
        hint = " (decimals need a point)" if "," in text else ""
        raise InputError(f"{place}: expected a number as {what}{hint}; received {text!r}") from None
    if not abs(value) <= LARGEST:
        raise InputError(f"{place}: expected a number from -{LARGEST:g} to {LARGEST:g} as {what}; received {text}")
    return value


def cells_of(row: Mapping[str, str], columns: Columns, place: str, alone: str) -> list[tuple[str, float]]:
    """(series, value) of each value in a row."""
    if not columns.long:
        return [(name, number(row[name], name, place)) for name in columns.series]
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
    """The rows of each series, whose moments are numbers of the dates; the dates, and where each stands."""
    found: dict[str, Rows] = {}
    texts: list[str] = []
    order: list[str] = []
    for line, cells in lines:
        place, row = f"{path}, line {line}", dict(zip(columns.names, cells, strict=True))
        if not row[columns.date]:
            raise InputError(f"{place}: expected a date as {columns.date}; received an empty cell")
        covariates = [number(row[name], name, place) for name in known]
        for name, value in cells_of(row, columns, place, alone or path.stem):
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
