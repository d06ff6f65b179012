"""Reads the rows of a CSV, TSV or JSONL file, each with its location for messages."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from shared import InputError, MissingFileError
from shared.data.text import decode
from shared.data.wording import sized

SUFFIXES = (".csv", ".tsv", ".jsonl")
SEMICOLONS = "It has semicolons between the cells: save it with commas, and with points in decimals (1.5, not 1,5)."
LONGEST_CELL = 10_000_000  # characters; Python's default limit is 131,072

Row = dict[str, object]


def rows(path: Path) -> Iterator[tuple[Row, str]]:
    r"""Yields each row as a dict of its columns, with its location: "reviews.csv, line 7".

    In CSV, cells may be quoted, and the line is where the row ends. In TSV, a quotation mark is an ordinary character.
    JSONL has one object per line; blank lines are skipped.

    Raises:
        MissingFileError: if there is no such file.
        InputError: for another suffix, invalid UTF-8, missing or duplicate column names, a row with the wrong number
            of cells, or invalid JSON.
    """
    if not path.is_file():
        raise MissingFileError(f"Expected a {', '.join(SUFFIXES)} file. There is none at {path}.")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"Expected a file ending in {', '.join(SUFFIXES)}. Received: {path}")
    content = decode(path.read_bytes(), str(path))
    return _objects(content, path) if path.suffix.lower() == ".jsonl" else _cells(content, path)


def column(path: Path, name: str, hint: str = "") -> Iterator[tuple[str, str]]:
    """Yields the text of a column and its location for each row; raises InputError if a row has none."""
    for row, where in rows(path):
        yield cell(row, name, where, hint), where


def cell(row: Row, name: str, where: str, hint: str = "") -> str:
    """Returns the text in a column of a row. Raises InputError if it is blank or missing; `hint` says what to do."""
    if name not in row:
        raise InputError(f"Expected a column {name!r}. {where} has the columns {', '.join(row)}. {hint}".rstrip())
    text = "" if row[name] is None else str(row[name])
    if not text.strip():
        raise InputError(f"Expected text in the column {name!r}. {where} has none.")
    return text


def _cells(content: str, path: Path) -> Iterator[tuple[Row, str]]:
    tabs = path.suffix.lower() == ".tsv"
    csv.field_size_limit(LONGEST_CELL)
    if tabs:
        reader = csv.reader(io.StringIO(content, newline="\n"), delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    begun = 1  # the line where the next row begins
    try:
        heads = _heads(next(reader, []), path)
        begun = reader.line_num + 1
        for cells in reader:
            begun, where = reader.line_num + 1, f"{path}, line {reader.line_num}"
            if not cells:
                continue
            if len(cells) != len(heads):
                raise InputError(
                    f"Expected {sized(len(heads), 'columns')}. {where} has {len(cells)}.{_hint(heads, path)}"
                )
            yield dict(zip(heads, cells, strict=True)), where
    except csv.Error as error:
        where = f"lines {begun} to {reader.line_num}" if begun < reader.line_num else f"line {begun}"
        raise InputError(f"Cannot read {path}, {where}: {error}. Is a quotation mark not closed?") from error


def _hint(heads: list[str], path: Path) -> str:
    """Returns what to do if a row has another number of cells than the first line."""
    if path.suffix.lower() == ".tsv":
        return ""
    if len(heads) == 1 and ";" in heads[0]:
        return f" {SEMICOLONS}"
    return " Put texts with commas into quotation marks."


def _heads(cells: list[str], path: Path) -> list[str]:
    heads = [cell.strip() for cell in cells]
    twice = next((head for head in heads if heads.count(head) > 1), None)
    if twice is not None or not any(heads):
        wrong = f"{twice!r} occurs twice" if any(heads) else "it has none"
        raise InputError(f"Expected the names of the columns, each once, in the first line of {path}: {wrong}.")
    return heads


def _objects(content: str, path: Path) -> Iterator[tuple[Row, str]]:
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"Expected a JSON object on each line. {where}: {error}.") from error
        if not isinstance(row, dict):
            raise InputError(f"Expected a JSON object on each line. {where} is a {type(row).__name__}.")
        yield row, where
