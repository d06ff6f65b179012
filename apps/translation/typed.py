"""Built-in phrases as people type them: other ways to write a phrase of CLDR, for the source side only."""

import re
from collections.abc import Callable
from typing import Any

from .tokens import clean

DATE = re.compile(r"(?:(\w+), )?([A-Z]\w+) (\d{1,2})(?:, (\d{4}))?")  # Monday, March 3, 2025, or a part of it
CLOCK = re.compile(r"(\d+:\d\d(?::\d\d)?)\s([AP])M")
ENDINGS = {"1": "st", "2": "nd", "3": "rd"}
OBVIOUS = {"US dollar": "dollar", "Japanese yen": "yen"}  # what is meant without the name of a country

Ways = Callable[[str, Any], list[str]]  # phrase and locale -> the other ways to write it


def ways(kind: str, text: str, locale: Any) -> list[str]:
    """Returns the other ways in which people type a phrase of this kind, without `text` itself."""
    found = [clean(text)]
    for make in (*(ENGLISH.get(kind, ()) if locale.language == "en" else ()), *ANY.get(kind, ())):
        found += [way for each in found for way in make(each, locale)]
    return [way for way in dict.fromkeys(found) if way != found[0]]


def small(text: str, locale: Any) -> list[str]:
    """In small letters: "monday"."""
    return [text.lower()]


def ungrouped(text: str, locale: Any) -> list[str]:
    """Without a separator of thousands: "$1200"."""
    from babel.numbers import get_group_symbol

    symbol = re.sub(r"\s", " ", get_group_symbol(locale))  # a space that does not break is typed as a plain one
    return [re.sub(rf"(?<=\d){re.escape(symbol)}(?=\d{{3}})", "", text)]


def closed(text: str, locale: Any) -> list[str]:
    """Without the space after a number, before what is no longer than an abbreviation: "5km"."""
    return [re.sub(r"^([\d.,]+)\s(?=\D{1,3}$)", r"\1", text)]


def clock(text: str, locale: Any) -> list[str]:
    """Times of day in English: "6:30pm", and on the hour "6pm"."""
    found = CLOCK.fullmatch(text)
    if not found:
        return []
    time, half = found[1], found[2].lower()
    times = [time, time.removesuffix(":00")] if time.count(":") == 1 else [time]
    return [each + end for each in times for end in (f"{half}m", f" {half}m", f" {half.upper()}M", f" {half}.m.")]


def ordinal(day: str) -> str:
    """Writes a day of the month in English as 1st, 2nd, 3rd, 4th ..."""
    return day + ("th" if len(day) == 2 and day[0] == "1" else ENDINGS.get(day[-1], "th"))


def calendar(text: str, locale: Any) -> list[str]:
    """Dates in English: "March 3rd, 2025", "3rd of March 2025", "Mon, 3 March"."""
    found = DATE.fullmatch(text)
    if not found:
        return []
    weekday, month, day, year = found.groups()
    if weekday:
        short, wide = (locale.months["format"][width] for width in ("abbreviated", "wide"))
        month = {short[number]: wide[number] for number in short}.get(month, month)
    th = ordinal(day)
    days = [f"{day} {month}", f"{th} {month}", f"{th} of {month}", f"{month} {th}", f"{month} {day}"]
    dates = [f"{each} {year}" for each in days] + [f"{month} {th}, {year}"] if year else days
    return [f"{weekday}{comma} {each}" for each in dates for comma in (",", "")] if weekday else dates


def obvious(text: str, locale: Any) -> list[str]:
    """Currencies without their country in English: "20 dollars"."""
    return [text.replace(name, said) for name, said in OBVIOUS.items()]


ANY: dict[str, tuple[Ways, ...]] = {
    "date": (small,),
    "day": (small,),
    "month": (small,),
    "name of a day or month": (small,),
    "relative time": (small,),
    "unit": (ungrouped, closed),
    "currency": (ungrouped, small),
    "price": (ungrouped,),
    "language and country": (small,),
}
ENGLISH: dict[str, tuple[Ways, ...]] = {
    "date": (calendar,),
    "day": (calendar,),
    "time": (clock,),
    "currency": (obvious,),
}
