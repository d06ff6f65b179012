"""Detects patients unlike the training patients: few measured variables, or values outside the plausible range."""

from typing import Any

import numpy as np

from shared.data.wording import sized

from .plausible import plausible
from .records import Table
from .scaling import FEW, UTMOST

NAMED = 3  # number of out-of-range variables listed; the others are counted
USUAL = 2.0  # standardised values up to this one are common among the training patients


def unlike(found: Table, info: dict[str, Any]) -> list[str]:
    """Describes how each patient of a table is unlike the training patients, or "" if not.

    Args:
        found: measurements, at least one per patient.
        info: see `data.Data`.
    """
    begins = np.searchsorted(found.who, np.arange(len(found.patients) + 1))
    return [_said(found.what[rows], found.value[rows], info) for rows in map(slice, begins[:-1], begins[1:])]


def _said(what: np.ndarray, value: np.ndarray, info: dict[str, Any]) -> str:
    known, said = np.unique(what), []
    if few := hardly_measured(len(known), info):
        said.append(few)
    odd = {}
    for number in known:
        mine = value[what == number]
        outside = [x for x in (mine.max(), mine.min()) if out_of_range(x, number, info)]
        if outside:
            odd[number] = f"{info['variables'][number]} {outside[0]:g} {out_of_range(outside[0], number, info)}"
    said += list(odd.values())[:NAMED]
    if len(odd) > NAMED:
        said.append(f"{sized(len(odd) - NAMED, 'more variables')} out of range")
    return "; ".join(said)


def hardly_measured(variables: int, info: dict[str, Any]) -> str:
    """Returns a note if a risk is based on unusually few variables; else ""."""
    if variables >= info["fewest"]:
        return ""
    return f"based on {variables} of {len(info['variables'])} variables"


def out_of_range(value: float, variable: int, info: dict[str, Any]) -> str:
    """Returns the range that a value is outside of, and whether it is known or learned; "" for a value within both."""
    if info["ranges"][variable] is None:
        return "(none of them had it)"
    known, learned = known_range(variable, info), learned_range(variable, info)
    if known and not known[0] <= value <= known[1]:
        return f"(plausible: {known[0]:g} to {known[1]:g})"
    return "" if learned[0] <= value <= learned[1] else f"(learned from them: {learned[0]:.4g} to {learned[1]:.4g})"


def known_range(variable: int, info: dict[str, Any]) -> tuple[float, float] | None:
    """Returns the plausible range of a variable; None if its name is unknown, or its usual values are in another unit.

    Another unit is one in which common values of the training patients would be implausible.
    """
    limits = plausible(info["variables"][variable])
    low, high = _within(USUAL, variable, info)
    return limits if limits and limits[0] <= low and high <= limits[1] else None


def learned_range(variable: int, info: dict[str, Any]) -> tuple[float, float]:
    """Returns the range of a variable among the training patients.

    Values in training that are so extreme that the network hardly tells them apart are not part of it: they may be
    errors themselves. All grades of a score are, and both values of a flag, however rare.
    """
    low, high = info["ranges"][variable]
    grades = float(low).is_integer() and float(high).is_integer() and high - low < FEW
    return (low, high) if grades else _within(UTMOST, variable, info)


def _within(spreads: float, variable: int, info: dict[str, Any]) -> tuple[float, float]:
    """Returns the range of the training patients' values up to this many standard deviations from their mean."""
    scale, (low, high) = info["scale"], info["ranges"][variable]
    centre, spread, shift = (scale[name][variable] for name in ("centre", "spread", "shift"))
    ends = centre - spreads * spread, centre + spreads * spread
    below, above = ends if shift is None else (float(np.exp(end) - shift) for end in ends)
    return max(low, below), min(high, above)
