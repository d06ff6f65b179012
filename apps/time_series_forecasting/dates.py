"""Texts as dates: their formats, time zones, and the times that they mean."""

import calendar
import datetime
import re
from collections.abc import Sequence

import numpy as np

from shared import InputError

from .clock import DAY_S, Clock, months, weekdays

DATE = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d*)?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
)
MONTH = re.compile(r"(\d{4})-(\d{1,2})")
NUMBER = re.compile(r"[+-]?\d{1,9}")
COMPACT = re.compile(r"(?:19|20)(\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
FORMS = "2026-01-31, 2026-01-31 12:00, 2026-01 or a whole number"


def parse(texts: Sequence[str], places: Sequence[str]) -> tuple[str, np.ndarray]:
    """Parses dates into a unit ("seconds", "months" or "steps") and the times in it, in UTC.

    Args:
        texts: at least one date; all must have the same format.
        places: location of each, for error messages.

    Raises:
        InputError: a text is not a date, its format differs from the first one, or only some have a time zone.
    """
    first = _form(texts[0], places[0])
    whole = first == "number" and all(COMPACT.fullmatch(text) for text in texts)
    moments = np.zeros(len(texts), np.int64)
    zone = zone_of(texts[0])
    for row, (text, place) in enumerate(zip(texts, places, strict=True)):
        form = _form(text, place)
        if form != first:
            raise InputError(f"{place}: expected a date as in {places[0]} ({texts[0]}); received {text!r}")
        if bool(zone_of(text)) != bool(zone):
            raise InputError(f"{place}: expected a time zone in every date or in none; received {text!r}")
        moments[row] = _moment(text, "compact" if whole else form, place)
    return {"date": "seconds", "month": "months", "number": "seconds" if whole else "steps"}[first], moments


def moment(text: str, place: str, clock: Clock) -> int:
    """Returns the time of a date in the unit of a clock. Raises InputError if it is not of the clock's kind."""
    unit, found = parse([text], [place])
    if unit == "seconds" and (clock.unit in ("months", "weekdays") or clock.step % DAY_S == 0):
        found = found + offset_s(text)  # days, weeks and months are those of the local calendar
    if unit == "seconds" and clock.unit in ("months", "weekdays"):
        unit, found = clock.unit, (months if clock.unit == "months" else weekdays)(found)
    if unit != clock.unit:
        form = "whole number" if clock.unit == "steps" else "date such as 2026-01-31"
        raise InputError(f"{place}: expected a {form}, as in training; received {text!r}")
    return int(found[0])


def zone_of(text: str) -> str:
    """Returns the time zone of a date; "" if it has none."""
    match = DATE.fullmatch(text)
    return (match[7] or "") if match else ""


def offset_s(text: str) -> int:
    """Returns the seconds by which the time zone of a date is ahead of UTC; 0 if it has none."""
    zone = zone_of(text)
    if zone in ("", "Z", "UTC"):
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return (1 if zone[0] == "+" else -1) * (3600 * hours + 60 * minutes)


def local(moments: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """Returns the times of one series on the clocks of their zones, if it is always the same, such as midnight."""
    if not zone_of(texts[0]):
        return moments
    found = moments + np.array([offset_s(text) for text in texts])
    return found if len(np.unique(found % DAY_S)) == 1 else moments


def _form(text: str, place: str) -> str:
    for form, pattern in (("date", DATE), ("month", MONTH), ("number", NUMBER)):
        if pattern.fullmatch(text):
            return form
    raise InputError(f"{place}: expected a date such as {FORMS}; received {text!r}")


def _moment(text: str, form: str, place: str) -> int:
    try:
        if form == "compact":
            return calendar.timegm(datetime.date(int(text[:4]), int(text[4:6]), int(text[6:])).timetuple())
        if form == "number":
            return int(text)
        if form == "month":
            year, month = map(int, MONTH.fullmatch(text).groups())  # type: ignore[union-attr]
            return 12 * datetime.date(year, month, 1).year + month - 1
        *parts, _ = DATE.fullmatch(text).groups()  # type: ignore[union-attr]
        date = datetime.datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]
        return calendar.timegm(date.timetuple()) - offset_s(text)
    except ValueError as error:
        raise InputError(f"{place}: expected a date such as {FORMS}; received {text!r} ({error})") from None
