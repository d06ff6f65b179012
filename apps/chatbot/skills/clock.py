"""The time and date here and in any city, country or time zone."""

import datetime

from . import World, places, skill, when

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
    strict=True,
)
def get_time(slots: dict[str, str], world: World) -> str:
    """Answers with the time in a city, or here."""
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
    strict=True,
)
def get_date(slots: dict[str, str], world: World) -> str:
    """Answers with the date in a city or here, or of another day."""
    if other := slots.get("moment", ""):
        at = when.moment(other, world.now())
        return f"{other[0].upper()}{other[1:]}: {at:%A}, {at.day} {at:%B %Y}."
    place, moment = _moment(slots, world)
    return f"It is {moment:%A}, {moment.day} {moment:%B %Y}{place}."


def _moment(slots: dict[str, str], world: World) -> tuple[str, datetime.datetime]:
    city = slots.get("city", "").strip()
    if not city or city.lower() in HERE:
        return "", world.now()
    name, zone = places.find(city, world.now())
    return f" in {name}", world.now().astimezone(zone)
