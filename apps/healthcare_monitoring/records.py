"""Measurements of patients as one long table, with notes on suspicious values.

Unsorted rows, duplicate measurements and values far outside the usual range give notes, one per variable, that list
or count the lines.
"""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_LINES = 10  # maximum number of lines listed in a note; beyond it they are counted


@dataclasses.dataclass(frozen=True)
class Table:
    """Measurements, one per row: patient (index in `patients`), time, variable (index in `variables`) and value.

    Rows are sorted by patient and time; `lines` are their line numbers in `source`, for messages, or 0 if that is not
    a user's file.
    """

    source: str
    patients: tuple[str, ...]
    variables: tuple[str, ...]
    who: np.ndarray  # (rows,) int32
    when: np.ndarray  # (rows,) float64, in the data's unit of time since the start of the record
    what: np.ndarray  # (rows,) int32
    value: np.ndarray  # (rows,) float64
    lines: np.ndarray  # (rows,) int64
    notes: tuple[str, ...] = ()

    def kept(self, rows: np.ndarray) -> "Table":
        """Returns the table with only these rows; patients and variables are unchanged."""
        arrays = {name: getattr(self, name)[rows] for name in ("who", "when", "what", "value", "lines")}
        return dataclasses.replace(self, **arrays)

    def among(self, patients: np.ndarray) -> "Table":
        """Returns the table with only these patients, given by their indices in ascending order."""
        first, last = np.searchsorted(self.who, patients), np.searchsorted(self.who, patients, "right")
        rows = [np.arange(*ends) for ends in zip(first, last, strict=True)]
        mine = self.kept(np.concatenate([np.arange(0), *rows]))
        names = tuple(self.patients[patient] for patient in patients)
        return dataclasses.replace(mine, patients=names, who=np.searchsorted(patients, mine.who).astype(np.int32))

    def counts(self) -> np.ndarray:
        """(patients,): the number of measurements of each."""
        return np.bincount(self.who, minlength=len(self.patients))


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """The outcome of each patient: `label` (patients,) int32, 0 = none or censored, 1, 2, ... = the causes.

    `until` (patients,) float64: time of the event or of the end of follow-up; None for outcomes without times.
    """

    label: np.ndarray
    until: np.ndarray | None

    def among(self, patients: np.ndarray) -> "Outcomes":
        """Returns the outcomes of only these patients."""
        return Outcomes(self.label[patients], None if self.until is None else self.until[patients])


def table(
    source: str,
    patients: Sequence[str],
    times: Sequence[float],
    names: Sequence[str],
    values: Sequence[float],
    lines: Sequence[int] | None = None,
    variables: Sequence[str] | None = None,
) -> Table:
    """Builds a sorted table from columns of measurements, with notes on suspicious values."""
    who, people = _numbered(patients, tuple(dict.fromkeys(patients)))
    what, known = _numbered(names, tuple(sorted(set(names))) if variables is None else tuple(variables))
    when, value = np.array(times, np.float64), np.array(values, np.float64)
    at = np.zeros(len(when), np.int64) if lines is None else np.array(lines)
    notes = []
    given = np.argsort(who, kind="stable")
    back = np.flatnonzero((np.diff(who[given]) == 0) & (np.diff(when[given]) < 0))
    if len(back):
        first, then = given[back[0]], given[back[0] + 1]
        text = (
            f"time {when[then]:g} of {people[who[then]]} after {when[first]:g}: rows sorted by the time since the start"
        )
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
    """Returns the location of a row, for messages."""
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
    """Whether a value is plausible. Zero always is: it is zero in every unit, and may be the gravest sign there is."""
    return ((value >= low) & (value <= high)) | (value == 0)


def within(found: Table, limits: np.ndarray) -> Table:
    """Drops values outside `limits` (variables, 2), such as those in a wrong unit, with a note for each variable."""
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
    """Adds a note on zeros far from all other values of their variable, which may be a code for a missing value."""
    low, high = limits[found.what].T
    apart = (found.value == 0) & ((low > 0) | (high < 0))
    counts = np.bincount(found.what[apart], minlength=len(found.variables))
    if not counts.any():
        return found
    named = ", ".join(f"{name} {n:,}" for name, n in zip(found.variables, counts, strict=True) if n)
    note = f"{found.source}: zeros are kept: {named}. Remove those that mean a missing value."
    return dataclasses.replace(found, notes=(*found.notes, note))
