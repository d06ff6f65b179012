"""Measurements of patients as one long table, read from CSV; whatever is wrong with a file is said with its line.

What cannot be right ends in an InputError. What may be right but looks wrong (rows out of order, two values at one
time, a value far outside the usual range) becomes a note, which names the first such line and counts the rest.
"""

import csv
import dataclasses
import difflib
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError

MEASUREMENTS = ("patient", "time", "variable", "value")
OUTCOMES = ("patient", "outcome")  # and "time" where patients were followed up
# Kinds, not amounts: each kind of these becomes a variable of its own.
KINDS = ("ICUType",)
ALSO_CALLED = {"parameter": "variable", "recordid": "patient", "id": "patient"}
# Names of outcomes in public files and in the wild; none of them can be read as a measurement.
FORBIDDEN = {
    *("outcome", "label", "death", "died", "dead", "mortality", "in-hospital_death", "hospital_expire_flag"),
    *("survival", "length_of_stay", "los", "tte", "time_to_event", "event", "status", "saps-i", "sofa"),
}


@dataclasses.dataclass(frozen=True)
class Table:
    """Measurements, one a row: whose (index of `patients`), when, of what (index of `variables`), the value.

    Rows are in the order of patient and time; `lines` are their lines in `source`, for messages.
    """

    source: str
    patients: tuple[str, ...]
    variables: tuple[str, ...]
    who: np.ndarray  # (rows,) int32
    when: np.ndarray  # (rows,) float64, in the data's unit of time since the record began
    what: np.ndarray  # (rows,) int32
    value: np.ndarray  # (rows,) float64
    lines: np.ndarray  # (rows,) int64
    notes: tuple[str, ...] = ()

    def kept(self, rows: np.ndarray) -> "Table":
        """The table with these rows alone; patients and variables stay."""
        arrays = {name: getattr(self, name)[rows] for name in ("who", "when", "what", "value", "lines")}
        return dataclasses.replace(self, **arrays)

    def of(self, patient: int) -> "Table":
        """The table of one patient alone."""
        mine = self.kept(np.flatnonzero(self.who == patient))
        return dataclasses.replace(mine, patients=(self.patients[patient],), who=np.zeros_like(mine.who))


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """What became of each patient: `label` (patients,) int32, 0 = none or censored, 1, 2, ... = the causes.

    `until` (patients,) float64: time of the event or of the end of follow-up; None where only yes or no is known.
    """

    label: np.ndarray
    until: np.ndarray | None


def table(
    source: str,
    patients: Sequence[str],
    times: Sequence[float],
    names: Sequence[str],
    values: Sequence[float],
    lines: Sequence[int] | None = None,
    variables: Sequence[str] | None = None,
) -> Table:
    """Columns of measurements as a table, put in order, with notes on what looks wrong."""
    who, people = _numbered(patients, tuple(dict.fromkeys(patients)))
    what, known = _numbered(names, tuple(sorted(set(names))) if variables is None else tuple(variables))
    when, value = np.array(times, np.float64), np.array(values, np.float64)
    at = np.arange(2, len(when) + 2) if lines is None else np.array(lines)
    notes = []
    given = np.argsort(who, kind="stable")
    back = np.flatnonzero((np.diff(who[given]) == 0) & (np.diff(when[given]) < 0))
    if len(back):
        first, then = given[back[0]], given[back[0] + 1]
        text = f"time {when[then]:g} of {people[who[then]]} after {when[first]:g}: rows put in order"
        notes.append(_note(source, at[given[back + 1]], text))
    order = np.lexsort((what, when, who))
    who, when, what, value, at = who[order], when[order], what[order], value[order], at[order]
    twice = np.flatnonzero((np.diff(who) == 0) & (np.diff(when) == 0) & (np.diff(what) == 0)) + 1
    if len(twice):
        first = twice[at[twice].argmin()]
        notes.append(_note(source, at[twice], f"{known[what[first]]} twice at {when[first]:g}: the mean is used"))
    return Table(source, people, known, who, when, what, value, at, tuple(notes))


def _numbered(words: Sequence[str], known: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    numbers = {word: number for number, word in enumerate(known)}
    return np.fromiter(map(numbers.__getitem__, words), np.int32, len(words)), known


def _note(source: str, lines: np.ndarray, text: str) -> str:
    more = f" ({len(lines):,} such lines)" if len(lines) > 1 else ""
    return f"{source}, line {lines.min()}: {text}{more}"


def warn(notes: Sequence[str]) -> None:
    """Prints notes on stderr."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def within(found: Table, limits: np.ndarray) -> Table:
    """The table without values outside of `limits` (variables, 2), which a note names: a wrong unit, most likely."""
    low, high = limits[found.what].T
    fits = (found.value >= low) & (found.value <= high)
    if fits.all():
        return found
    out = np.flatnonzero(~fits)
    first = out[found.lines[out].argmin()]
    name = found.variables[found.what[first]]
    text = f"{name} {found.value[first]:g} is outside {low[first]:.4g} to {high[first]:.4g} (its unit?): left out"
    kept = found.kept(np.flatnonzero(fits))
    return dataclasses.replace(kept, notes=(*found.notes, _note(found.source, found.lines[out], text)))


def read_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column) of a CSV file with a header.

    Raises:
        InputError: no such file, not text, empty, columns missing, or a row of another width.
    """
    if not path.is_file():
        raise MissingFileError(f"Expected a CSV file with the columns {', '.join(needed)}. There is none at {path}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            columns = header(next(reader, []), needed, str(path))
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(columns):
                    raise InputError(
                        f"{path}, line {reader.line_num}: expected {len(columns)} cells; received {len(cells)}"
                    )
                yield reader.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8: {error}") from error


def header(cells: Sequence[str], needed: Sequence[str], source: str) -> list[str]:
    """The columns that the first line names, in lower case and by the names used here; InputError if any misses."""
    columns = [cell.strip().lower() for cell in cells]
    columns = [ALSO_CALLED.get(column, column) for column in columns]
    missing = [name for name in needed if name not in columns]
    if missing:
        found = f"the columns {', '.join(cells)}" if any(columns) else "an empty file"
        raise InputError(f"{source}, line 1: expected the columns {', '.join(needed)}; received {found}")
    return columns


def number(text: str, what: str, where: str, least: float = -math.inf) -> float:
    """A finite number of at least `least`; a time may also be written HH:MM. InputError says where it stood."""
    try:
        hours, colon, minutes = text.partition(":")
        value = int(hours) + int(minutes) / 60 if colon and what == "time" else float(text)
    except ValueError:
        raise InputError(f"{where}: expected a number as {what}; received {text!r}") from None
    if not math.isfinite(value) or value < least:
        expected = "a finite number" if least == -math.inf else f"a number of at least {least:g}"
        raise InputError(f"{where}: expected {expected} as {what}; received {text}")
    return value


def known_variable(name: str, variables: Sequence[str], where: str) -> str:
    """The name itself; InputError names the nearest if a trained run does not know it."""
    if name not in variables:
        near = difflib.get_close_matches(name, variables, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(variables)}"
        raise InputError(f"{where}: unknown variable {name!r}; {hint}")
    return name


def read_measurements(path: Path, variables: Sequence[str] | None = None) -> Table:
    """The measurements in a CSV file with the columns time, variable, value, and patient where there are several.

    Args:
        path: the file; a file of one patient needs no column of that name.
        variables: those of a trained run, to read what it is to judge. None: all that the file has, to train.

    Raises:
        InputError: what `read_rows` raises, or a row that cannot be right, with its line.
    """
    needed = MEASUREMENTS if variables is None else MEASUREMENTS[1:]
    rows = []
    for line, cells in read_rows(path, needed):
        where, name = f"{path}, line {line}", cells["variable"]
        if name == "RecordID":  # the first row of each of PhysioNet's files
            continue
        if not name or not cells.get("patient", path.stem):
            raise InputError(f"{where}: expected a patient and a variable; received an empty cell")
        if name.lower() in FORBIDDEN:
            raise InputError(f"{where}: {name} is an outcome and must not be an input. Take these rows out.")
        time, value = number(cells["time"], "time", where, 0), number(cells["value"], "value", where)
        name = f"{name} {value:g}" if name in KINDS else name
        if variables is not None:
            known_variable(name, variables, where)
        rows.append((cells.get("patient", path.stem), time, name, value, line))
    if not rows:
        raise InputError(f"{path}: expected measurements below the header; received none")
    return table(str(path), *zip(*rows, strict=True), variables=variables)


def read_outcomes(path: Path, found: Table) -> Outcomes:
    """The outcome of each patient of the table, from a CSV file with patient, outcome and perhaps time.

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
            raise InputError(f"{where}: patient {name} stands in an earlier line already")
        outcome = number(cells["outcome"], "outcome", where, 0)
        if outcome != int(outcome):
            raise InputError(f"{where}: expected a whole number as outcome, 0 = none; received {cells['outcome']}")
        label[numbers[name]] = int(outcome)
        if "time" in cells:
            until[numbers[name]] = number(cells["time"], "time", where, 0)
    if (label < 0).any():
        who = int(np.flatnonzero(label < 0)[0])
        line = found.lines[found.who == who].min()
        raise InputError(f"{found.source}, line {line}: patient {found.patients[who]} has no outcome in {path}")
    after = np.flatnonzero(found.when > until[found.who])
    if len(after):
        row = after[found.lines[after].argmin()]
        raise InputError(
            f"{found.source}, line {found.lines[row]}: patient {found.patients[found.who[row]]} is measured at "
            f"{found.when[row]:g}, after the end at {until[found.who[row]]:g}"
        )
    return Outcomes(label, None if np.isnan(until).all() else until)
