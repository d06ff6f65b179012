"""Data sources: the S&P 500 of the `arch` package, public data, your own CSV files."""

import csv
import io
from pathlib import Path

import numpy as np

from shared.data import fetch
from shared.data.catalogue import CATALOGUE, check

from .bars import Bars, Row, bars
from .reading import number, read

PUBLIC = ("djia",)


def read_source(data: str) -> Bars:
    """All bars of a source, checked.

    Raises:
        InputError: an unknown source, or a file that cannot be right.
    """
    if data == "builtin":
        return sp500()
    if data == "djia":
        return djia()
    check(data, PUBLIC, "or the path of a CSV file or folder")
    return read(Path(data))


def sp500() -> Bars:
    """The S&P 500 index, 1999 to 2018, as the `arch` package brings it."""
    import arch.data.sp500

    table = arch.data.sp500.load()
    columns = [table[name].to_numpy(float) for name in ("Open", "High", "Low", "Close", "Volume")]
    days = table.index.to_numpy().astype("datetime64[D]")
    return bars("S&P 500", {"SP500": [Row(*cells, str(cells[0])) for cells in zip(days, *columns, strict=True)]})


def djia() -> Bars:
    """Twelve shares of the Dow Jones Industrial Average, 2006 to 2017, split-adjusted, with cells empty or wrong."""
    rows: dict[str, list[Row]] = {}
    for file in CATALOGUE["djia"]:
        name = file.name.split()[-1]
        lines = csv.DictReader(io.StringIO(fetch.fetch(file).decode()))
        rows[name] = [_row(cells, f"{name}, line {line}") for line, cells in enumerate(lines, 2)]
    return bars("djia", rows)


def _row(cells: dict[str, str], where: str) -> Row:
    numbers = {name.lower(): number(cells[name], name, where) for name in ("Open", "High", "Low", "Close", "Volume")}
    return Row(np.datetime64(cells["Date"], "D"), **numbers, where=where)
