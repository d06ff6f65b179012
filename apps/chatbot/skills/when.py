"""Parses moments as people say them: in ten minutes, tomorrow at 9, next friday, the 24th at 6 pm, 2026-12-24 18:00.

A text is first parsed completely, word by word, and only then looked up in the calendar. If it is ambiguous, the
assistant asks, and the answer becomes another line of the text, whose words replace or complete those of the previous
line.
"""

import dataclasses
import datetime
from dataclasses import dataclass
from fractions import Fraction

from . import CannotDo, dates, durations, holidays, times
from .dates import Date
from .durations import DAY, until
from .holidays import Easter
from .numerals import signed, unsigned
from .reader import Reader, whole
from .times import MIDNIGHT, PARTS, Clock, of_day

EXAMPLE = "in ten minutes, tomorrow at 9, or march 5 at 6 pm"
DAY_STARTS = 9  # default hour if only a day is given
SURE = range(7, 13)  # hours taken as morning or noon, without am or pm
MOST_MONTHS = 120
EXAMPLE_DAY = "tomorrow, next friday, march 5, or christmas"
WORDS = dates.WORDS | times.WORDS | durations.WORDS | holidays.WORDS | {"month", "months", "year", "years", "ago"}
BESIDE = WORDS | holidays.BESIDE | {"last"}  # may be next to more words of a moment


@dataclass(frozen=True)
class Said:
    """What a text says about a moment; missing parts are None or empty."""

    months: int | None = None  # from now; days and seconds too
    days: int | None = None
    seconds: Fraction | None = None
    offset: int | None = None  # days from today
    weekday: int | None = None
    which: str = ""  # this, next, last, this week, next week
    date: Date | Easter | None = None
    clock: Clock | None = None
    part: str = ""

    def then(self, later: "Said") -> "Said":
        """Returns this, with parts replaced or added by a later answer."""
        if later.shifted():
            return later
        found = self
        if later.which and later.weekday is None and later.date is None:
            found = dataclasses.replace(self, which=later.which)
        elif later.day_is_said():
            found = Said(clock=self.clock, part=self.part, offset=later.offset, weekday=later.weekday,
                         which=later.which, date=later.date)  # fmt: skip
        if later.clock:
            return dataclasses.replace(found, clock=later.clock, part=later.part, seconds=None)
        return dataclasses.replace(found, part=later.part) if later.part else found

    def shifted(self) -> bool:
        """Returns whether it is relative to now."""
        return (self.months, self.days, self.seconds) != (None, None, None)

    def day_is_said(self) -> bool:
        """Returns whether it names a day."""
        return self.offset is not None or self.weekday is not None or self.date is not None or bool(self.which)


def moment(text: str, now: datetime.datetime) -> datetime.datetime:
    """Returns the next moment that the text refers to, in the zone of `now`.

    Raises:
        CannotDo: there is none, it is ambiguous, or it is past; the message is a question for the slot "moment".
    """
    said = _all_said(text)
    try:
        found = _found(said, now)
        if said.shifted() and until(found, now) < 0:
            raise CannotDo(_past(said, found))
        return found
    except CannotDo as refusal:
        raise CannotDo(str(refusal), "moment", True) from None


def day(text: str, now: datetime.datetime, past: bool = False) -> datetime.date:
    """Returns the next day that the text refers to, or the last one if the question is about the past.

    Raises:
        CannotDo: it names no day, or is ambiguous; the message is a question for the slot "moment".
    """
    said = _all_said(text, "a day", EXAMPLE_DAY)
    try:
        if said.shifted():
            return _counted(said, now).date()
        if not said.day_is_said():
            raise CannotDo(f"Which day? Say it like {EXAMPLE_DAY}.")
        days = _days(said, now.date(), past)
        return days[0] if past else _not_both(said, days, now.date())
    except CannotDo as refusal:
        raise CannotDo(str(refusal), "moment", True) from None


def _all_said(text: str, *expected: str) -> Said:
    """Parses a text and the lines that complete it."""
    *before, last = text.split("\n") or [""]
    said = _said(last, *expected)
    for earlier in reversed(before):
        said = _said(earlier, *expected).then(said)
    return said


def may_be(text: str, at: datetime.datetime, now: datetime.datetime) -> bool:
    """Returns whether the text may mean this moment: "7" is at 07:00 and at 19:00, on any day unless it names one."""
    said = _said(text)
    if said.shifted():
        return abs(until(at, _counted(said, now))) < durations.MINUTE
    if said.day_is_said() and at.date() not in _days(said, now.date()):
        return False
    return not said.clock or 60 * at.hour + at.minute in {each % (24 * 60) for each in said.clock.options(said.part)}


def _said(text: str, kind: str = "a time", example: str = EXAMPLE) -> Said:
    return Said(**whole(times.marked(text), _words, kind, "moment", example))


def _words(reader: Reader) -> dict | None:
    """Parses all words; raises CannotDo for a second, different day or time."""
    said: dict = {}
    while reader.peek():
        start = reader.place
        if (found := next(filter(None, map(reader.attempt, RULES)), None)) is None:
            if not reader.take("at", "on", "for", ",") or not reader.peek():
                reader.place = start
                break
            continue
        if any(said[name] != found[name] for name in said.keys() & found.keys()):
            words = " ".join(token.raw for token in reader.tokens[start : reader.place])
            raise CannotDo(f"I heard two different times, the second one is {words!r}. When is it?")
        said |= found
    return said or None


def _shift(reader: Reader) -> dict | None:
    """Parses in two hours, a week ago, an hour from now, or just ten minutes; days and longer are calendar days."""
    alone, before = reader.place == 0, reader.take("in", "after")
    found = reader.attempt(_months)
    if found is None:
        pieces = reader.attempt(_pieces)
        if pieces is None:
            return None
        days = sum(seconds for unit, seconds in pieces.items() if unit >= DAY)
        rest = sum(pieces.values()) - days
        exact = rest or days % DAY
        if not exact:
            durations.checked(days)
        found = {"seconds": durations.checked(days + rest)} if exact else {"days": int(days // DAY)}
    if not before and reader.take("ago"):
        return {unit: -count for unit, count in found.items()}
    if not before and not reader.phrase("from now", "from today") and (not alone or reader.peek()):
        return None
    return found


def _pieces(reader: Reader) -> dict[int, Fraction] | None:
    """Parses a duration that has its unit; "9 am" and "5 march" start alike but are not durations."""
    start = reader.place
    reader.take(*durations.BEFORE)
    reader.attempt(signed)
    named = reader.peek() in durations.SECONDS
    reader.place = start
    return durations.pieces(reader) if named else None


def _months(reader: Reader) -> dict | None:
    count = reader.attempt(unsigned)
    unit = {"month": 1, "months": 1, "year": 12, "years": 12}.get(reader.take("month", "months", "year", "years"))
    if count is None or unit is None:
        return None
    if count != int(count) or not 0 < count * unit <= MOST_MONTHS:
        raise CannotDo(f"I count whole months, at most {MOST_MONTHS} of them. When is it?")
    return {"months": int(count * unit)}


RULES = (holidays.holiday, dates.day, _shift, times.part, times.clock)


def _found(said: Said, now: datetime.datetime) -> datetime.datetime:
    """Looks up the moment in the calendar."""
    if said.shifted():
        return _counted(said, now)
    days = _days(said, now.date())
    options = said.clock.options(said.part) if said.clock else [60 * _hour(said)]
    if max(options) >= 60 * MIDNIGHT:
        if said.day_is_said() and said.offset != 0:
            raise CannotDo("Midnight and the hours after it are between two days. Please say the date and, say, 00:30.")
        days = [now.date() - datetime.timedelta(1), now.date()]
    each = [(day, [of_day(day, minutes, now.tzinfo) for minutes in options]) for day in days]
    each = [(day, [at for at in moments if until(at, now) > 0]) for day, moments in each]
    coming = [(day, moments) for day, moments in each if moments]
    if not coming:
        raise CannotDo(_past(said, of_day(days[-1], options[-1], now.tzinfo)))
    if coming[0][0] == days[0]:
        _not_both(said, days, now.date())
    return _one(said, coming[0][1], coming, now)


def _not_both(said: Said, days: list[datetime.date], today: datetime.date) -> datetime.date:
    """Returns the first of the days. Raises CannotDo if "friday" is said on a Friday."""
    if said.weekday is not None and not said.which and said.date is None and days[0] == today and len(days) > 1:
        raise CannotDo(f"Do you mean today, or {dates.shown(days[1])}?")
    return days[0]


def _one(said: Said, moments: list, coming: list, now: datetime.datetime) -> datetime.datetime:
    """Returns the moment that is meant on the first day. Raises CannotDo if both times of day are possible."""
    clock, day_is_said = said.clock, said.day_is_said()
    if clock is None or clock.sure or (len(moments) == 1 and (said.part or day_is_said)):
        return moments[0]
    if clock.hour in SURE and (day_is_said or moments[0].date() == now.date()):
        for at in moments:
            if at.hour == clock.hour:
                return at
    first, second = [at for _, moments in coming for at in moments][:2]
    raise CannotDo(f"Do you mean {_time(first, now)} or {_time(second, now)}?")


def _hour(said: Said) -> int:
    """Returns the default hour if no time of day is given."""
    if said.part in ("am", "pm"):
        raise CannotDo(f"At what time {said.part}?")
    return 20 if said.part == "night" and said.offset == 0 else PARTS.get(said.part, DAY_STARTS)


def _counted(said: Said, now: datetime.datetime) -> datetime.datetime:
    """Returns a moment relative to now."""
    if said.day_is_said() or (said.seconds is not None and (said.clock or said.part)):
        raise CannotDo("I heard two different times. When is it?")
    if said.seconds is not None:
        return durations.later(now, float(said.seconds))
    day = now.date() + datetime.timedelta(said.days or 0)
    day = dates.plus_months(day, said.months) if said.months else day
    if not said.clock and not said.part:
        return of_day(day, now.hour * 60 + now.minute, now.tzinfo) + datetime.timedelta(seconds=now.second)
    return _found(Said(date=Date(day.day, day.month, day.year), clock=said.clock, part=said.part), now)


def _days(said: Said, today: datetime.date, past: bool = False) -> list[datetime.date]:
    """Returns the possible days, the next one first, or the last one if they are past."""
    past = past or said.which == "last"
    if said.date is not None:
        found = said.date.options(today, -1 if past else 1)
    elif said.offset is not None:
        found = [today + datetime.timedelta(said.offset)]
    elif said.weekday is not None:
        found = list(dates.weekdays(said.weekday, "last" if past and not said.which else said.which, today))
    elif said.which:
        raise CannotDo(f"On which day of {said.which}?")
    else:
        found = [today, today + datetime.timedelta(1)]
    if said.date is not None or said.offset is not None:
        return _agreeing(said, found, today, past)
    return [day for day in found if day is not None]


def _agreeing(said: Said, found: list[datetime.date | None], today: datetime.date, past: bool) -> list[datetime.date]:
    """Returns the coming or past days that fall on the given day of the week."""
    coming = [day for day in found if day is None or (day < today if past else day >= today) or len(found) == 1]
    if coming[0] is None:
        raise CannotDo("That day is not in every month or year. Please say the whole date.")
    days = [day for day in coming if day is not None and said.weekday in (None, day.weekday())]
    if not days:
        raise CannotDo(f"{dates.shown(coming[0])} is no {dates.WEEKDAYS[said.weekday or 0].title()}. Which day is it?")
    return days


def _past(said: Said, at: datetime.datetime) -> str:
    if not said.clock and not said.part and said.offset == 0:
        return "At what time today?"
    return f"{at:%H:%M} on {dates.shown(at)} {at.year} is past. When is it?"


def _time(at: datetime.datetime, now: datetime.datetime) -> str:
    day = {0: "today", 1: "tomorrow"}.get((at.date() - now.date()).days, f"on {dates.shown(at)}")
    return f"{at:%H:%M} {day}"
