"""The step of each series of a file, inferred from its dates: seconds, working days or months."""

import collections
from collections.abc import Sequence

import numpy as np

from shared import InputError

from .clock import DAY_S, Clock, dated, months, on_weekend, weekdays

FEWEST = 5  # different dates, below which a series does not tell its step
REGULAR = 0.5  # share of the differences between dates that must be the step, for a series to tell it
WEEKEND = 0.05  # share of dates on Saturdays and Sundays below which the others are working days
FEWEST_DAYS = 10  # of which some are a weekend if the data is daily
SHORTEST_MONTH = 28  # days
UNITS = {"months": months, "weekdays": weekdays}

Fitted = tuple[Clock, np.ndarray]


def fit(unit: str, moments: np.ndarray, source: str) -> Fitted:
    """Infers the clock that fits most of the times of one series; returns it and the times in its unit.

    Args:
        moments: (rows,) unsorted. The step is the most frequent difference between neighbours.

    Raises:
        InputError: there are fewer than two different dates.
    """
    found = np.unique(moments)
    if len(found) < 2:
        raise InputError(f"{source}: expected two or more different dates; received {len(found)}")
    regular = _regular_unit(unit, found)
    gaps = _gaps(_converted(unit, regular, found))
    return _on(regular, max(gaps, key=lambda gap: (gaps[gap], -gap)), unit, moments)


def fit_each(
    unit: str, moments: Sequence[np.ndarray], source: str, usual: Sequence[Clock | None] | None = None
) -> list[Fitted]:
    """Infers a clock for each series; returns each with the times in its unit.

    A series with too few or too irregular dates takes its usual step, else the commonest one of the others, else that
    of the dates of all series together.

    Args:
        moments: (rows,) of each series. usual: the clock that each had in training, None if it is new.
    """
    usual = usual or [None] * len(moments)
    # Less than two weeks of working days look like days
    least = [FEWEST_DAYS if clock and clock.unit == "weekdays" else FEWEST for clock in usual]
    told = {n: fit(unit, some, source) for n, some in enumerate(moments) if len(np.unique(some)) >= least[n]}
    told = {n: found for n, found in told.items() if tells(found)}
    clocks = [clock for clock, _ in told.values()] or [fit(unit, np.concatenate(moments), source)[0]]
    commonest, _ = collections.Counter((clock.unit, clock.step) for clock in clocks).most_common(1)[0]
    found = []
    for number, (some, before) in enumerate(zip(moments, usual, strict=True)):
        known = before is not None and before.unit in (unit, *(UNITS if unit == "seconds" else ()))
        step = (before.unit, before.step) if known else commonest  # type: ignore[union-attr]
        found.append(told.get(number) or _on(*step, unit, some))
    return found


def tells(found: Fitted) -> bool:
    """Returns whether enough of the dates of a series are a step apart for it to be its step."""
    clock, times = found
    gaps = _gaps(times)
    return gaps.total() >= FEWEST - 1 and gaps[clock.step] >= REGULAR * gaps.total()


def _gaps(times: np.ndarray) -> collections.Counter[int]:
    """Counts the differences between neighbouring times."""
    return collections.Counter(np.diff(np.unique(times)).tolist())


def _on(regular: str, step: int, unit: str, moments: np.ndarray) -> Fitted:
    """Returns the clock with this step on which most of the times lie, and the times in its unit."""
    times = _converted(unit, regular, moments)
    phases = collections.Counter((np.unique(times) % step).tolist())
    clock = Clock(regular, int(step), int(max(phases, key=lambda phase: (phases[phase], -phase))))
    return (clock if regular == unit else dated(clock, moments)), times


def _converted(unit: str, regular: str, moments: np.ndarray) -> np.ndarray:
    return moments if unit == regular else UNITS[regular](moments)


def _regular_unit(unit: str, found: np.ndarray) -> str:
    """Returns the unit in which these times, in ascending order, are regular."""
    if unit == "seconds" and _monthly(found // DAY_S):
        return "months"
    return "weekdays" if unit == "seconds" and _on_weekdays(found) else unit


def _monthly(days: np.ndarray) -> bool:
    """Returns whether days since 1970 are one day of each month, near its end, or its first working day."""
    if np.diff(days).min() < SHORTEST_MONTH:
        return False
    dates = days.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    first, last = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - 1
    number = dates - first
    same = np.minimum(number.max(), last - first)  # the 31st is the 30th of June
    ends = np.busday_offset(first, 0, roll="forward"), np.busday_offset(last, 0, roll="backward")
    late = number.astype(int) >= SHORTEST_MONTH - 1
    return bool(late.all() or (number == same).all() or any((dates == end).all() for end in ends))


def _on_weekdays(found: np.ndarray) -> bool:
    """Returns whether these are working days over more than one week, mostly one day apart, one time on each."""
    days = np.unique(found // DAY_S)
    if len(days) < max(FEWEST_DAYS, len(found)) or on_weekend(found).mean() > WEEKEND:
        return False
    return bool(np.median(np.diff(days)) == 1)
