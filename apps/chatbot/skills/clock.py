"""Time and date here and in any city, by the zones of the IANA data base (zoneinfo)."""

import datetime
import difflib
import functools
import importlib.resources
import re
import unicodedata
import zoneinfo

from . import CannotDo, World, skill

# Cities that people ask for and the zones are not named after.
ALSO = {
    "Africa/Johannesburg": "cape town, durban, pretoria",
    "America/Chicago": "austin, dallas, houston, memphis, milwaukee, minneapolis, new orleans, san antonio, texas",
    "America/Denver": "salt lake city, santa fe",
    "America/Los_Angeles": "california, hollywood, la, las vegas, portland, san diego, san francisco, seattle",
    "America/New_York": "atlanta, boston, miami, new york city, nyc, philadelphia, washington, washington dc",
    "America/Sao_Paulo": "brasilia, rio, rio de janeiro",
    "America/Toronto": "montreal, ottawa, quebec",
    "Asia/Dubai": "abu dhabi",
    "Asia/Ho_Chi_Minh": "hanoi",
    "Asia/Kolkata": "bangalore, bombay, calcutta, chennai, delhi, hyderabad, mumbai, new delhi",
    "Asia/Riyadh": "mecca, medina",
    "Asia/Shanghai": "beijing, guangzhou, shenzhen",
    "Asia/Tokyo": "kyoto, osaka",
    "Australia/Sydney": "canberra",
    "Europe/Berlin": "cologne, frankfurt, hamburg, leipzig, munich",
    "Europe/Istanbul": "ankara",
    "Europe/London": "birmingham, edinburgh, england, glasgow, liverpool, manchester, oxford, scotland, uk",
    "Europe/Madrid": "barcelona, seville, valencia",
    "Europe/Moscow": "st petersburg",
    "Europe/Paris": "lyon, marseille",
    "Europe/Rome": "florence, milan, naples, venice",
    "Europe/Zurich": "basel, bern, geneva",
    "Pacific/Auckland": "wellington",
    "UTC": "greenwich, gmt, utc",
}
REGIONS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
ALIKE, LONGEST = 0.8, 60  # how alike a misspelt name must be; characters of a name
HERE = ("here", "there", "my city", "local")


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
)
def get_time(slots: dict[str, str], world: World) -> str:
    """The time in a city, or here."""
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
)
def get_date(slots: dict[str, str], world: World) -> str:
    """The date in a city, or here."""
    place, moment = _moment(slots, world)
    return f"It is {moment:%A}, {moment.day} {moment:%B %Y}{place}."


def _moment(slots: dict[str, str], world: World) -> tuple[str, datetime.datetime]:
    city = slots.get("city", "").strip()
    if not city or city.lower() in HERE:
        return "", world.now()
    name, zone = find(city)
    return f" in {name}", world.now().astimezone(zone)


def find(place: str) -> tuple[str, zoneinfo.ZoneInfo]:
    """A city's or country's name as it is written, and its zone; CannotDo if no such place is known."""
    known = places()
    plain = unicodedata.normalize("NFKD", place).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[-_ ]+", " ", plain.replace(".", "")).strip(" ?!,").removeprefix("the ")
    if key not in known:
        near = difflib.get_close_matches(key, known, 1, ALIKE) if len(key) < LONGEST else []
        if not near:
            raise CannotDo(f"I know no city or country called {place[:LONGEST]}. A larger city near it may do.")
        return f"{near[0].title()} (I know no {place})", zoneinfo.ZoneInfo(known[near[0]])
    return key.title(), zoneinfo.ZoneInfo(known[key])


@functools.cache
def places() -> dict[str, str]:
    """The zone of every place: cities after which one is named, those of `ALSO`, countries by their first zone."""
    found: dict[str, str] = {}
    files = importlib.resources.files("tzdata") / "zoneinfo"
    first: dict[str, str] = {}
    for line in _rows(files / "zone.tab"):
        first.setdefault(line[0], line[2])
    for code, country in (line[:2] for line in _rows(files / "iso3166.tab")):
        if code in first:
            found[country.split(" (")[0].lower().replace("-", " ")] = first[code]
    for zone in sorted(zoneinfo.available_timezones()):
        region, _, city = zone.partition("/")
        if city and region in REGIONS:
            found[city.rpartition("/")[2].replace("_", " ").replace("-", " ").lower()] = zone
    for zone, cities in ALSO.items():
        found |= dict.fromkeys(cities.split(", "), zone)
    return found


def _rows(file) -> list[list[str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
