"""A regular time grid: integer steps as times, as text and as phases of day, week and year."""

import calendar
import dataclasses
import datetime

import numpy as np

from shared import InputError
from shared.data.wording import sized

DAY_S = 86_400
# Steps per season by the step in seconds: daily data has weeks, weekly data years; hourly or finer data has days.
SEASONS_S = {DAY_S: 7, 7 * DAY_S: 52}
SEASONS_MONTHS = {1: 12, 3: 4}
PHASES = 6  # number of columns of `Clock.phases`
WORDS = {7 * DAY_S: "weeks", DAY_S: "days", 3600: "hours", 60: "minutes", 1: "seconds"}
LATEST_OF_FIRST = 3  # the day of the month of the first working day at the latest


@dataclasses.dataclass(frozen=True)
class Clock:
    """A regular time grid: step k is at `origin` + k `step`, in `unit`s.

    unit: "seconds" since 1970, "weekdays" since Monday 1969-12-29 (without Saturdays and Sundays), "months" since year
    0, or "steps", plain numbers without a date. day, time_s: the day of the month and the time of day with which months
    and weekdays are written; 0 for none.
    """

    unit: str
    step: int
    origin: int = 0
    day: int = dataclasses.field(default=0, compare=False)
    time_s: int = dataclasses.field(default=0, compare=False)

    def saved(self) -> dict[str, str | int]:
        """Returns the arguments that make this clock; those at their default are left out."""
        written = {"day": self.day, "time_s": self.time_s}
        return {"unit": self.unit, "step": self.step, "origin": self.origin} | {k: v for k, v in written.items() if v}

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

    def step_text(self) -> str:
        """Returns the step in words.

        >>> Clock("seconds", 5400).step_text(), Clock("months", 3).step_text(), Clock("steps", 1).step_text()
        ('90 minutes', '3 months', '1 whole number')
        """
        if self.unit != "seconds":
            return sized(self.step, {"months": "months", "weekdays": "working days"}.get(self.unit, "whole numbers"))
        unit = next(unit for unit in WORDS if self.step % unit == 0)
        return sized(self.step // unit, WORDS[unit])

    def text(self, k: int) -> str:
        """Formats step k as a date or a number. Raises InputError if it is outside the years 1 to 9999."""
        moment = int(self.moment(k))
        if self.unit == "steps":
            return str(moment)
        try:
            return self._date(moment)
        except (OverflowError, ValueError):
            raise InputError(
                f"expected dates in the years 1 to 9999; step {k:,} of {self.step_text()} is outside"
            ) from None

    def _date(self, moment: int) -> str:
        if self.unit == "months":
            year, month = moment // 12, moment % 12 + 1
            date = datetime.datetime(year, month, min(self.day or 1, calendar.monthrange(year, month)[1]))
            if not self.day:
                return f"{date.date()}"[:7]
        else:
            date = _utc(moment if self.unit == "seconds" else int(_weekday_s(moment)))
        date += datetime.timedelta(seconds=self.time_s)
        whole = self.unit == "seconds" and self.step % DAY_S == 0 and self.origin % DAY_S == 0
        if whole or (self.unit != "seconds" and not self.time_s):
            return f"{date.date()}"
        return f"{date}".removesuffix(":00")

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


def months(seconds: np.ndarray) -> np.ndarray:
    """Converts seconds to months since year 0."""
    return np.asarray(seconds).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) + 1970 * 12


def weekdays(seconds: np.ndarray) -> np.ndarray:
    """Converts seconds to weekdays, where 0 is a Monday; Saturday and Sunday count as the preceding Friday."""
    days = np.asarray(seconds) // DAY_S + 3
    return days // 7 * 5 + np.minimum(days % 7, 4)


def on_weekend(seconds: np.ndarray) -> np.ndarray:
    """Returns whether times are on a Saturday or a Sunday."""
    return (np.asarray(seconds) // DAY_S + 3) % 7 >= 5


def dated(clock: Clock, seconds: np.ndarray) -> Clock:
    """Returns a clock of months or weekdays that writes its dates as these times, with their day and time of day."""
    times, counts = np.unique(seconds % DAY_S, return_counts=True)
    day = 0
    if clock.unit == "months":
        dates = seconds.astype("datetime64[s]")
        days = (dates.astype("datetime64[D]") - dates.astype("datetime64[M]")).astype(int) + 1
        # The first working day is written as the first of the month, the last one as its last
        day = int(days.max() if days.max() > LATEST_OF_FIRST else days.min())
    return dataclasses.replace(clock, day=day, time_s=int(times[counts.argmax()]))


def _utc(seconds: int) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds))


def _weekday_s(number: np.ndarray | int) -> np.ndarray:
    number = np.asarray(number)
    return (number // 5 * 7 + number % 5 - 3) * DAY_S
