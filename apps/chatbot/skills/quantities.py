"""Parses amounts and units as people say them: 300 K, 5 foot 11, a mile and a half, km/h, minus 10 degrees celsius.

Units are looked up by name in the pint library, and never evaluated as expressions. The case of an abbreviation matters
as in pint: Mg is not mg. If pint has no unit in this case (KM), or a name refers to several units (C, ounces, tons),
there are several readings.
"""

import functools
import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from . import CannotDo
from .numerals import SMALL, and_fraction, single
from .reader import Reader, whole

_BITS = tuple(zip("kmgt", ("kilo", "mega", "giga", "tera"), strict=True))
# Common names of units in lower case, in addition to pint's; some refer to several units.
_NAMES = {
    "celsius|centigrade|c": "degree_Celsius",
    "fahrenheit|f": "degree_Fahrenheit",
    "kelvins|k": "kelvin",
    "kilo|kilos": "kilogram",
    "kmh|kph": "kilometer_per_hour",
    "lbs": "pound",
    "tonnes|metric tons|metric tonnes": "metric_ton",
    "ton|tons": "metric_ton|short_ton",
    "ounce|ounces|oz": "ounce|fluid_ounce",
    "fl oz|fluid oz": "fluid_ounce",
    "'": "foot",
    '"': "inch",
    "\u00b0": "degree",
    "imperial pint|imperial pints|uk pint|uk pints": "imperial_pint",
    "imperial gallon|imperial gallons|uk gallon|uk gallons": "imperial_gallon",
    "us gallon|us gallons": "gallon",
    "us pint|us pints": "pint",
} | {f"{letter}b": f"{name}byte|{name}bit" for letter, name in _BITS}
NAMES = {name: units.split("|") for names, units in _NAMES.items() for name in names.split("|")}
# Bits and bytes where pint would read barns.
EXACT = {f"{letter.upper()}b": f"{name}bit" for letter, name in _BITS} | {"KB": "kilobyte", "b": "bit"}
TEMPERATURES = {"degree_Celsius": "delta_degree_Celsius", "degree_Fahrenheit": "delta_degree_Fahrenheit"}
BEFORE = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
AFTER = {"squared": 2, "cubed": 3}
SMALLER = {"foot": "inch", "stone": "pound"}  # 5 foot 11, 11 stone 4
DIFFERENCE = ("difference of", "change of", "rise of", "drop of", "increase of", "decrease of")
WARMER = ("warmer", "hotter", "colder", "cooler")
WORDS = frozenset([*WARMER, "difference", "below", "degrees", "degree", "rise", "drop"])
SHORT = 4  # maximum letters of an abbreviation, which may be typed in another case
LONGEST_NAME = 40  # maximum number of letters


@dataclass(frozen=True)
class Readings:
    """A name, and the units that it may refer to."""

    name: str
    units: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Quantity:
    """A sum of amounts with units. `difference` means a difference of temperatures rather than a temperature."""

    parts: tuple[tuple[Fraction, Readings], ...]
    difference: bool


def quantity(text: str, slot: str) -> Quantity:
    """Parses the amounts and units in the text. Raises CannotDo for anything else."""
    example = "300 K, or 5 foot 11" if slot == "unit" else "7, 2.5, 1,200 or twenty five"
    return whole(text, _quantity, "a quantity" if slot == "unit" else "a number", slot, example)


def unit(text: str, slot: str = "unit") -> Readings:
    """Returns what the name of a unit may refer to. Raises CannotDo if there is no such unit."""
    return whole(text, _unit, "a unit", slot, "miles, or km/h")


def kind(each: Any) -> str:
    """Returns a unit's kind, as its root units: so angles and numbers of bytes are of different kinds."""
    return str(registry().get_root_units(delta(each))[1])


def delta(each: Any) -> Any:
    return registry().Unit(TEMPERATURES.get(str(each), each))


def _quantity(reader: Reader) -> Quantity | None:
    """Parses 300 K, 5 foot 11, 7 pounds and 3 ounces, a mile and a half, a difference of 10 celsius."""
    start = reader.place
    reader.take("a", "the")
    reader.take("temperature")
    difference = bool(reader.phrase(*DIFFERENCE))
    if not difference:
        reader.place = start
    parts: list[tuple[Fraction, Readings]] = []
    while (part := reader.attempt(lambda reader: _part(reader, parts))) is not None:
        parts.append(part)
    if parts and parts[0][0] < 0:  # the sign of -5 foot 11 applies to all parts
        parts[1:] = [(-amount, of) for amount, of in parts[1:]]
    difference = bool(reader.take(*WARMER)) or difference
    return Quantity(tuple(parts), difference) if parts else None


def _part(reader: Reader, before: list[tuple[Fraction, Readings]]) -> tuple[Fraction, Readings] | None:
    """Parses a number and its unit, which may be omitted after feet, or at the end of the text."""
    if before:
        reader.take(",")
        reader.take("and")
    amount = reader.attempt(single)
    if amount is None or (before and amount < 0):
        return None
    below = bool(reader.phrase("degrees below zero", "below zero"))
    found = reader.attempt(_unit)
    below = below or bool(reader.phrase("below zero"))
    amount += reader.attempt(and_fraction) or 0
    if found is None and before:
        name = SMALLER.get(str(before[-1][1].units[0]) if before[-1][1].units else "")
        found = Readings(name, (registry().Unit(name),)) if name else None
        return None if found is None else (amount, found)
    return -amount if below else amount, found or Readings("")


def _unit(reader: Reader) -> Readings | None:
    """Parses a unit with one or more factors: km/h, square feet, kilograms per cubic meter."""
    factors: list[tuple[Readings, int]] = []
    sign = 1
    while (factor := reader.attempt(_factor)) is not None:
        factors.append((factor[0], sign * factor[1]))
        start = reader.place
        if not reader.take("/", "per", "a", "an"):  # 60 miles an hour
            break
        sign = -1
    else:
        if factors:
            reader.place = start  # nothing follows the last per
    if len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    if not factors:
        return None
    name = " / ".join(readings.name for readings, _ in factors)
    choices = [readings.units for readings, _ in factors]
    powers = [power for _, power in factors]
    made = [_product(each, powers) for each in itertools.product(*choices)]
    return Readings(name, tuple(made))


def _product(each: tuple[Any, ...], powers: list[int]) -> Any:
    found = registry().Unit("")
    for factor, power in zip(each, powers, strict=True):
        found = found * delta(factor) ** power
    return found


def _factor(reader: Reader) -> tuple[Readings, int] | None:
    """Parses one unit and its power: square feet, feet squared, m2, m^2."""
    power = BEFORE.get(reader.take(*BEFORE), 0)
    words: list[str] = []
    for length in range(4, 0, -1):  # the longest name first: fluid ounces, degrees celsius
        words = [token.raw for token in reader.tokens[reader.place : reader.place + length]]
        readings = _named(words) if len(words) == length else None
        if readings is not None:
            reader.place += length
            return readings, power or _power_after(reader, readings)
    return None


def _power_after(reader: Reader, readings: Readings) -> int:
    word = reader.take(*AFTER)
    if word:
        return AFTER[word]
    if reader.peek() == "^" and reader.peek(1) in ("2", "3"):
        reader.place += 1
        return int(reader.take("2", "3"))
    if reader.peek() in ("2", "3") and reader.glued() and readings.name.isalpha():
        if "foot" in map(str, readings.units):
            raise CannotDo(f"Do you mean {reader.peek()} inches, or feet to the power of {reader.peek()}?")
        return int(reader.take("2", "3"))
    return 1


def _named(words: list[str]) -> Readings | None:
    """Returns what a name may refer to; None if there is no such unit."""
    if words[0].lower() in ("degrees", "degree", "deg", "\u00b0") and len(words) > 1:
        scale = _named(words[1:])
        fits = tuple(each for each in scale.units if kind(each) == "kelvin") if scale else ()
        return Readings(" ".join(words), fits) if fits else None
    name, lower = " ".join(words), " ".join(words).lower()
    if lower in SMALL:
        return None
    exact = EXACT.get(name, name)
    found = [looked_up(exact)]
    if found == [None] or name == lower or lower in ("c", "f"):
        found += map(looked_up, NAMES.get(lower, ()))
    if not any(each is not None for each in found):
        cases = itertools.product(*((c.lower(), c.upper()) for c in name)) if len(name) <= SHORT else [lower]
        found = [looked_up(EXACT.get(case, case)) for case in dict.fromkeys(map("".join, cases))]
    units = tuple(dict.fromkeys(each for each in found if each is not None))
    return Readings(name, units) if units else None


@functools.lru_cache(maxsize=10_000)
def looked_up(name: str) -> Any:
    """Returns pint's unit of exactly this name; None if there is none."""
    import pint

    name = name.replace(" ", "_")
    letters = name.replace("_", "")
    if not (letters.isalpha() and name.isidentifier() and len(name) <= LONGEST_NAME):
        return None  # it might be an expression
    try:
        found = registry().Unit(name)
    except (pint.UndefinedUnitError, AttributeError, ValueError):
        return None
    return None if str(found) in ("", "dimensionless") else found


@functools.cache
def registry() -> Any:
    """Loads pint's units; reading their definitions takes half a second, once."""
    import pint

    return pint.UnitRegistry()
