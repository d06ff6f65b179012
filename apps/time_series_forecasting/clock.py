"""Dates as integer time steps: parsing dates, inferring the step, formatting."""

import calendar
import collections
import dataclasses
import datetime
import re
from collections.abc import Sequence

import numpy as np

from shared import InputError

DAY_S = 86_400
DATE = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d*)?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
)
MONTH = re.compile(r"(\d{4})-(\d{1,2})")
NUMBER = re.compile(r"[+-]?\d{1,9}")
COMPACT = re.compile(r"(?:19|20)(\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
FORMS = "2026-01-31, 2026-01-31 12:00, 2026-01 or a whole number"
# Steps per season by the step in seconds: daily data has weeks, weekly data years; hourly or finer data has days.
SEASONS_S = {DAY_S: 7, 7 * DAY_S: 52}
SEASONS_MONTHS = {1: 12, 3: 4}
PHASES = 6  # number of columns of `Clock.phases`


@dataclasses.dataclass(frozen=True)
class Clock:
    """A regular time grid: step k is at `origin` + k `step`, in `unit`s.

    unit: "seconds" since 1970, "weekdays" since Monday 1969-12-29 (without Saturdays and Sundays), "months" since year
    0, or "steps", plain numbers without a date.
    """

    unit: str
    step: int
    origin: int = 0

    def place(self, moments: np.ndarray) -> np.ndarray:
        """Returns the nearest k of times in the unit."""
        return np.floor((np.asarray(moments) - self.origin) / self.step + 0.5).astype(np.int64)

    def moment(self, k: np.ndarray | int) -> np.ndarray:
        """Returns the times of steps k, in the unit."""
        return self.origin + np.asarray(k) * self.step

    def season(self) -> int:
        """Returns the season length suggested by the step, in steps; 1 if there is none."""
        if self.unit == "weekdays":
            return 5
        if self.unit == "months":
            return SEASONS_MONTHS.get(self.step, 1)
        if self.unit == "seconds":
            return SEASONS_S.get(self.step, DAY_S // self.step if self.step < DAY_S and DAY_S % self.step == 0 else 1)
        return 1

    def week(self) -> int:
        """Returns the number of steps per week; 0 unless the step is shorter than a day and divides it evenly."""
        return 7 * DAY_S // self.step if self.unit == "seconds" and self.step < DAY_S and DAY_S % self.step == 0 else 0

    def text(self, k: int) -> str:
        """Formats step k as a date or a number."""
        moment = int(self.moment(k))
        if self.unit == "steps":
            return str(moment)
        if self.unit == "months":
            return f"{moment // 12:04}-{moment % 12 + 1:02}"
        date = _utc(moment) if self.unit == "seconds" else _utc(_weekday_s(moment))
        if self.unit == "weekdays" or (self.step % DAY_S == 0 and self.origin % DAY_S == 0):
            return f"{date:%Y-%m-%d}"
        return f"{date:%Y-%m-%d %H:%M:%S}".removesuffix(":00")

    def phases(self, k: np.ndarray) -> np.ndarray:
        """(steps, `PHASES`): sine and cosine of hour, weekday and day of the year; 0 where the step is too coarse."""
        moment, found = self.moment(k), np.zeros((len(k), PHASES), np.float32)
        turns: list[np.ndarray | None] = [None, None, None]
        if self.unit == "months":
            turns[2] = moment % 12 / 12
        elif self.unit in ("seconds", "weekdays"):
            seconds = moment if self.unit == "seconds" else _weekday_s(moment)
            turns = [
                seconds % DAY_S / DAY_S if self.step < DAY_S and self.unit == "seconds" else None,
                seconds // DAY_S % 7 / 7 if self.step <= DAY_S else None,
                seconds / DAY_S / 365.2425 % 1,
            ]
        for number, turn in enumerate(turns):
            if turn is not None:
                found[:, 2 * number] = np.sin(2 * np.pi * turn)
                found[:, 2 * number + 1] = np.cos(2 * np.pi * turn)
        return found


def parse(texts: Sequence[str], places: Sequence[str]) -> tuple[str, np.ndarray]:
    """Parses dates into a unit ("seconds", "months" or "steps") and the times in it.

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


def one(text: str, place: str, clock: Clock) -> int:
    """Returns the step k nearest to a date. Raises InputError if it is not of the clock's kind."""
    unit, (moment,) = parse([text], [place])
    if clock.unit == "months" and unit == "seconds":
        unit, moment = "months", _months(np.array([moment]))[0]
    if clock.unit == "weekdays" and unit == "seconds":
        unit, moment = "weekdays", _weekdays(np.array([moment]))[0]
    if unit != clock.unit:
        raise InputError(f"{place}: expected a date such as {clock.text(0)}; received {text!r}")
    return int(clock.place(np.array([moment]))[0])


def fit(unit: str, moments: np.ndarray, source: str) -> tuple[Clock, np.ndarray]:
    """Infers the clock that fits most of these times; returns it and the times in its unit.

    Args:
        moments: (rows,) of all series, unsorted. The step is the most frequent difference between neighbours.

    Raises:
        InputError: there are fewer than two different dates.
    """
    found = np.unique(moments)
    if len(found) < 2:
        raise InputError(f"{source}: expected two or more different dates; received {len(found)}")
    if unit == "seconds" and _monthly(found):
        unit, moments = "months", _months(moments)
        found = np.unique(moments)
    elif unit == "seconds" and _on_weekdays(found):
        unit, moments = "weekdays", _weekdays(moments)
        found = np.unique(moments)
    gaps = collections.Counter(np.diff(found).tolist())
    step = max(gaps, key=lambda gap: (gaps[gap], -gap))
    phases = collections.Counter((found % step).tolist())
    return Clock(unit, int(step), int(max(phases, key=lambda phase: (phases[phase], -phase)))), moments


def _form(text: str, place: str) -> str:
    for form, pattern in (("date", DATE), ("month", MONTH), ("number", NUMBER)):
        if pattern.fullmatch(text):
            return form
    raise InputError(f"{place}: expected a date such as {FORMS}; received {text!r}")


def zone_of(text: str) -> str:
    """Returns the time zone of a date; "" if it has none."""
    match = DATE.fullmatch(text)
    return (match[7] or "") if match else ""


def _moment(text: str, form: str, place: str) -> int:
    try:
        if form == "compact":
            return calendar.timegm(datetime.date(int(text[:4]), int(text[4:6]), int(text[6:])).timetuple())
        if form == "number":
            return int(text)
        if form == "month":
            year, month = map(int, MONTH.fullmatch(text).groups())  # type: ignore[union-attr]
            return 12 * datetime.date(year, month, 1).year + month - 1
        *parts, zone = DATE.fullmatch(text).groups()  # type: ignore[union-attr]
        date = datetime.datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]
        return calendar.timegm(date.timetuple()) - _offset_s(zone)
    except ValueError as error:
        raise InputError(f"{place}: expected a date such as {FORMS}; received {text!r} ({error})") from None


def _offset_s(zone: str | None) -> int:
    if not zone or zone in ("Z", "UTC"):
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return (1 if zone[0] == "+" else -1) * (3600 * hours + 60 * minutes)


def _utc(seconds: int) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds))


def _monthly(found: np.ndarray) -> bool:
    """Returns whether all dates fall on the same day of the month, or its last day, at least a month apart."""
    if np.diff(found).min() < 28 * DAY_S or (found % DAY_S).any():
        return False
    days = [_utc(moment) for moment in found.tolist()]
    last = all(date.day == calendar.monthrange(date.year, date.month)[1] for date in days)
    return last or len({date.day for date in days}) == 1 and np.diff(found).min() != 28 * DAY_S * len(found)


def _months(moments: np.ndarray) -> np.ndarray:
    dates = [_utc(moment) for moment in moments.tolist()]
    return np.array([12 * date.year + date.month - 1 for date in dates], np.int64)


def _on_weekdays(found: np.ndarray) -> bool:
    """Returns whether these are weekdays over more than one week, mostly one day apart."""
    days = found // DAY_S
    if (found % DAY_S).any() or len(days) < 10 or ((days + 3) % 7 >= 5).any():
        return False
    return bool(np.median(np.diff(days)) == 1)


def _weekdays(moments: np.ndarray) -> np.ndarray:
    """Converts seconds to weekdays, where 0 is a Monday; Saturday and Sunday count as the preceding Friday."""
    days = moments // DAY_S + 3
    return days // 7 * 5 + np.minimum(days % 7, 4)


def _weekday_s(number: np.ndarray | int) -> np.ndarray:
    number = np.asarray(number)
    return (number // 5 * 7 + number % 5 - 3) * DAY_S
