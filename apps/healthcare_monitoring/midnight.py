"""Finds times of the day, such as 23:30 and then 00:30, where hours since the start of the record are expected."""

import itertools
from collections.abc import Iterable, Sequence

from shared import InputError

DAY, HALF = 24.0, 12.0  # hours
Row = tuple[float, str, int]  # hours, variable, line number


def refuse(source: str, records: Iterable[Sequence[Row]]) -> None:
    """Raises InputError if the rows of a record, all written as HH:MM, pass midnight: they would be put in its morning.

    Rows that are in another order than that of time do not pass midnight, and are sorted: those grouped by variable,
    and those with a time that goes back by less than half a day.
    """
    for rows in records:
        back = [(a, b) for a, b in itertools.pairwise(rows) if b[0] < a[0]]
        if not back or max(rows)[0] >= DAY or any(a[0] - b[0] <= HALF for a, b in back) or _grouped(rows, back):
            continue
        (before, _, _), (after, _, line) = back[0]
        raise InputError(
            f"{source}, line {line}: times are hours since the start of the record, such as admission; after "
            f"{written(before)} comes {written(after)}: write {written(after + DAY)}, or sort the rows by time"
        )


def _grouped(rows: Sequence[Row], back: Sequence[tuple[Row, Row]]) -> bool:
    """Whether the rows of each variable follow each other, in order of time, and one has several."""
    groups = [name for name, _ in itertools.groupby(row[1] for row in rows)]
    return len(set(groups)) == len(groups) < len(rows) and all(a[1] != b[1] for a, b in back)


def written(hours: float) -> str:
    """Writes hours as HH:MM."""
    minutes = round(60 * hours)
    return f"{minutes // 60:02}:{minutes % 60:02}"
