"""Conversion of units; uses the readings of unit names that fit each other, and asks if several do."""

import itertools
import math
from fractions import Fraction
from typing import Any

from . import CannotDo, World, skill
from .numerals import TOO_LARGE, number, said
from .quantities import SHORT, TEMPERATURES, Quantity, Readings, delta, kind, looked_up, quantity, registry, unit
from .reader import shortened


@skill(
    "convert {amount} {unit} to {target}",
    "how many {target} are {amount} {unit}",
    "what is {amount} {unit} in {target}",
    "{amount} {unit} in {target}",
    "how many {target} are there in {amount} {unit}",
    "change {amount} {unit} into {target}",
    "how much is {amount} {unit} in {target}",
    "{amount} {unit} to {target}",
    "turn {amount} {unit} into {target}",
    "i need {amount} {unit} as {target}",
    "express {amount} {unit} in {target}",
    "how many {target} make {amount} {unit}",
    "what are {amount} {unit} when i want {target}",
    "give me {amount} {unit} in {target}",
    "how many {target} in {amount} {unit}",
    "how many {target} is {amount} {unit}",
    "how long is {amount} {unit} in {target}",
    "{amount} {unit} is how many {target}",
    "how much are {amount} {unit} in {target}",
    "can you convert {amount} {unit} into {target}",
    "how many {target} do {amount} {unit} have",
    "what would {amount} {unit} be in {target}",
    "how heavy is {amount} {unit} in {target}",
    "how tall is {amount} {unit} in {target}",
    "{amount} {unit} as {target}",
    "how hot is {amount} {unit} in {target}",
    "in {target} how much is {amount} {unit}",
    "how far is {amount} {unit} in {target}",
    "tell me {amount} {unit} in {target}",
    "how many {target} go into {amount} {unit}",
    strict=True,
)
def convert_units(slots: dict[str, str], world: World) -> str:
    """Converts an amount from one unit to another."""
    if not slots.get("amount"):
        raise CannotDo("How many?", "amount")
    quantity(slots["amount"], "amount")  # so that errors in the number are not attributed to the unit
    gap = "" if slots.get("unit", "").startswith(("'", '"')) else " "  # 5'11"
    text = f"{slots['amount']}{gap}{slots.get('unit', '')}".strip()
    found = quantity(text, "unit")
    if not found.parts[0][1].name:
        raise CannotDo("Of which unit?", "unit")
    if not slots.get("target"):
        raise CannotDo("Into which unit?", "target")
    value = converted(found, unit(slots["target"], "target"))
    return f"{_shown(slots, found, text)} = {said(value)} {slots['target']}."


def _shown(slots: dict[str, str], found: Quantity, text: str) -> str:
    """Formats a single number in digits, anything else as said; spells out M for mega, as m for milli may be meant."""
    amount, of = found.parts[0]
    try:
        plainly = number(slots["amount"]) == amount and len(found.parts) == 1 and bool(slots.get("unit"))
    except CannotDo:
        plainly = False
    if not plainly:
        return " ".join(text.split())
    small = looked_up("m" + of.name[1:]) if of.name[:1] == "M" and len(of.name) <= SHORT else None
    mega = small is not None and kind(small) == kind(of.units[0])
    return f"{said(amount, 12)} {slots['unit']}" + (f" ({_full(of.units[0])})" if mega else "")


def converted(found: Quantity, target: Readings) -> float:
    """Converts a quantity to the target unit.

    Raises:
        CannotDo: the units are of different kinds, several readings fit, or the temperature is impossible.
    """
    values: dict[float, tuple[Any, ...]] = {}
    for *sources, wanted in itertools.product(*(of.units for _, of in found.parts), target.units):
        if all(kind(source) == kind(wanted) for source in sources):
            value = _sum([amount for amount, _ in found.parts], sources, wanted, found.difference)
            values.setdefault(float(f"{value:.12g}"), (*sources, wanted))
    if not values:
        raise _impossible([of for _, of in found.parts], target)
    if len(values) > 1:
        raise _several(list(values.values()))
    return next(iter(values))


def _sum(amounts: list[Fraction], sources: list[Any], wanted: Any, difference: bool) -> float:
    if difference:
        sources, wanted = [delta(source) for source in sources], delta(wanted)
    elif len(sources) > 1 and any(str(source) in TEMPERATURES for source in sources):
        raise CannotDo("One cannot add up temperatures.")
    made = registry().Quantity
    pairs = zip(amounts, sources, strict=True)
    found = sum(float(made(float(amount), of).to(wanted).magnitude) for amount, of in pairs)
    if not math.isfinite(found):
        raise CannotDo(TOO_LARGE)
    temperature = str(wanted) in {*TEMPERATURES, "kelvin"} and not difference
    if temperature and made(found, wanted).to("kelvin").magnitude < -1e-9:
        raise CannotDo("There is no such temperature: absolute zero is 0 kelvin, or -273.15 degrees Celsius.")
    return found


def _full(each: Any) -> str:
    """Returns the full name of a unit."""
    return "short ton" if str(each) == "ton" else str(each).replace("_", " ")


def _several(found: list[tuple[Any, ...]]) -> CannotDo:
    """Returns a question about which of these readings is meant."""
    *sources, targets = (list(dict.fromkeys(map(_full, column))) for column in zip(*found, strict=True))
    slot, names = next((("unit", names) for names in sources if len(names) > 1), ("target", targets))
    return CannotDo(f"Do you mean {' or '.join(names)}?", slot)


def _impossible(sources: list[Readings], target: Readings) -> CannotDo:
    """Explains why none of the readings can be converted to the target."""
    goal = {kind(each) for each in target.units}
    source = next((of for of in sources if not goal & set(map(kind, of.units))), sources[-1])
    if "degree" in map(str, source.units) and "kelvin" in goal:
        return CannotDo("Degrees of which scale: Celsius or Fahrenheit?", "unit")
    named = []
    for readings in (source, target):
        full = " or ".join(map(_full, readings.units))
        named.append(shortened(readings.name) + (f" ({full})" if len(readings.name) <= SHORT else ""))
    return CannotDo(f"One cannot turn {named[0]} into {named[1]}: they measure different things.")
