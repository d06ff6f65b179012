"""Standardisation of values, and detection of values in a wrong unit."""

import dataclasses
from typing import Any

import numpy as np

from .records import Table, fits

USUAL, UTMOST = 4.0, 6.0  # standardised values beyond the first approach the second: an outlier must not drown the rest
VARIES = 1e-6  # standard deviation, as a share of the largest size, from which on values are not the same
OUTLIER = 20.0  # a value that many times beyond what nine in ten are may be in a wrong unit, ...
GAP = 5.0  # ... and is taken for one if nothing is measured up to a factor of this: units differ by more, most of them
FEW = 20  # different values, at most, of a flag, a score, a grade: each is meant
SIGNED = 3  # different values of one sign, at least, for both to be meant; less are codes, as -1 for unknown


@dataclasses.dataclass(frozen=True)
class Scale:
    """How values become numbers near 0, learned from training patients alone; each field is a list of all variables."""

    shift: list  # added before the logarithm of skewed values; None: no logarithm
    centre: list
    spread: list
    limits: list  # [lowest, highest] value but 0 that can be right, see `records.fits`

    @classmethod
    def fit(cls, found: Table) -> "Scale":
        """Learns from a table; a variable that it lacks becomes 0 everywhere."""
        columns = []
        for what in range(len(found.variables)):
            values = found.value[found.what == what]
            low, high = limits(values)
            columns.append((*_scale(values[fits(values, low, high)], low), [low, high]))
        return cls(*(list(column) for column in zip(*columns, strict=True)))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Values (..., variables) -> standardised float32; beyond +-4 ever closer, but never the same; NaN stays."""
        shift = np.array([1.0 if s is None else s for s in self.shift])
        skewed = np.array([s is not None for s in self.shift])
        logs = np.log(np.maximum(values, 0) + shift)
        scaled = (np.where(skewed, logs, values) - np.array(self.centre)) / np.array(self.spread)
        beyond, room = np.maximum(np.abs(scaled) - USUAL, 0), UTMOST - USUAL
        drawn_in = np.sign(scaled) * (USUAL + room * beyond / (beyond + room))  # with the slope of 1 at first
        return np.where(beyond > 0, drawn_in, scaled).astype(np.float32)


def limits(values: np.ndarray) -> tuple[float, float]:
    """The lowest and highest value, 0 aside, that is in no wrong unit as far as can be told: infinite if all are 0.

    A wrong unit multiplies, so sizes decide. One is excluded if it lies a factor `OUTLIER` beyond the 5th or the 95th
    percentile, with a gap of a factor `GAP` on the way: a rare but true extreme has others between it and the usual.
    Nothing is excluded of a variable with at most `FEW` different values.
    """
    few = len(np.unique(values)) <= FEW
    positive, negative = np.sort(values[values > 0]), np.sort(-values[values < 0])
    fewer, more = sorted(len(np.unique(sizes)) for sizes in (positive, negative))
    if not more:
        return -np.inf, np.inf
    if fewer >= (1 if few else SIGNED):
        most = _sizes(np.sort(np.abs(values[values != 0])), few)[1]
        return -most, most
    above = len(np.unique(positive)) == more
    least, most = _sizes(positive if above else negative, few)
    least = 0.0 if few and (values == 0).any() else least
    return (least, most) if above else (-most, -least)


def _sizes(sizes: np.ndarray, few: bool) -> tuple[float, float]:
    """The least and the most of ascending positive sizes that can be right."""
    low, high = (sizes[0], sizes[-1]) if few else (_quantile(sizes, 0.05, "higher"), _quantile(sizes, 0.95, "lower"))
    least = min(low / OUTLIER, _reach(sizes[sizes <= low][::-1]) / GAP)
    most = max(high * OUTLIER, _reach(sizes[sizes >= high]) * GAP)
    return float(least), float(most)


def _quantile(sizes: np.ndarray, share: float, method: Any) -> float:
    return np.quantile(sizes, share, method=method)  # one that was measured: between two may lie the gap


def _reach(sizes: np.ndarray) -> float:
    """The last of ordered sizes before the first gap."""
    gaps = np.flatnonzero(np.maximum(sizes[1:], sizes[:-1]) > GAP * np.minimum(sizes[1:], sizes[:-1]))
    return sizes[gaps[0]] if len(gaps) else sizes[-1]


def _scale(values: np.ndarray, low: float) -> tuple[float | None, float, float]:
    """Shift before the logarithm (None: no logarithm), centre and spread of values in no wrong unit."""
    if not len(values):
        return None, 0.0, 1.0
    usual = np.clip(values, *np.percentile(values, [1, 99]))
    values = usual if _varies(usual) else values  # what happens to one in a thousand may be all that happens
    shift = _shift(values) if low >= 0 else None
    values = values if shift is None else np.log(values + shift)
    centre = float(values.mean())
    return shift, centre, float(values.std()) if _varies(values) else abs(centre) or 1.0


def _varies(values: np.ndarray) -> bool:
    """Whether values differ by more than rounding, in whatever unit they are."""
    return values.std() > VARIES * np.abs(values).max()


def _shift(values: np.ndarray) -> float | None:
    """What to add before taking logarithms, for values that are not negative and have a long right tail."""
    if not _varies(values) or ((values - values.mean()) ** 3).mean() / values.std() ** 3 < 1:
        return None
    return float(0.1 * np.median(values[values > 0]))
