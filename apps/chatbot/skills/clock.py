"""The time and date here and in any city, country or time zone; the date of a named day, and the days until it."""

import datetime
import re

from shared.data.wording import sized

from . import CannotDo, World, places, skill, when

# Days in the built-in requests about dates.
DAYS = str.split(
    "christmas|tomorrow|next friday|the 4th of july|yesterday|new year's eve|march 5|last monday|halloween|"
    "the day after tomorrow|on tuesday|christmas eve|the 24th|easter|this saturday|october 3|valentine's day|"
    "june the 12th|new year's day|the first of april|next wednesday|yesterday|boxing day|december 31|friday|"
    "easter monday|tomorrow|2027-05-17|last thursday|christmas day|the 15th of august|next sunday|good friday|"
    "the day before yesterday|1 may|the 2nd|christmas|new year's eve|the 30th of september|monday|easter sunday|"
    "february 20|halloween|this thursday|the 9th of november|valentine's day|new year|january 7",
    "|",
)
_PAST = re.compile(r"\b(?:was|were|did)\b", re.IGNORECASE)
HERE = ("here", "there", "my city", "local", "my time", "local time")


@skill(
    "what time is it in {city}",
    "what time is it",
    "tell me the time in {city}",
    "what's the time in {city} right now",
    "what is the current time in {city}",
    "how late is it in {city}",
    "time in {city}",
    "do you know what time it is in {city}",
    "what's the time",
    "i'd like to know the time in {city}",
    "how late is it",
    "give me the local time of {city}",
    "what is the local time in {city}",
    "what hour is it in {city}",
    "could you check the time for {city}",
    "{city} time",
    "tell me what time it is in {city}",
    "give me the time in {city}",
    "the current time in {city}",
    "how late is it in {city} now",
    "check the clock for {city}",
    "what does the clock say in {city}",
    "local time of {city}",
    "which hour is it in {city}",
    "what time is it over in {city}",
    "what time is it now",
    "do you have the time",
    "time now in {city}",
    "tell me the time",
    "what time is it in {city} now",
    "can you tell me what time it is in {city}",
    "have you got the time",
    "current time {city}",
    "what time do they have in {city}",
    "time please",
    "what time do we have",
    "what time is it {moment}",
    "what time will it be {moment}",
    "what time was it {moment}",
    "what is the time in {city} {moment}",
    "what will the time be {moment}",
    "which time is it {moment}",
    whole=True,
)
def get_time(slots: dict[str, str], world: World) -> str:
    """Answers with the time in a city, or here. Raises CannotDo if another time than now is meant."""
    if slots.get("moment", "today").lower() not in ("today", "now"):
        raise CannotDo("I can only tell what time it is now, here or in a city.")
    place, moment = _moment(slots, world)
    day = moment.strftime("%A")
    return f"It is {moment:%H:%M} on {day}{place}."


@skill(
    "what date is it in {city}",
    "what's the date",
    "what day is it in {city}",
    "what is today's date",
    "which day is it in {city}",
    "what's the date in {city}",
    "tell me the date",
    "what day of the week is it",
    "give me the date in {city}",
    "which date is it in {city}",
    "what day is it today",
    "give me today's date",
    "do you know the date in {city}",
    "what day is today",
    "tell me the date in {city}",
    "what is the date today",
    "today's date in {city}",
    "which day of the week is it in {city}",
    "date in {city}",
    "what's today's date",
    "which day is today",
    "what is the day in {city}",
    "do you know what day it is",
    "what day of the week is it in {city}",
    "what is the date",
    "what day of the month is it",
    "what day is it",
    "is it monday today",
    "which date do we have today",
    "what is the date today in {city}",
    "is today friday",
    "today's date",
    "tell me today's date",
    "what month is it",
    "which day of the month is it",
    "what is the day today",
    "what day is {moment}",
    "which date is {moment}",
    "what weekday is {moment}",
    "when is {moment}",
    "what day of the week is {moment}",
    "what date was {moment}",
    "what is the date of {moment}",
    "what day was {moment}",
    "on which day does {moment} fall",
    "which day was {moment}",
    "tell me what day {moment} is",
    "what day will {moment} be",
    "which day is {moment}",
    "what date is {moment}",
    "what day does {moment} fall on",
    "what weekday was {moment}",
    "when exactly is {moment}",
    "what day of the week was {moment}",
    "what year is it",
    "the date of {moment}",
    "do you know when {moment} is",
    "what is the day of the week of {moment}",
    "on what date is {moment}",
    "which year is it",
    values={"moment": DAYS},
    whole=True,
)
def get_date(slots: dict[str, str], world: World) -> str:
    """Answers with the date in a city or here, or of another day."""
    place, now = _moment(slots, world)
    if not (asked := slots.get("moment", "")):
        return f"It is {_date(now)}{place}."
    found = when.day(asked, now, bool(_PAST.search(world.said)))
    shown = " ".join(asked.split())
    return f"{shown[0].upper()}{shown[1:]}{place}: {_date(found)}."


@skill(
    "how many days until {moment}",
    "how many days are left until {moment}",
    "how many days to {moment}",
    "days until {moment}",
    "how many days is it until {moment}",
    "how many days are there until {moment}",
    "count the days until {moment}",
    "how many days till {moment}",
    "tell me how many days are left until {moment}",
    "how long is it until {moment}",
    "how many more days until {moment}",
    "in how many days is {moment}",
    "how far away is {moment}",
    "how many days before {moment}",
    "the number of days until {moment}",
    "how many days do we have until {moment}",
    "how many days left until {moment}",
    "how many days are there before {moment}",
    values={"moment": DAYS},
    asks={"moment": "Until which day?"},
    whole=True,
)
def count_days(slots: dict[str, str], world: World) -> str:
    """Counts the days until a day."""
    today = world.now().date()
    day = when.day(slots["moment"], world.now())
    days = (day - today).days
    if days == 0:
        return f"That is today: {_date(day)}."
    return f"{sized(days, 'days')} until {_date(day)}." if days > 0 else f"{_date(day)} was {sized(-days, 'days')} ago."


def _date(day: datetime.date) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _moment(slots: dict[str, str], world: World) -> tuple[str, datetime.datetime]:
    city = slots.get("city", "").strip()
    if not city or city.lower() in HERE:
        return "", world.now()
    name, zone = places.find(city, world.now())
    return f" in {name}", world.now().astimezone(zone)
