"""Standardisation of values, and detection of values in a wrong unit."""

import dataclasses
from typing import Any

import numpy as np

from .records import Table, fits

USUAL, UTMOST = 4.0, 6.0  # standardised values beyond the first are squashed towards the second, to limit outliers
VARIES = 1e-6  # minimum ratio of standard deviation to largest absolute value for values to count as varying
OUTLIER = 20.0  # a value this many times outside the central 90 % may be in a wrong unit, ...
GAP = 5.0  # ... and counts as such if separated from the others by a gap of this factor: most units differ by more
FEW = 20  # a variable with at most this many different values is a flag, score or grade: all are valid
SIGNED = 3  # minimum different values of a sign for it to be valid; fewer are codes, such as -1 for unknown


@dataclasses.dataclass(frozen=True)
class Scale:
    """The standardisation, learned from training patients only; each field is a list over variables."""

    shift: list  # added before taking logarithms of skewed values; None: no logarithm
    centre: list
    spread: list
    limits: list  # [lowest, highest] plausible value other than 0, see `records.fits`

    @classmethod
    def fit(cls, found: Table) -> "Scale":
        """Learns the scale from a table; a variable without values there becomes 0 everywhere."""
        columns = []
        for what in range(len(found.variables)):
            values = found.value[found.what == what]
            low, high = limits(values)
            columns.append((*_scale(values[fits(values, low, high)], low), [low, high]))
        return cls(*(list(column) for column in zip(*columns, strict=True)))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Standardises values (..., variables) as float32; beyond +-4 they saturate monotonically; NaN is kept."""
        shift = np.array([1.0 if s is None else s for s in self.shift])
        skewed = np.array([s is not None for s in self.shift])
        logs = np.log(np.maximum(values, 0) + shift)
        scaled = (np.where(skewed, logs, values) - np.array(self.centre)) / np.array(self.spread)
        beyond, room = np.maximum(np.abs(scaled) - USUAL, 0), UTMOST - USUAL
        drawn_in = np.sign(scaled) * (USUAL + room * beyond / (beyond + room))  # starting with a slope of 1
        return np.where(beyond > 0, drawn_in, scaled).astype(np.float32)


def limits(values: np.ndarray) -> tuple[float, float]:
    """Returns the limits of values, except 0, beyond which they seem to be in a wrong unit: infinite if all are 0.

    A wrong unit is a factor, so absolute values decide. A value is excluded if it is a factor `OUTLIER` beyond the 5th
    or 95th percentile and there is a gap of a factor `GAP` in between: rare but true extremes have values leading up to
    them. For a variable with at most `FEW` different values, none of those seen is excluded.
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
    """Returns the smallest and largest plausible value, given ascending positive absolute values."""
    low, high = (sizes[0], sizes[-1]) if few else (_quantile(sizes, 0.05, "higher"), _quantile(sizes, 0.95, "lower"))
    least = min(low / OUTLIER, _reach(sizes[sizes <= low][::-1]) / GAP)
    most = max(high * OUTLIER, _reach(sizes[sizes >= high]) * GAP)
    return float(least), float(most)


def _quantile(sizes: np.ndarray, share: float, method: Any) -> float:
    return np.quantile(sizes, share, method=method)  # a measured value: interpolation could fall into the gap


def _reach(sizes: np.ndarray) -> float:
    """Returns the last of ordered values before the first gap."""
    gaps = np.flatnonzero(np.maximum(sizes[1:], sizes[:-1]) > GAP * np.minimum(sizes[1:], sizes[:-1]))
    return sizes[gaps[0]] if len(gaps) else sizes[-1]


def _scale(values: np.ndarray, low: float) -> tuple[float | None, float, float]:
    """Returns shift before the logarithm (None: no logarithm), centre and spread of values in the right unit."""
    if not len(values):
        return None, 0.0, 1.0
    usual = np.clip(values, *np.percentile(values, [1, 99]))
    values = usual if _varies(usual) else values  # a rare deviation may be the only variation there is
    shift = _shift(values) if low >= 0 else None
    values = values if shift is None else np.log(values + shift)
    centre = float(values.mean())
    return shift, centre, float(values.std()) if _varies(values) else abs(centre) or 1.0


def _varies(values: np.ndarray) -> bool:
    """Returns whether values differ by more than rounding, in any unit."""
    return values.std() > VARIES * np.abs(values).max()


def _shift(values: np.ndarray) -> float | None:
    """Returns the constant to add before taking logarithms of nonnegative values with a long right tail; else None."""
    if not _varies(values) or ((values - values.mean()) ** 3).mean() / values.std() ** 3 < 1:
        return None
    return float(0.1 * np.median(values[values > 0]))
