"""Reads measurements and outcomes from CSV files; invalid input raises an InputError that names its line."""

import csv
import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError
from shared.lines import shown

from .records import Outcomes, Table, place, table

MEASUREMENTS = ("patient", "time", "variable", "value")
OUTCOMES = ("patient", "outcome")  # and "time" where patients were followed up
# Categories, not amounts: each value of these becomes a variable of its own.
KINDS = ("ICUType",)
ALSO_CALLED = {"parameter": "variable", "recordid": "patient", "id": "patient"}
CLOCK = re.compile(r"(\d+):([0-5]\d)")
MOST_CAUSES = 100  # higher outcomes are no numbers of causes
# Names of outcomes in public files and in the wild; none of them can be read as a measurement.
FORBIDDEN = {
    *("outcome", "label", "death", "died", "dead", "mortality", "in-hospital_death", "hospital_expire_flag"),
    *("survival", "length_of_stay", "los", "tte", "time_to_event", "event", "status", "saps-i", "sofa"),
}


def read_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column) of a CSV file with a header.

    Raises:
        InputError: no such file, not text, empty, columns missing, or a row of another width.
    """
    there(path, needed)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            columns = header(next(reader, []), needed, str(path))
            for row in reader:
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                if len(cells) != len(columns):
                    hint = ". Decimals need a point." if len(cells) > len(columns) else ""
                    raise InputError(
                        f"{path}, line {reader.line_num}: expected {len(columns)} cells; received {len(cells)}{hint}"
                    )
                yield reader.line_num, dict(zip(columns, cells, strict=True))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a CSV file in UTF-8: {error}") from error
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from error


def there(path: Path, needed: Sequence[str]) -> None:
    """MissingFileError if there is no such file."""
    if not path.is_file():
        raise MissingFileError(f"Expected a CSV file with the columns {', '.join(needed)}. There is none at {path}")


def header(cells: Sequence[str], needed: Sequence[str], source: str) -> list[str]:
    """The columns that the first line names, in lower case and by the names used here.

    Raises:
        InputError: one that is needed is missing, or one is there twice, however it is spelt.
    """
    given = [cell.strip("\ufeff \t").lower() for cell in cells]
    columns = [ALSO_CALLED[name] if ALSO_CALLED.get(name, name) not in given else name for name in given]
    if any(name not in columns for name in needed):
        found = f"the columns {', '.join(cells)}" if any(columns) else "an empty file"
        if len(cells) == 1 and re.search(r"[;\t|]", cells[0]):
            found += ". Save it with commas between the cells and a point in decimals."
        raise InputError(f"{source}, line 1: expected the columns {', '.join(needed)}; received {found}")
    for name in filter(None, columns):
        if columns.count(name) > 1:
            raise InputError(f"{source}, line 1: expected one column {name}; received {', '.join(cells)}")
    return columns


def number(text: str, what: str, where: str, least: float = -math.inf) -> float:
    """A finite number of at least `least`; a time may also be written HH:MM. InputError says where it stood."""
    clock = CLOCK.fullmatch(text) if what == "time" else None
    try:
        # Python also reads 1_000, which no table means.
        value = int(clock[1]) + int(clock[2]) / 60 if clock else float(text.replace("_", "?"))
    except ValueError:
        form = "a number or HH:MM" if what == "time" else "a number"
        hint = " (decimals need a point)" if "," in text else ""
        raise InputError(f"{where}: expected {form} as {what}{hint}; received {shown(text)!r}") from None
    if not math.isfinite(value) or value < least:
        expected = "a finite number" if least == -math.inf else f"a number of at least {least:g}"
        raise InputError(f"{where}: expected {expected} as {what}; received {shown(text)}")
    return value


def known_variable(name: str, variables: Sequence[str], where: str) -> str:
    """The name itself; InputError names the nearest if a trained run does not know it."""
    if name not in variables:
        near = [known for known in variables if known.lower() == name.lower()]
        near = near or difflib.get_close_matches(name, variables, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(variables)}"
        raise InputError(f"{where}: unknown variable {shown(name)!r}; {hint}")
    return name


def measurement(cells: Mapping[str, str], where: str, variables: Sequence[str] | None) -> tuple[float, str, float]:
    """Time, variable and value of a row, the variable one of `variables` unless they are None.

    Raises:
        InputError: the row cannot be right; it says where.
    """
    name = cells["variable"]
    if not name:
        raise InputError(f"{where}: expected a variable; received an empty cell")
    if name.lower() in FORBIDDEN:
        raise InputError(f"{where}: {name} is an outcome and must not be an input. Remove these rows.")
    time = number(cells["time"], "time", where, 0)
    value = number(cells["value"], "value", where, 0 if name.lower() == "age" else -math.inf)
    name = f"{name} {value:g}" if name in KINDS else name
    return time, name if variables is None else known_variable(name, variables, where), value


def read_measurements(path: Path, variables: Sequence[str] | None = None) -> Table:
    """The measurements in a CSV file with the columns time, variable, value, and patient where there are several.

    Args:
        path: the file; a file of one patient needs no column of that name.
        variables: those of a trained run, to read what it is to judge. None: all that the file has, to train.

    Raises:
        InputError: what `read_rows` raises, or a row that cannot be right, with its line.
    """
    needed = MEASUREMENTS if variables is None else MEASUREMENTS[1:]
    rows, spelt, alone = [], {}, path.stem
    people: dict[str, str] = {}  # one text for each patient, not one for each row: files may have millions
    for line, cells in read_rows(path, needed):
        if cells["variable"] == "RecordID":  # the first row of each of PhysioNet's files
            continue
        where, patient = f"{path}, line {line}", cells.get("patient", alone)
        if not patient:
            raise InputError(f"{where}: expected a patient; received an empty cell")
        time, name, value = measurement(cells, where, variables)
        first, at = spelt.setdefault(name.lower(), (name, line))
        if first != name:
            raise InputError(f"{where}: expected one spelling of each variable; received {name}, in line {at} {first}")
        rows.append((people.setdefault(patient, patient), time, first, value, line))
    if not rows:
        raise InputError(f"{path}: expected measurements below the header; received none")
    return table(str(path), *zip(*rows, strict=True), variables=variables)


def read_outcomes(path: Path, found: Table, most: int = MOST_CAUSES) -> Outcomes:
    """The outcome of each patient of the table, from a CSV file with patient, outcome and perhaps time.

    Args:
        path: the file.
        found: the measurements of these patients.
        most: the highest outcome that there can be, such as the number of causes that a trained run knows.

    Raises:
        InputError: a row that cannot be right, a patient twice, without outcome or without measurements, or one
            measured after the end of follow-up.
    """
    numbers = {name: n for n, name in enumerate(found.patients)}
    label, until = np.full(len(numbers), -1, np.int32), np.full(len(numbers), np.nan)
    for line, cells in read_rows(path, OUTCOMES):
        where, name = f"{path}, line {line}", cells["patient"]
        if name not in numbers:
            raise InputError(f"{where}: patient {name} has no measurements in {found.source}")
        if label[numbers[name]] >= 0:
            raise InputError(f"{where}: patient {name} is already in an earlier line")
        outcome = number(cells["outcome"], "outcome", where, 0)
        if outcome != int(outcome) or outcome > most:
            known = "" if most == MOST_CAUSES else f" to {most}, as the run was trained on"
            form = f"a whole number as outcome, 0 = none{known}"
            raise InputError(f"{where}: expected {form}; received {cells['outcome']}")
        label[numbers[name]] = int(outcome)
        if "time" in cells:
            until[numbers[name]] = number(cells["time"], "time", where, 0)
    if (label < 0).any():
        who = int(np.flatnonzero(label < 0)[0])
        line = found.lines[found.who == who].min()
        raise InputError(f"{place(found.source, line)}: patient {found.patients[who]} has no outcome in {path}")
    after = np.flatnonzero(found.when > until[found.who])
    if len(after):
        row = after[found.lines[after].argmin()]
        raise InputError(
            f"{place(found.source, found.lines[row])}: patient {found.patients[found.who[row]]} is measured at "
            f"{found.when[row]:g}, after the end at {until[found.who[row]]:g}"
        )
    return Outcomes(label, None if np.isnan(until).all() else until)
