"""The data sources: the S&P 500 of the `arch` package, public data, your own CSV files."""

import csv
import io
from pathlib import Path

import numpy as np

from shared import MissingFileError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE, check

from .bars import Bars, Row, bars
from .reading import number, read

PUBLIC = ("djia",)


def known(source: str) -> None:
    """Raises InputError if a --data value is not a known source."""
    check(source, PUBLIC, "or the path of a CSV file or folder")


def there(path: str) -> None:
    """Raises MissingFileError if the bars to predict from are neither a file or folder nor a known source."""
    if path not in ("builtin", *PUBLIC) and not (path and Path(path).exists()):
        raise MissingFileError(
            f"Expected a CSV file of daily bars, or a folder of them. There is none at {path or repr(path)}."
        )


def read_source(data: str) -> Bars:
    """Reads and validates all bars of a source.

    Raises:
        MissingFileError: there is no such file. InputError: a file is invalid.
    """
    if data == "builtin":
        return sp500()
    if data == "djia":
        return djia()
    there(data)
    return read(Path(data))


def sp500() -> Bars:
    """Returns the S&P 500 index, 1999 to 2018, as included in the `arch` package."""
    import arch.data.sp500

    table = arch.data.sp500.load()
    columns = [table[name].to_numpy(float) for name in ("Open", "High", "Low", "Close", "Volume")]
    days = table.index.to_numpy().astype("datetime64[D]")
    return bars("S&P 500", {"SP500": [Row(*cells, str(cells[0])) for cells in zip(days, *columns, strict=True)]})


def djia() -> Bars:
    """Twelve Dow Jones stocks, 2006 to 2017, split-adjusted, with some missing or wrong cells."""
    rows: dict[str, list[Row]] = {}
    for file in CATALOGUE["djia"]:
        name = file.name.split()[-1]
        lines = csv.DictReader(io.StringIO(fetch.fetch(file).decode()))
        rows[name] = [_row(cells, f"{name}, line {line}") for line, cells in enumerate(lines, 2)]
    return bars("djia", rows)


def _row(cells: dict[str, str], where: str) -> Row:
    numbers = {name.lower(): number(cells[name], name, where) for name in ("Open", "High", "Low", "Close", "Volume")}
    return Row(np.datetime64(cells["Date"], "D"), **numbers, where=where)
