"""Detects patients unlike the training patients: few measured variables, or values outside their range."""

from typing import Any

import numpy as np

from shared.data.doctor import sized

from .records import Table

NAMED = 3  # number of out-of-range variables listed; the others are counted


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
    """Returns the range of a variable among the training patients if a value is outside it; else ""."""
    span = info["ranges"][variable]
    if span is None:
        return "(none of them had it)"
    return "" if span[0] <= value <= span[1] else f"(theirs: {span[0]:g} to {span[1]:g})"
