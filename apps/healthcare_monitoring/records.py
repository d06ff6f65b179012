"""Measurements of patients as one long table, read from CSV; whatever is wrong with a file is said with its line.

What cannot be right ends in an InputError. What may be right but looks wrong (rows out of order, two values at one
time, a value far outside the usual range) becomes a note, one for each variable, which names the lines or counts them.
"""

import csv
import dataclasses
import difflib
import math
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, MissingFileError

MEASUREMENTS = ("patient", "time", "variable", "value")
OUTCOMES = ("patient", "outcome")  # and "time" where patients were followed up
# Kinds, not amounts: each kind of these becomes a variable of its own.
KINDS = ("ICUType",)
ALSO_CALLED = {"parameter": "variable", "recordid": "patient", "id": "patient"}
CLOCK = re.compile(r"(\d+):([0-5]\d)")
MOST_CAUSES = 100  # outcomes beyond are no numbers of causes
MOST_LINES = 10  # that a note names; more are counted
# Names of outcomes in public files and in the wild; none of them can be read as a measurement.
FORBIDDEN = {
    *("outcome", "label", "death", "died", "dead", "mortality", "in-hospital_death", "hospital_expire_flag"),
    *("survival", "length_of_stay", "los", "tte", "time_to_event", "event", "status", "saps-i", "sofa"),
}


@dataclasses.dataclass(frozen=True)
class Table:
    """Measurements, one a row: whose (index of `patients`), when, of what (index of `variables`), the value.

    Rows are in the order of patient and time; `lines` are their lines in `source`, for messages, or 0 where it is no
    file of the user's.
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
    at = np.zeros(len(when), np.int64) if lines is None else np.array(lines)
    notes = []
    given = np.argsort(who, kind="stable")
    back = np.flatnonzero((np.diff(who[given]) == 0) & (np.diff(when[given]) < 0))
    if len(back):
        first, then = given[back[0]], given[back[0] + 1]
        text = f"time {when[then]:g} of {people[who[then]]} after {when[first]:g}: rows put in order"
        notes.append(_note(source, at[given[back + 1]], text))
    order = np.lexsort((what, when, who))
    who, when, what, value, at = who[order], when[order], what[order], value[order], at[order]
    same = (np.diff(who) == 0) & (np.diff(when) == 0) & (np.diff(what) == 0)
    twice = np.flatnonzero(same & (np.diff(value) != 0)) + 1
    if len(twice):
        first = twice[at[twice].argmin()]
        text = f"{known[what[first]]} twice at {when[first]:g}, {value[first - 1]:g} and {value[first]:g}"
        notes.append(_note(source, at[twice], f"{text}: the mean is used"))
    return Table(source, people, known, who, when, what, value, at, tuple(notes))


def _numbered(words: Sequence[str], known: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    numbers = {word: number for number, word in enumerate(known)}
    return np.fromiter(map(numbers.__getitem__, words), np.int32, len(words)), known


def place(source: str, line: int) -> str:
    """Where a row stands, for messages."""
    return f"{source}, line {line}" if line else source


def _note(source: str, lines: np.ndarray, text: str) -> str:
    first, *others = np.sort(lines)
    if others and first and len(lines) <= MOST_LINES:
        text += f" (also line{'s' if len(others) > 1 else ''} {', '.join(map(str, others))})"
    elif others:
        text += f" ({len(lines):,} such {'lines' if first else 'values'})"
    return f"{place(source, first)}: {text}"


def warn(notes: Sequence[str]) -> None:
    """Prints notes on stderr."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def fits(value: Any, low: Any, high: Any) -> Any:
    """Whether a value can be right. Zero always can: it is zero in every unit, and may be the gravest sign there is."""
    return ((value >= low) & (value <= high)) | (value == 0)


def within(found: Table, limits: np.ndarray) -> Table:
    """The table without values that `limits` (variables, 2) exclude, as in a wrong unit; a note for each variable."""
    low, high = limits[found.what].T
    right = fits(found.value, low, high)
    notes = []
    for what in np.unique(found.what[~right]):
        out = np.flatnonzero(~right & (found.what == what))
        first = out[found.lines[out].argmin()]
        text = f"{found.variables[what]} {found.value[first]:g} is outside {low[first]:.4g} to {high[first]:.4g}"
        notes.append(_note(found.source, found.lines[out], f"{text} (its unit?): left out"))
    return dataclasses.replace(found.kept(np.flatnonzero(right)), notes=(*found.notes, *notes))


def with_zeros_counted(found: Table, limits: np.ndarray) -> Table:
    """The table with a note on zeros that lie apart from all else in their variable, as a code for unknown would."""
    low, high = limits[found.what].T
    apart = (found.value == 0) & ((low > 0) | (high < 0))
    counts = np.bincount(found.what[apart], minlength=len(found.variables))
    if not counts.any():
        return found
    named = ", ".join(f"{name} {n:,}" for name, n in zip(found.variables, counts, strict=True) if n)
    note = f"{found.source}: zeros are kept, no unit makes them: {named}. Take out those that stand for unknown."
    return dataclasses.replace(found, notes=(*found.notes, note))


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
                    hint = ". Decimals need a point." if len(cells) > len(columns) else ""
                    raise InputError(
                        f"{path}, line {reader.line_num}: expected {len(columns)} cells; received {len(cells)}{hint}"
                    )
                yield reader.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8: {error}") from error


def header(cells: Sequence[str], needed: Sequence[str], source: str) -> list[str]:
    """The columns that the first line names, in lower case and by the names used here.

    Raises:
        InputError: one that is needed misses, or is there twice.
    """
    given = [cell.strip("\ufeff \t").lower() for cell in cells]
    columns = [ALSO_CALLED[name] if ALSO_CALLED.get(name, name) not in given else name for name in given]
    if any(name not in columns for name in needed):
        found = f"the columns {', '.join(cells)}" if any(columns) else "an empty file"
        if len(cells) == 1 and re.search(r"[;\t|]", cells[0]):
            found += ". Save it with commas between the cells and a point in decimals."
        raise InputError(f"{source}, line 1: expected the columns {', '.join(needed)}; received {found}")
    for name in dict.fromkeys((*needed, "patient", "time")):
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
        raise InputError(f"{where}: expected {form} as {what}{hint}; received {text!r}") from None
    if not math.isfinite(value) or value < least:
        expected = "a finite number" if least == -math.inf else f"a number of at least {least:g}"
        raise InputError(f"{where}: expected {expected} as {what}; received {text}")
    return value


def known_variable(name: str, variables: Sequence[str], where: str) -> str:
    """The name itself; InputError names the nearest if a trained run does not know it."""
    if name not in variables:
        near = [known for known in variables if known.lower() == name.lower()]
        near = near or difflib.get_close_matches(name, variables, 1)
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
    rows, spelt = [], {}
    for line, cells in read_rows(path, needed):
        where, name = f"{path}, line {line}", cells["variable"]
        if name == "RecordID":  # the first row of each of PhysioNet's files
            continue
        if not name or not cells.get("patient", path.stem):
            raise InputError(f"{where}: expected a patient and a variable; received an empty cell")
        if name.lower() in FORBIDDEN:
            raise InputError(f"{where}: {name} is an outcome and must not be an input. Take these rows out.")
        time = number(cells["time"], "time", where, 0)
        value = number(cells["value"], "value", where, 0 if name.lower() == "age" else -math.inf)
        name = f"{name} {value:g}" if name in KINDS else name
        if variables is not None:
            known_variable(name, variables, where)
        first, at = spelt.setdefault(name.lower(), (name, line))
        if first != name:
            raise InputError(f"{where}: expected one spelling of each variable; received {name}, in line {at} {first}")
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
        if outcome != int(outcome) or outcome > MOST_CAUSES:
            raise InputError(f"{where}: expected a whole number as outcome, 0 = none; received {cells['outcome']}")
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
