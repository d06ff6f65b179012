"""Missing, constant, far, coded and clipped values."""

from collections.abc import Mapping

import numpy as np

from .findings import NOTE, OK, WARNING, Finding, counted, having, named, percent, sized
from .labels import SINGLE
from .texts import OFTEN

ROBUST = 1.4826  # standard deviations in a median absolute deviation, for a normal distribution
FAR = 10.0  # robust standard deviations from the median that make an outlier
AGAIN = 3  # occurrences of an extreme value that make it a code rather than an outlier
CUT, MANY = 0.05, 50  # share of values at an end of the range, and different values, that suggest clipping


def gaps(columns: Mapping[str, np.ndarray], what: str = "columns", level: str = "") -> list[Finding]:
    """Describes missing (NaN) and constant values of columns (rows,).

    Args:
        level: of missing values; by default a warning if one column has more of them than values, else a note.
    """
    missing = {name: float(np.isnan(values).mean()) for name, values in columns.items()}
    holes = sorted((name for name in missing if missing[name]), key=lambda name: -missing[name])
    listed = [f"{name} {percent(missing[name])}" for name in holes]
    level = level or (WARNING if holes and missing[holes[0]] > 0.5 else NOTE)
    findings = [Finding(level, f"{having(len(holes), len(columns), what)} missing values: {named(listed)}")]
    findings = findings if holes else [Finding(OK, f"no missing values in {sized(len(columns), what)}")]
    if flat := [name for name, values in columns.items() if is_constant(values)]:
        findings.append(Finding(WARNING, f"{counted(len(flat), len(columns), what)} constant: {named(flat)}"))
    return findings


def is_constant(values: np.ndarray) -> bool:
    """Returns whether all known values are equal."""
    known = values[~np.isnan(values)]
    return bool(len(known) and (known == known[0]).all())


def far(values: np.ndarray) -> np.ndarray:
    """Returns the indices of outliers: more than `FAR` robust standard deviations (by the MAD) from the median.

    None if the deviation is zero, or if many are as far, more than the share `OFTEN`: then that is how the values are.
    """
    known = values[~np.isnan(values)]
    middle = np.median(known) if len(known) else 0.0
    deviation = ROBUST * np.median(np.abs(known - middle)) if len(known) else 0.0
    if not deviation:
        return np.arange(0)
    places = np.flatnonzero(np.abs(np.nan_to_num(values, nan=middle) - middle) > FAR * deviation)
    return places if len(places) <= max(SINGLE, OFTEN * len(known)) else np.arange(0)


def codes(columns: Mapping[str, np.ndarray], what: str = "columns") -> list[Finding]:
    """Finds an extreme value that is repeated, such as -999, which is probably a code for a missing value.

    It is far from the median (by the MAD), and no other value is near: a heavy tail has no such hole.
    """
    found = []
    for name, values in columns.items():
        levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
        if len(levels) <= SINGLE:
            continue
        middle = float(np.median(np.repeat(levels, counts)))
        deviation = ROBUST * float(np.median(np.abs(np.repeat(levels, counts) - middle)))
        steps = np.diff(levels)
        nearest = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
        away = np.abs(levels - middle)
        wrong = np.flatnonzero((counts >= AGAIN) & (away > FAR * deviation) & (nearest > away / 2))
        if deviation and len(wrong):
            most = wrong[counts[wrong].argmax()]
            found.append(f"{name} {levels[most]:g} in {percent(counts[most] / counts.sum())} of its values")
    if not found:
        return []
    text = f"{having(len(found), len(columns), what)} an extreme value again and again, a code for a missing value?"
    return [Finding(WARNING, f"{text} {named(found)}")]


def clipped(columns: Mapping[str, np.ndarray], what: str = "columns") -> list[Finding]:
    """Finds columns of many different values, many of which equal the largest or the smallest: what is beyond is lost.

    A smallest value of 0 is natural, for counts and for rain.
    """
    found = []
    for name, values in columns.items():
        known = values[~np.isnan(values)]
        levels = np.unique(known)
        if len(levels) < MANY:
            continue
        for end, edge, following in (("highest", levels[-1], levels[-2]), ("lowest", levels[0], levels[1])):
            share = float((known == edge).mean())
            apart = abs(edge - following) > abs(edge - np.median(known)) / 2  # a code rather than a limit, see `codes`
            if share >= CUT and not apart and not (end == "lowest" and edge == 0):
                found.append(f"{name} {edge:g}, the {end}, in {percent(share)}")
    if not found:
        return []
    return [Finding(WARNING, f"{what} whose values often equal the highest or lowest one (clipped?): {named(found)}")]
