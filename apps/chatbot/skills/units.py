"""Conversion of units, by the pint library; a unit is looked up by its name and never run as an expression."""

import functools
import re
from typing import Any

from . import CannotDo, World, skill
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
_PLAIN = re.compile(r"[a-z\u00b5]+(?: [a-z]+)?(?: ?(?:/|per) ?[a-z]+)?")


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
        raise CannotDo(f"I cannot read the number {slots['amount']!r}.")
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

    parts = []
    for part in re.split(r" ?/ ?| per ", NAMES.get(name, name)):
        part = NAMES.get(part, part).replace(" ", "_")
        if not re.fullmatch(r"[A-Za-z\u00b5_]{1,40}", part):
            raise CannotDo(f"I know no unit called {text!r}.")
        try:
            parts.append(registry().Unit(part))
        except (pint.UndefinedUnitError, AttributeError, ValueError):
            raise CannotDo(f"I know no unit called {text!r}.") from None
    first, *others = parts
    for other in others:
        first = first / other
    return first


@functools.cache
def registry() -> Any:
    """Pint's units; reading their definitions takes half a second, once."""
    import pint

    return pint.UnitRegistry()
