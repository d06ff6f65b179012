"""Durations and moments as people say them: an hour and a half, in ten minutes, tomorrow at 9, friday at 5 pm."""

import datetime
import re

from . import CannotDo
from .numerals import number

SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "day": 86_400, "week": 604_800}
DAYS = str.split("monday tuesday wednesday thursday friday saturday sunday")
PARTS = {"morning": 9, "noon": 12, "afternoon": 15, "evening": 19, "tonight": 20, "night": 21, "midnight": 0}
LONGEST_S = 366 * 86_400
_PIECE = re.compile(rf"(.*?)\b({'|'.join(SECONDS)})s?\b(?: and)?(?: (a half|a quarter|half))?", re.IGNORECASE)
_CLOCK = re.compile(r"\b(\d{1,2})(?:[:.](\d{2}))? ?(am|pm|a\.m\.|p\.m\.|o'clock)?\b")


def duration(text: str) -> int:
    """Seconds of a duration; CannotDo if it is none or longer than a year."""
    left, total, found = text.lower().replace("-", " "), 0.0, False
    while match := _PIECE.match(left.strip()):
        count = number(re.sub(r"\b(?:for|in|and|another)\b", " ", match[1])) if match[1].strip() else 1
        if count is None:
            break
        total += SECONDS[match[2].lower()] * (count + {"a half": 0.5, "half": 0.5, "a quarter": 0.25}.get(match[3], 0))
        left, found = left.strip()[match.end() :], True
    if not found or left.strip(" .,!?"):
        raise CannotDo(f"I cannot read the duration {text!r}. For example: ten minutes, 1 hour and 30 minutes.")
    if not 0 < total <= LONGEST_S:
        raise CannotDo("A duration must be longer than nothing and at most a year.")
    return round(total)


def moment(text: str, now: datetime.datetime) -> datetime.datetime:
    """The next moment that the text means; CannotDo if it means none."""
    text = text.lower().strip(" .,!?")
    if match := re.match(r"(?:in|after) (.+)", text):
        return now + datetime.timedelta(seconds=duration(match[1]))
    day = _day(text, now)
    clock = _clock(text)
    if day is None and clock is None:
        raise CannotDo(f"I cannot read the time {text!r}. For example: in ten minutes, tomorrow at 9, friday at 5 pm.")
    hour, minute = clock or (9, 0)
    found = (day or now).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return found if found > now else found + datetime.timedelta(days=7 if any(d in text for d in DAYS) else 1)


def _day(text: str, now: datetime.datetime) -> datetime.datetime | None:
    if "tomorrow" in text:
        return now + datetime.timedelta(days=1)
    for number_of_day, name in enumerate(DAYS):
        if name in text:
            return now + datetime.timedelta(days=(number_of_day - now.weekday()) % 7)
    return now if re.search(r"\b(?:today|tonight|this)\b", text) else None


def _clock(text: str) -> tuple[int, int] | None:
    """Hour and minute; half past and quarter to, am and pm are understood, and a part of the day stands for itself."""
    for wording, shift in (("half past", 30), ("quarter past", 15), ("quarter to", -15)):
        text = re.sub(rf"(?:a )?{wording} (\w+)", lambda m, s=shift: _shifted(m[1], s), text)
    words = [
        str(number(word)) if number(word) is not None and word not in ("a", "an") else word for word in text.split()
    ]
    match = _CLOCK.search(" ".join(words))
    part = next((part for part in PARTS if re.search(rf"\b{part}\b", text)), None)
    if match is None:
        return None if part is None else (PARTS[part], 0)
    hour, minute = int(match[1]), int(match[2] or 0)
    after_noon = (match[3] or "").startswith("p") or (not match[3] and part in ("afternoon", "evening", "tonight"))
    if after_noon and hour < 12:
        hour += 12
    if (match[3] or "").startswith("a") and hour == 12:
        hour = 0
    if hour > 23 or minute > 59:
        raise CannotDo(f"There is no time {match[0]!r}.")
    return hour, minute


def _shifted(hour: str, minutes: int) -> str:
    count = number(hour)
    if count is None:
        return hour
    total = (int(count) * 60 + minutes) % (24 * 60)
    return f"{total // 60}:{total % 60:02}"


def spoken(seconds: float) -> str:
    """Seconds as hours, minutes and seconds, in words."""
    seconds = max(0, round(seconds))
    names = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
    parts = []
    for name, size in names:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " and ".join(parts[:2]) or "0 seconds"
