"""Rows of a table in a file: CSV, TSV or JSONL, each with the place where it stands."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from shared import InputError, MissingFileError
from shared.data.text import decode

SUFFIXES = (".csv", ".tsv", ".jsonl")
LONGEST_CELL = 10_000_000  # characters; Python's own limit is 131,072

Row = dict[str, object]


def rows(path: Path) -> Iterator[tuple[Row, str]]:
    r"""Each row as a dict of its columns, and its place: "reviews.csv, line 7".

    CSV has quotation marks, and the line is the one where the row ends. TSV has none: a quotation mark is a character
    as any other. JSONL has an object on each line; blank lines are left out.

    Raises:
        MissingFileError: there is no such file.
        InputError: another suffix, not UTF-8, a column named twice or not at all, a row of another width, broken JSON.
    """
    if not path.is_file():
        raise MissingFileError(f"Expected a {', '.join(SUFFIXES)} file. There is none at {path}.")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"Expected a file ending in {', '.join(SUFFIXES)}. Received: {path}")
    content = decode(path.read_bytes(), str(path))
    return _objects(content, path) if path.suffix.lower() == ".jsonl" else _cells(content, path)


def column(path: Path, name: str, hint: str = "") -> Iterator[tuple[str, str]]:
    """Text and place of a column in each row; InputError for a row that has none."""
    for row, where in rows(path):
        yield cell(row, name, where, hint), where


def cell(row: Row, name: str, where: str, hint: str = "") -> str:
    """The text in a row's column. Raises InputError if it is blank or missing; `hint` says what to do."""
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
    try:
        heads = _heads(next(reader, []), path)
        for cells in reader:
            if not cells:
                continue
            where = f"{path}, line {reader.line_num}"
            if len(cells) != len(heads):
                hint = "" if tabs else " Put texts with commas into quotation marks."
                raise InputError(f"Expected {len(heads)} columns. {where} has {len(cells)}.{hint}")
            yield dict(zip(heads, cells, strict=True)), where
    except csv.Error as error:
        raise InputError(f"Cannot read {path}, line {reader.line_num}: {error}.") from error


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
