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

from . import midnight
from .records import Outcomes, Table, place, table

MEASUREMENTS = ("patient", "time", "variable", "value")
OUTCOMES = ("patient", "outcome")  # and "time" for times to event
# Categories rather than quantities: each of their values becomes a separate variable.
KINDS = ("ICUType",)
ALSO_CALLED = {"parameter": "variable", "recordid": "patient", "id": "patient"}
CLOCK = re.compile(r"(\d+):([0-5]\d)")
MOST_CAUSES = 100  # larger outcomes are not plausible as numbers of causes
# Names of outcomes in public files and elsewhere; they are never accepted as measurements.
FORBIDDEN = {
    *("outcome", "label", "death", "died", "dead", "mortality", "in-hospital_death", "hospital_expire_flag"),
    *("survival", "length_of_stay", "los", "tte", "time_to_event", "event", "status", "saps-i", "sofa"),
}


def read_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields (line number, cells by column) of a CSV file with a header.

    Raises:
        InputError: the file does not exist, is not text, is empty, lacks columns, or has a row of the wrong width.
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
    """Raises MissingFileError if the file does not exist."""
    if not path.is_file():
        raise MissingFileError(f"Expected a CSV file with the columns {', '.join(needed)}. There is none at {path}")


def header(cells: Sequence[str], needed: Sequence[str], source: str) -> list[str]:
    """Returns the columns of a header, in lower case and with the names used here.

    Raises:
        InputError: a required column is missing, or a column occurs twice, possibly under different names.
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
    """Parses a finite number of at least `least`, or a time as HH:MM; an InputError gives its location."""
    clock = CLOCK.fullmatch(text) if what == "time" else None
    try:
        # Python also accepts 1_000, which a table never means.
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
    """Returns the name if a trained run knows it; otherwise raises InputError with the closest match."""
    if name not in variables:
        near = [known for known in variables if known.lower() == name.lower()]
        near = near or difflib.get_close_matches(name, variables, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(variables)}"
        raise InputError(f"{where}: unknown variable {shown(name)!r}; {hint}")
    return name


def measurement(cells: Mapping[str, str], where: str, variables: Sequence[str] | None) -> tuple[float, str, float]:
    """Parses time, variable and value of a row; the variable must be one of `variables`, unless that is None.

    Raises:
        InputError: the row is invalid; the message gives its location.
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
    """Reads measurements from a CSV file with the columns time, variable, value, and patient if there are several.

    Args:
        path: the file; that of a single patient needs no patient column.
        variables: those of a trained run, for prediction. None: all variables of the file, for training.

    Raises:
        InputError: as `read_rows`, or a row is invalid; the message gives its line.
    """
    needed = MEASUREMENTS if variables is None else MEASUREMENTS[1:]
    rows, spelt, alone = [], {}, path.stem
    people: dict[str, str] = {}  # one string per patient rather than per row: files may have millions
    clocked: dict[str, list[midnight.Row]] = {}  # the rows of patients whose times are all written as HH:MM
    for line, cells in read_rows(path, needed):
        if cells["variable"] == "RecordID":  # the first row of each PhysioNet file
            continue
        where, patient = f"{path}, line {line}", cells.get("patient", alone)
        if not patient:
            raise InputError(f"{where}: expected a patient; received an empty cell")
        time, name, value = measurement(cells, where, variables)
        first, at = spelt.setdefault(name.lower(), (name, line))
        if first != name:
            raise InputError(f"{where}: expected one spelling of each variable; received {name}, in line {at} {first}")
        new = patient not in people
        rows.append((people.setdefault(patient, patient), time, first, value, line))
        if not CLOCK.fullmatch(cells["time"]):
            clocked.pop(patient, None)
        elif new or patient in clocked:
            clocked.setdefault(patient, []).append((time, first, line))
    if not rows:
        raise InputError(f"{path}: expected measurements below the header; received none")
    midnight.refuse(str(path), clocked.values())
    return table(str(path), *zip(*rows, strict=True), variables=variables)


def read_outcomes(path: Path, found: Table, most: int = MOST_CAUSES) -> Outcomes:
    """Reads the outcome of each patient of the table from a CSV file with patient, outcome and optionally time.

    Args:
        path: the file.
        found: the measurements of these patients.
        most: the largest valid outcome, such as the number of causes that a trained run knows.

    Raises:
        InputError: a row is invalid; a patient occurs twice, has no outcome or no measurements, or has one after the
            end of follow-up.
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
