"""Reads bars from CSV files; invalid input raises an InputError that names its line."""

import collections
import datetime
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError
from shared.data import tables

from .bars import PRICES, Bars, Row, bars

COLUMNS = ("date", *PRICES)
ALSO_CALLED = {"datetime": "date", "time": "date", "timestamp": "date", "ticker": "name", "symbol": "name"}
NO_VALUE = ("", "nan", "na", "n/a", "null", "none", "-")
HOUR = datetime.timedelta(hours=1)


def read(path: Path) -> Bars:
    """Reads the bars in a CSV file, or in all CSV files of a folder.

    A file without a column of names is one ticker, named after the file.

    Raises:
        MissingFileError: there is no file.
        InputError: a file or row is invalid; the message gives the line.
    """
    files = sorted(path.glob("[!.]*.[cC][sS][vV]")) if path.is_dir() else [path]
    if not files:
        raise MissingFileError(f"Expected CSV files with the columns {', '.join(COLUMNS)}. There are none in {path}")
    rows: dict[str, list[Row]] = collections.defaultdict(list)
    for file in files:
        for name, listed in rows_of(file).items():
            rows[name] += listed
    return bars(str(path), rows)


def rows_of(path: Path) -> dict[str, list[Row]]:
    """Returns the rows of each ticker in a file, in order."""
    found: dict[str, list[Row]] = collections.defaultdict(list)
    zones: dict[datetime.timedelta | None, str] = {}
    names: dict[str, str] = {}
    for cells, where in tables.rows(path):
        names = names or column_names(list(cells), str(path))
        row = {names[column]: str(value).strip() for column, value in cells.items() if column in names}
        name = row.get("name", path.stem)
        if not name:
            raise InputError(f"{where}: expected the name of a ticker; received an empty cell")
        found[name].append(bar(row, where, zones))
    if not found:
        raise InputError(f"{path}: expected bars below the header; received none")
    return found


def column_names(given: Sequence[str], source: str) -> dict[str, str]:
    """Maps the file's columns to the names used here. Raises InputError if one is missing or duplicated."""
    names = {}
    for column in given:
        plain = column.strip().lower()
        names[column] = ALSO_CALLED.get(plain, plain)
    missing = [name for name in COLUMNS if name not in names.values()]
    if missing:
        hint = f" {tables.SEMICOLONS}" if len(given) == 1 and ";" in given[0] else ""
        raise InputError(
            f"{source}, line 1: expected the columns {', '.join(COLUMNS)}, perhaps volume and name; "
            f"received {', '.join(given)}.{hint}"
        )
    for name in (*COLUMNS, "volume", "name"):
        if list(names.values()).count(name) > 1:
            raise InputError(f"{source}, line 1: expected one column {name}; received {', '.join(given)}")
    return names


def bar(row: dict[str, str], where: str, zones: dict[datetime.timedelta | None, str]) -> Row:
    """Parses one row and validates its numbers, individually and together."""
    numbers = {name: price(row[name], name, where) for name in PRICES}
    if numbers["high"] < numbers["low"]:
        raise InputError(
            f"{where}: expected a High of at least the Low; received {row['high']} and {row['low']}. "
            "Exchange them, or empty both cells."
        )
    volume = number(row.get("volume", ""), "volume", where)
    if volume < 0:
        raise InputError(f"{where}: expected a volume of at least 0; received {row['volume']}")
    return Row(day(row["date"], where, zones), **numbers, volume=volume, where=where)


def price(text: str, what: str, where: str) -> float:
    """Parses a positive price; NaN for an empty cell."""
    value = number(text, what, where)
    if value <= 0:
        raise InputError(f"{where}: expected a price above 0 as {what}; received {text}. Empty the cell if unknown.")
    return value


def number(text: str, what: str, where: str) -> float:
    """Parses a finite number; NaN for an empty cell. The InputError for invalid text gives its location."""
    if text.lower() in NO_VALUE:
        return math.nan
    try:
        value = float(text.replace("_", "?"))  # Python also accepts 1_000, which a table never means
    except ValueError:
        hint = " (decimals need a point, thousands no comma)" if "," in text else ""
        raise InputError(f"{where}: expected a number as {what}{hint}; received {text!r}") from None
    if not math.isfinite(value):
        raise InputError(f"{where}: expected a finite number as {what}; received {text}")
    return value


def day(text: str, where: str, zones: dict[datetime.timedelta | None, str]) -> np.datetime64:
    """Parses the day from a date, or from a time in the exchange's time zone.

    Args:
        text: YYYY-MM-DD, optionally with a time and a UTC offset.
        where: its location.
        zones: UTC offsets of earlier rows and their locations; a zone with daylight saving has two, an hour apart.

    Raises:
        InputError: the format is wrong, or the UTC offset differs from the zone of earlier rows.
    """
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{where}: expected a date as YYYY-MM-DD; received {text!r}") from None
    offset = found.utcoffset()
    for other, first in zones.items():
        if (offset is None) != (other is None) or (offset is not None and abs(offset - other) > HOUR):
            raise InputError(
                f"{where}: expected all times in one zone, that of the exchange; received {text!r}, but {first} has "
                f"{'no zone' if other is None else f'an offset of {other}'}. Write the dates alone: YYYY-MM-DD"
            )
    zones.setdefault(offset, where)
    return np.datetime64(found.date(), "D")
