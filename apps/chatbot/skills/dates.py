"""Parses days as people say them: tomorrow, next friday, march 5, the 24th, 24.12.2026, 2026-12-24."""

import calendar
import datetime
import re
from dataclasses import dataclass

from . import CannotDo
from .numerals import SMALL, below_hundred
from .reader import Reader

WEEKDAYS = str.split("monday tuesday wednesday thursday friday saturday sunday")
MONTHS = str.split("january february march april may june july august september october november december")
WEEKDAY = {name[:length]: n for n, name in enumerate(WEEKDAYS) for length in (3, 20)} | {
    "tues": 1, "weds": 2, "thur": 3, "thurs": 3}  # fmt: skip
MONTH = {name[:length]: n for n, name in enumerate(MONTHS, 1) for length in (3, 20)} | {"sept": 9}
OFFSETS = {
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
    "tomorrow": 1,
    "today": 0,
    "yesterday": -1,
    "the day before yesterday": -2,
    "day before yesterday": -2,
}
_FIRST = str.split(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)
ORDINALS = {word: n for n, word in enumerate(_FIRST, 1)} | {"thirtieth": 30}
SUFFIXES = ("st", "nd", "rd", "th")
_OTHERS = str.split("today tomorrow yesterday day next week coming st nd rd th")
_AMBIGUOUS = str.split("may mar sun sat second")  # these are also other words
WORDS = frozenset([*WEEKDAY, *MONTH, *ORDINALS, *_OTHERS]) - frozenset(_AMBIGUOUS)
YEARS = {"this year": 0, "next year": 1, "last year": -1}
MOST_YEARS = 100
LEAP = 2024  # a leap year, which has every possible day


@dataclass(frozen=True)
class Date:
    """A day of a month; month and year may be missing. `ahead`: years after this one, such as 1 for next year."""

    day: int
    month: int | None = None
    year: int | None = None
    ahead: int | None = None

    def __post_init__(self) -> None:
        """Raises CannotDo for days that do not exist."""
        if self.month is not None and not 1 <= self.month <= 12:
            raise CannotDo(f"There is no month {self.month}.")
        longest = 31 if self.month is None else calendar.monthrange(self.year or LEAP, self.month)[1]
        if not 1 <= self.day <= longest:
            month = "No month" if self.month is None else MONTHS[self.month - 1].title()
            raise CannotDo(f"{month} has {'a' if self.month is None else 'no'} day {self.day}. Which day is it?")

    def options(self, today: datetime.date, step: int = 1) -> list[datetime.date | None]:
        """Returns the possible days, in this month or year and in the next one; None where there is no such day.

        `step` = -1: in this one and in the one before.
        """
        if self.year is not None:
            if self.year > today.year + MOST_YEARS:
                raise CannotDo(f"{self.year} is more than {MOST_YEARS} years away. When is it?")
            return [datetime.date(self.year, self.month or 1, self.day)]
        if self.month is not None:
            years = [today.year, today.year + step] if self.ahead is None else [today.year + self.ahead]
            return [_date(year, self.month, self.day) for year in years]
        months = [divmod(12 * today.year + today.month - 1 + more, 12) for more in (0, step)]
        return [_date(year, month + 1, self.day) for year, month in months]


def _date(year: int, month: int, day: int) -> datetime.date | None:
    return datetime.date(year, month, day) if day <= calendar.monthrange(year, month)[1] else None


def plus_months(day: datetime.date, months: int) -> datetime.date:
    """Returns the same day this many months later. Raises CannotDo if that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    found = _date(year, month + 1, day.day)
    if found is None:
        raise CannotDo(f"{MONTHS[month].title()} {year} has no day {day.day}. Which day is it?")
    return found


def weekdays(weekday: int, which: str, today: datetime.date) -> list[datetime.date]:
    """Returns this and the next such day; "next friday" may mean that of this or of next week."""
    monday = today - datetime.timedelta(today.weekday())
    this_week, next_week = (monday + datetime.timedelta(days + weekday) for days in (0, 7))
    if which == "this week":
        return [this_week]
    if which == "last":
        return [today - datetime.timedelta((today.weekday() - weekday - 1) % 7 + 1)]
    if which == "next" and this_week > today:
        raise CannotDo(f"Do you mean {shown(this_week)}, or {shown(next_week)}?")
    if which in ("next", "next week") or this_week < today:
        return [next_week]
    return [this_week, next_week]


def shown(day: datetime.date) -> str:
    """Returns Friday, 4 December."""
    return f"{day:%A}, {day.day} {day:%B}"


def day(reader: Reader) -> dict | None:
    """Parses a day: offset (days from today), weekday and which one, or date."""
    if offset := reader.phrase(*OFFSETS):
        return {"offset": OFFSETS[offset]}
    if week := reader.phrase("this week", "next week"):
        return {"which": week}
    for rule in (_weekday, _date_in_digits, _month_first, _day_first):
        if (found := reader.attempt(rule)) is not None:
            return found
    return None


def _weekday(reader: Reader) -> dict | None:
    which = reader.phrase("this coming", "the coming", "the next", "the last", "coming", "this", "next", "last")
    name = reader.take(*WEEKDAY)
    if not name:
        return None
    _dot(reader)
    found: dict = {"weekday": WEEKDAY[name]}
    if which:
        found["which"] = which.split()[-1] if which.endswith(("next", "last")) else "this"
    return found


def _month_first(reader: Reader) -> dict | None:
    """Parses March 5, march the 5th, december 24, 2026."""
    month = MONTH.get(reader.take(*MONTH))
    if month is None:
        return None
    _dot(reader)
    reader.take("the")
    number = _number(reader)
    if number is None:
        if reader.peek():
            return None
        raise CannotDo(f"Which day in {MONTHS[month - 1].title()}?")
    return {"date": Date(number[0], month, *which_year(reader))}


def _day_first(reader: Reader) -> dict | None:
    """Parses 5 march, the 5th of march 2027, the 24th."""
    reader.take("the")
    number = _number(reader)
    if number is None:
        return None
    start = reader.place
    reader.take("of")
    month = MONTH.get(reader.take(*MONTH))
    if month is None:
        reader.place = start
        return {"date": Date(number[0])} if number[1] else None
    _dot(reader)
    return {"date": Date(number[0], month, *which_year(reader))}


def _number(reader: Reader) -> tuple[int, bool] | None:
    """Parses the number of a day; also returns whether it is an ordinal."""
    if re.fullmatch(r"[0-9]{1,2}", reader.peek()):
        digits = int(reader.take(reader.peek()))
        return digits, bool(reader.glued() and reader.take(*SUFFIXES))
    if word := reader.take(*ORDINALS):
        return ORDINALS[word], True
    if reader.peek() in ("twenty", "thirty") and 1 <= ORDINALS.get(reader.peek(1), 0) <= 9:
        return SMALL[reader.take("twenty", "thirty")] + ORDINALS[reader.take(*ORDINALS)], True
    words = below_hundred(reader)
    return None if words is None else (words, False)


def which_year(reader: Reader) -> tuple[int | None, int | None]:
    """Parses the year after a day: (2027, None), or (None, 1) for next year; both None without one."""
    start = reader.place
    reader.take(",", "of", "in")
    if re.fullmatch(r"[1-9][0-9]{3}", reader.peek()) and reader.peek(1) not in (":", "h"):
        return int(reader.take(reader.peek())), None
    if said := reader.phrase(*YEARS):
        return None, YEARS[said]
    reader.place = start
    return None, None


def _date_in_digits(reader: Reader) -> dict | None:
    """Parses 2026-12-24, 24.12.2026, 24.12., and 12/24/2026 if no other order is possible."""
    token = reader.peek()
    if dotted := re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})(?:\.([0-9]{4}))?", token):
        before = reader.tokens[reader.place - 1].word if reader.place else ""
        reader.place += 1
        date, month, year = dotted[1], dotted[2], dotted[3]
        sure = bool(year or (_dot(reader) and not reader.glued()) or before == "on")
        could_be_time = int(date) < 24 and int(month) < 60 and len(month) == 2
        if not sure and could_be_time:
            if before != "at" and 1 <= int(month) <= 12 and int(date):
                raise CannotDo(f"Is {token} a time or a date? Say {date}:{month}, or {date} {MONTHS[int(month) - 1]}.")
            return None
        return {"date": Date(int(date), int(month), int(year) if year else None)}
    mark = reader.peek(1)
    if mark not in ("-", "/") or not re.fullmatch(r"[0-9]+", token) or not reader.glued(1):
        return None
    parts = [token]
    reader.place += 1
    while len(parts) < 3 and reader.take(mark) and re.fullmatch(r"[0-9]+", reader.peek()):
        parts.append(reader.take(reader.peek()))
    if len(parts) == 3 and len(parts[0]) == 4:
        if reader.glued():
            reader.take("t")  # 2026-12-24T18:00
        return {"date": Date(int(parts[2]), int(parts[1]), int(parts[0]))}
    if mark == "-" or len(parts) < 2 or not all(len(part) <= 2 for part in parts[:2]):
        return None
    if len(parts) == 3 and len(parts[2]) != 4:
        return None
    return {"date": _in_one_order(int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) == 3 else None)}


def _in_one_order(first: int, second: int, year: int | None) -> Date:
    """Takes a number above 12 as the day; otherwise the order is ambiguous, as it differs between countries."""
    if first <= 12 and second <= 12 and first != second:
        raise CannotDo(f"Is {first}/{second} in {MONTHS[first - 1].title()} or in {MONTHS[second - 1].title()}?")
    return Date(second, first, year) if second > 12 else Date(first, second, year)


def _dot(reader: Reader) -> str:
    return reader.take(".") if reader.glued() else ""
