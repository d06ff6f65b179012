"""Detects patients unlike the training patients: few measured variables, or values outside their range."""

from typing import Any

import numpy as np

from .records import Table

NAMED = 3  # variables out of their range that are named; of more the number is


def unlike(found: Table, info: dict[str, Any]) -> list[str]:
    """For each patient of a table what is unlike the training patients, in a few words; "" if nothing is.

    Args:
        found: measurements, at least one of each patient.
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
        said.append(f"{len(odd) - NAMED} more variables out of range")
    return "; ".join(said)


def hardly_measured(variables: int, info: dict[str, Any]) -> str:
    """Of how many variables a risk is made, if these are fewer than usual; else ""."""
    if variables >= info["fewest"]:
        return ""
    return f"based on {variables} of {len(info['variables'])} variables"


def out_of_range(value: float, variable: int, info: dict[str, Any]) -> str:
    """The range of a variable among the training patients, if a value lies outside of it; else ""."""
    span = info["ranges"][variable]
    if span is None:
        return "(none of them had it)"
    return "" if span[0] <= value <= span[1] else f"(theirs: {span[0]:g} to {span[1]:g})"
