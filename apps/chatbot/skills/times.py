"""Parses times of day as people say them: at 9, 18.30, half past six, ten to seven pm, noon, 9 in the evening."""

import datetime
import re
from dataclasses import dataclass

from . import CannotDo
from .numerals import ONES, SMALL, below_hundred
from .reader import Reader

PARTS = {"morning": 9, "afternoon": 15, "evening": 19, "night": 21}  # default hour if none is given
BETWEEN = {"morning": (1, 12), "afternoon": (12, 19), "evening": (16, 24), "night": (18, 30)}  # hours, from and before
BETWEEN |= {"am": (0, 12), "pm": (12, 24)}
MIDNIGHT = 24  # as an hour: both the end of a day and the start of the next
BARE_AFTER = ("", "at", "for", "today", "tomorrow", "tonight", ",", *PARTS)  # a bare number after these is a time
WORDS = frozenset([*PARTS, "tonight", "noon", "midday", "midnight", "am", "pm", "past", "o'clock", "oclock"])
_MERIDIEM = re.compile(r"(?<![a-z])([ap])\.? ?m(?![a-z])\.?", re.IGNORECASE)


@dataclass(frozen=True)
class Clock:
    """Hour and minute; `sure` is False if it may be a twelve-hour time without am or pm."""

    hour: int
    minute: int
    sure: bool

    def __str__(self) -> str:
        return f"{self.hour}:{self.minute:02}"

    def options(self, part: str) -> list[int]:
        """Returns the possible minutes of the day, in a part of the day or any; above 1440 for the following night."""
        minutes = self.hour * 60 + self.minute
        found = [minutes] if self.sure else [minutes % 720, minutes % 720 + 720]
        if part:
            first, last = (60 * hour for hour in BETWEEN[part])
            found = [m for day in (0, 1440) for m in (minute + day for minute in found) if first <= m < last]
        if not found:
            raise CannotDo(f"{self} is not in the {part}. Which time is it?", "moment", True)
        return found


def marked(text: str) -> str:
    """Replaces a.m. and p.m. with am and pm."""
    return _MERIDIEM.sub(lambda match: f"{match[1]}m", text)


def part(reader: Reader) -> dict | None:
    """Parses a part of the day; this evening and tonight also give the day."""
    if reader.take("tonight"):
        return {"part": "night", "offset": 0}
    if reader.take("this"):
        name = reader.take(*PARTS)
        return {"part": name, "offset": 0} if name else None
    reader.phrase("in the", "at", "on the")
    name = reader.take(*PARTS, "am", "pm")
    return {"part": name} if name else None


def clock(reader: Reader) -> dict | None:
    """Parses a time of day."""
    for rule in (_named, _past_and_to, _hour_and_minute):
        if (found := reader.attempt(rule)) is not None:
            return {"clock": found}
    return None


def _named(reader: Reader) -> Clock | None:
    if reader.peek(1) in ("noon", "midday", "midnight"):
        reader.take("12", "twelve")
    name = reader.take("noon", "midday", "midnight")
    return Clock(MIDNIGHT if name == "midnight" else 12, 0, True) if name else None


def _past_and_to(reader: Reader) -> Clock | None:
    """Parses half past six, a quarter to seven, twenty past five, ten minutes to noon."""
    if reader.phrase("half past"):
        shift = 30
    else:
        quarter = reader.phrase("a quarter", "quarter")
        minutes = 15 if quarter else _small(reader)
        if not quarter:
            reader.take("minutes", "minute")
        word = reader.take("past", "to", "till")
        if minutes is None or not word or not 0 < minutes < 60:
            return None
        shift = minutes if word == "past" else -minutes
    hour = _named(reader) or _hour(reader)
    if hour is None:
        return None
    hour = _with_mark(reader, hour) or hour
    turn = 1440 if hour.sure else 720
    total = (hour.hour * 60 + shift) % turn
    return Clock(total // 60 if hour.sure else total // 60 or 12, total % 60, hour.sure)


def _hour_and_minute(reader: Reader) -> Clock | None:
    """Parses 18.30, 18:30, 18h30, six thirty, 9 pm, 9 o'clock, 9."""
    before = reader.tokens[reader.place - 1].word if reader.place else ""
    if dotted := re.fullmatch(r"([0-9]{1,2})\.([0-9]{2})", reader.peek()):
        reader.place += 1
        found: Clock | None = _checked(dotted[1], int(dotted[2]))
    else:
        found = _hour(reader)
        if found is None:
            return None
        minute = reader.attempt(_minute)
        if minute is not None:
            found = Clock(found.hour, minute, found.sure)
        elif (with_mark := _with_mark(reader, found)) is not None:
            return with_mark
        elif before not in BARE_AFTER:
            return None
    return _with_mark(reader, found) or found


def _hour(reader: Reader) -> Clock | None:
    if re.fullmatch(r"[0-9]{1,2}", reader.peek()):
        return _checked(reader.take(reader.peek()), 0)
    hour = below_hundred(reader)
    return None if hour is None or not 0 < hour < 24 else Clock(hour, 0, hour > 12)


def _checked(hour: str, minute: int) -> Clock:
    """Parses a time in digits: 05:30 and 18:30 are 24-hour times."""
    number = int(hour)
    if number > 24 or minute > 59 or (number == 24 and minute):
        raise CannotDo(f"There is no time {hour}:{minute:02}. Which time is it?")
    return Clock(number, minute, number == 0 or number > 12 or hour.startswith("0"))


def _minute(reader: Reader) -> int | None:
    """Parses what follows an hour: :30, h30, thirty, oh five."""
    mark = reader.take(":", "h")
    if mark or (reader.glued() and reader.take("h")):
        if re.fullmatch(r"[0-9]{2}", reader.peek()) and reader.glued():
            minute = int(reader.take(reader.peek()))
            if minute > 59:
                raise CannotDo(f"There is no minute {minute}. Which time is it?")
            return minute
        return 0 if mark == "h" else None
    if reader.take("oh", "o"):
        minute = ONES.get(reader.take(*ONES), 0)
        return minute if 0 < minute < 10 else None
    words = below_hundred(reader) if reader.peek() in SMALL else None
    return words if words is not None and 10 <= words <= 59 else None


def _with_mark(reader: Reader, found: Clock) -> Clock | None:
    """Parses am, pm or o'clock after a time; None if there is no such mark."""
    oclock = reader.take("o'clock", "oclock")
    mark = reader.take("am", "pm")
    if not mark:
        return found if oclock else None
    if found.hour == MIDNIGHT or (mark == "am" and found.hour > 12) or (mark == "pm" and found.hour == 0):
        raise CannotDo(f"There is no time {found} {mark}. Which time is it?")
    if found.hour == 12 and not found.minute and mark == "am":
        return Clock(MIDNIGHT, 0, True)
    return Clock(found.hour % 12 + (12 if mark == "pm" else 0) if found.hour <= 12 else found.hour, found.minute, True)


def _small(reader: Reader) -> int | None:
    if re.fullmatch(r"[0-9]{1,2}", reader.peek()):
        return int(reader.take(reader.peek()))
    return below_hundred(reader)


def of_day(day: datetime.date, minutes: int, zone: datetime.tzinfo | None) -> datetime.datetime:
    """Returns the moment given by local time, in minutes of a day. Raises CannotDo if the clocks skip it."""
    wall = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=minutes)
    found = wall.replace(tzinfo=zone)
    if found.astimezone(datetime.UTC).astimezone(zone).replace(tzinfo=None) != wall:
        skipped = f"{wall:%H:%M} on {wall:%A}, {wall.day} {wall:%B}"
        raise CannotDo(f"There is no {skipped}: the clocks go forward. Which time is it?", "moment", True)
    return found
