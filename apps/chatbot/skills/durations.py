"""Parses durations as people say them: ten minutes, 1h30, an hour and a half, three quarters of an hour, a week."""

import datetime
from fractions import Fraction

from . import CannotDo
from .numerals import and_fraction, said, single
from .reader import Reader, whole

MINUTE, HOUR, DAY = 60, 3600, 86_400
SECONDS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs", "s"), 1),
    **dict.fromkeys(("minute", "minutes", "min", "mins", "m"), MINUTE),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h"), HOUR),
    **dict.fromkeys(("day", "days"), DAY),
    **dict.fromkeys(("week", "weeks"), 7 * DAY),
    **dict.fromkeys(("fortnight", "fortnights"), 14 * DAY),
}
WORDS = frozenset(word for word in SECONDS if len(word) > 1)
SMALLER = {HOUR: MINUTE, MINUTE: 1}  # in "one hour thirty"
LONGEST_S = 366 * DAY
EXAMPLE = "ten minutes, or 1 hour and 30 minutes"
WHAT = "what: seconds, minutes, hours or days?"
BEFORE = ("for", "of", "another", "exactly", "about")


def duration(text: str) -> int:
    """Parses a duration in whole seconds.

    Raises:
        CannotDo: it is not a duration, not in whole seconds, not positive, or longer than a year.
    """
    *before, last = text.split("\n")
    if before and is_unit(last):  # answers what the 5 of the line before counts
        last = f"{before[-1]} {last}"
    try:
        return checked(sum(whole(last, pieces, "a duration", "duration", EXAMPLE).values()))
    except CannotDo as question:
        raise CannotDo(str(question), "duration", str(question).endswith(WHAT)) from None


def is_unit(text: str) -> bool:
    """Returns whether the text is only a unit of time: minutes."""
    return text.strip(" .!?").lower() in SECONDS


def checked(seconds: Fraction | int) -> int:
    """Returns the seconds; raises CannotDo if a timer cannot run for that long."""
    if not 0 < seconds <= LONGEST_S:
        raise CannotDo("A duration must be longer than nothing and at most a year. For how long?", "duration")
    if seconds != int(seconds):
        raise CannotDo("I count whole seconds only. For how long?", "duration")
    return int(seconds)


def pieces(reader: Reader) -> dict[int, Fraction] | None:
    """Parses a duration into seconds by unit; a day and an hour are {86400: 86400, 3600: 3600}."""
    reader.take(*BEFORE)
    found: dict[int, Fraction] = {}
    while (piece := reader.attempt(lambda reader: _piece(reader, found))) is not None:
        unit, seconds = piece
        found[unit] = seconds
    return found or None


def _piece(reader: Reader, before: dict[int, Fraction]) -> tuple[int, Fraction] | None:
    """Parses one unit and its seconds, following those of other units."""
    joined = before and [reader.take(","), reader.take("and")]
    count = reader.attempt(single)
    if count is None or (before and count < 0):
        return None
    unit = SECONDS.get(reader.take(*SECONDS), 0)
    if not unit and not reader.peek():
        unit = SMALLER.get(min(before), 0) if before and not any(joined) else 0
        if not (unit and 0 < count < 60 and count.denominator == 1):  # one hour thirty
            raise CannotDo(f"{said(count)} {WHAT}")
    if not unit or unit in before:
        return None
    return unit, unit * (count + (reader.attempt(and_fraction) or 0))


def later(now: datetime.datetime, seconds: float) -> datetime.datetime:
    """Returns the time this many seconds after now; adding a timedelta in a zone would follow the wall clock."""
    return (now.astimezone(datetime.UTC) + datetime.timedelta(seconds=seconds)).astimezone(now.tzinfo)


def until(moment: datetime.datetime, now: datetime.datetime) -> float:
    """Returns the seconds from now to a moment, also across a clock change."""
    return (moment.astimezone(datetime.UTC) - now.astimezone(datetime.UTC)).total_seconds()


def spoken(seconds: float) -> str:
    """Formats seconds as days, hours, minutes and seconds, in words."""
    seconds = max(0, round(seconds))
    parts = []
    for name, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " and ".join(parts[:2]) or "0 seconds"
