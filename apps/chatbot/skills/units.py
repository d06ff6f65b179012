"""Conversion of units, by the pint library; a unit is looked up by its name and never run as an expression."""

import functools
import re
from typing import Any

from . import CannotDo, World, skill
from .calculator import shortened
from .numerals import number, said

NAMES = {
    "celsius": "degree_Celsius",
    "centigrade": "degree_Celsius",
    "fahrenheit": "degree_Fahrenheit",
    "degrees celsius": "degree_Celsius",
    "degrees fahrenheit": "degree_Fahrenheit",
    "kilos": "kilogram",
    "kilo": "kilogram",
    "mph": "mile/hour",
    "kmh": "kilometer/hour",
    "km h": "kilometer/hour",
    "kph": "kilometer/hour",
    "stones": "stone",
    "feet": "foot",
    "inches": "inch",
    "lbs": "pound",
    "tonnes": "metric_ton",
    "tons": "metric_ton",
    "knots": "knot",
    "nautical miles": "nautical_mile",
    "c": "degree_Celsius",
    "f": "degree_Fahrenheit",
}
POWERS = {"square": 2, "cubic": 3}
_NAME = re.compile(r"[A-Za-z\u00b5_]{1,40}")  # nothing that could be an expression


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
    asks={"amount": "How many?", "unit": "Of which unit?", "target": "Into which unit?"},
)
def convert_units(slots: dict[str, str], world: World) -> str:
    """An amount of one unit in another."""
    amount = number(slots["amount"])
    if amount is None:
        raise CannotDo(f"I cannot read the number {shortened(slots['amount'])!r}.")
    source, target = unit(slots["unit"]), unit(slots["target"])
    import pint

    try:
        found = registry().Quantity(amount, source).to(target)
    except pint.DimensionalityError:
        raise CannotDo(f"One cannot turn {slots['unit']} into {slots['target']}.") from None
    return f"{said(amount)} {slots['unit']} = {said(float(found.magnitude))} {slots['target']}."


def unit(text: str) -> Any:
    """The unit of this name; CannotDo if there is none."""
    name = text.lower().strip(" ?.!").replace("litre", "liter").replace("metre", "meter").replace("\u00b0", "")
    import pint

    found: Any = 1
    for number_of_part, part in enumerate(re.split(r" ?/ ?| per ", NAMES.get(name, name))):
        kind, _, base = part.partition(" ")
        part = (base if kind in POWERS else NAMES.get(part, part)).replace(" ", "_")
        try:
            each = registry().Unit(NAMES.get(part, part) if _NAME.fullmatch(part) else "")
        except (pint.UndefinedUnitError, AttributeError, ValueError):
            each = None
        if each is None or not str(each) or str(each) == "dimensionless":
            raise CannotDo(f"I know no unit called {shortened(text)!r}.")
        each = each ** POWERS.get(kind, 1)
        found = found / each if number_of_part else each
    return found


@functools.cache
def registry() -> Any:
    """Pint's units; reading their definitions takes half a second, once."""
    import pint

    return pint.UnitRegistry()
