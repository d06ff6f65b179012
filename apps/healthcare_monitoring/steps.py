"""Measurements to what a network reads step by step; one running record serves whole tables and a live feed alike.

A step is a bin of the clock (an hour, say) or one visit. For each variable a network reads the last value seen, whether
it was measured in this step, and how long ago before; beside it stands a summary of all that was seen until now.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import InputError

from .config import SHORT
from .records import Table, fits

USUAL, UTMOST = 4.0, 6.0  # standardised values beyond the first approach the second: an outlier must not drown the rest
FADED = 1e-6  # a weight that is as good as none
VARIES = 1e-6  # standard deviation, as a share of the largest size, from which on values are not the same
OUTLIER = 20.0  # a value that many times beyond what nine in ten are may be in a wrong unit, ...
GAP = 5.0  # ... and is taken for one if nothing is measured up to a factor of this: units differ by more, most of them
FEW = 20  # different values, at most, of a flag, a score, a grade: each is meant
SIGNED = 3  # different values of one sign, at least, for both to be meant; less are codes, as -1 for unknown
MOST_STEPS = 10_000  # of one record; more are a wrong unit of time, most likely


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


@dataclasses.dataclass(frozen=True)
class Running:
    """All that is kept of patients' pasts, each array (patients, variables) but for `time` (patients, 1)."""

    last: np.ndarray  # last value seen, standardised; NaN: never
    low: np.ndarray
    high: np.ndarray
    gap: np.ndarray  # time from the last measurement, or the start, to the step before
    count: np.ndarray
    total: np.ndarray
    fading: np.ndarray  # sum of the values, each of which fades by 1 / e in the time that counts as 1
    weight: np.ndarray  # what is left of their count
    time: np.ndarray

    @classmethod
    def start(cls, patients: int, variables: int) -> "Running":
        """Nothing seen yet."""
        zeros, never = (np.full((patients, variables), value, np.float32) for value in (0, np.nan))
        return cls(*[never] * 3, *[zeros] * 5, np.zeros((patients, 1), np.float32))

    def advance(
        self, row: np.ndarray, elapsed: Any, unit: float, names: Sequence[str] = SHORT
    ) -> tuple[np.ndarray, np.ndarray, "Running"]:
        """One step further.

        Args:
            row: (patients, variables) standardised, NaN where not measured.
            elapsed: time since the step before, a number or (patients, 1). unit: the time that counts as 1.
            names: what the summary says, of `config.SUMMARIES`.

        Returns:
            inputs (patients, 3 variables): last value (0 if never seen), measured, gap; summary (patients,
            names variables + 1), NaN where never seen; and the record after the step. `self` stays as it was.
        """
        seen, values, elapsed = ~np.isnan(row), np.nan_to_num(row), np.float32(elapsed)
        gap, faded = self.gap + elapsed, np.exp(-elapsed / np.float32(unit))
        after = Running(
            last=np.where(seen, row, self.last),
            low=np.fmin(self.low, row),
            high=np.fmax(self.high, row),
            gap=np.where(seen, 0, gap).astype(np.float32),
            count=self.count + seen,
            total=self.total + values,
            fading=self.fading * faded + values,
            weight=self.weight * faded + seen,
            time=self.time + elapsed,
        )
        inputs = np.concatenate([np.nan_to_num(after.last), seen.astype(np.float32), gap / unit], axis=1)
        known = after.summary()
        summary = np.concatenate([*(known[name] for name in names), after.time / unit], axis=1)
        return inputs.astype(np.float32), summary.astype(np.float32), after

    def summary(self) -> dict[str, np.ndarray]:
        """What `config.SUMMARIES` names, each (patients, variables), NaN where never seen."""
        mean = np.where(self.count > 0, self.total / np.maximum(self.count, 1), np.nan)
        recent = np.where(self.weight > FADED, self.fading / np.maximum(self.weight, FADED), self.last)
        return {
            "last": self.last,
            "mean": mean,
            "low": self.low,
            "high": self.high,
            "count": np.log1p(self.count),
            "recent": recent,
        }


def in_window(found: Table, window: float, unit: str) -> Table:
    """The table without what was measured after `window`, which a note counts; 0: all of it."""
    late = found.when > window if window else np.zeros(len(found.when), bool)
    if not late.any():
        return found
    note = f"{found.source}: {late.sum():,} measurements after {f'{window:g} {unit}'.strip()} are not read"
    return dataclasses.replace(found.kept(np.flatnonzero(~late)), notes=(*found.notes, note))


def grid(found: Table, step: float, window: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The table by patient and step, several values of a step averaged.

    Args:
        step: width of a bin of the clock; 0: one step for each time at which a patient was measured.
        window: what was measured later is left out; 0: nothing is.

    Returns:
        values (patients, steps, variables), NaN where not measured; times (patients, steps) at which each step begins
        (bins) or lies (visits); lengths (patients,), how many steps are real: up to the last with a measurement. What
        comes after it is not known to be empty: the patient may have left.

    Raises:
        InputError: more steps than `MOST_STEPS`.
    """
    rows = found.kept(np.flatnonzero(found.when <= window)) if window else found
    patients, variables = len(found.patients), len(found.variables)
    if step:
        end = window or rows.when.max() + step
        steps = int(np.ceil(end / step))
        if steps > MOST_STEPS:
            raise InputError(
                f"{found.source}: expected at most {MOST_STEPS:,} steps; times up to {end:g} "
                f"make {steps:,} of {step:g} each. Choose a wider --step or a --window."
            )
        at = np.minimum((rows.when / step).astype(np.int64), steps - 1)
        lengths = np.zeros(patients, np.int64)
        np.maximum.at(lengths, rows.who, at + 1)
        times = np.broadcast_to(np.arange(steps) * step, (patients, steps))
    else:
        first = np.concatenate([[True], (np.diff(rows.who) != 0) | (np.diff(rows.when) != 0)])
        visit = np.cumsum(first) - 1
        lengths = np.bincount(rows.who[first], minlength=patients)
        begin = np.concatenate([[0], np.cumsum(lengths)])
        at, steps = visit - begin[rows.who], int(lengths.max())
        times = np.zeros((patients, steps))
        times[rows.who[first], at[first]] = rows.when[first]
    cell = (rows.who.astype(np.int64) * steps + at) * variables + rows.what
    size = patients * steps * variables
    count = np.bincount(cell, minlength=size)
    with np.errstate(invalid="ignore"):
        values = np.bincount(cell, rows.value, minlength=size) / count
    return values.reshape(patients, steps, variables), times, lengths


def encode(
    values: np.ndarray, times: np.ndarray, step: float, unit: float, names: Sequence[str] = SHORT
) -> tuple[np.ndarray, np.ndarray]:
    """Standardised values (patients, steps, variables) -> inputs and summaries of all steps, see `Running.advance`.

    A bin of the clock is read at its end, so that the first one has lasted `step` already.
    """
    patients, steps, variables = values.shape
    running = Running.start(patients, variables)
    inputs = np.empty((patients, steps, 3 * variables), np.float32)
    summary = np.empty((patients, steps, len(names) * variables + 1), np.float32)
    elapsed = np.full(times.shape, step) if step else np.maximum(np.diff(times, axis=1, prepend=times[:, :1]), 0)
    for t in range(steps):
        inputs[:, t], summary[:, t], running = running.advance(values[:, t], elapsed[:, t, None], unit, names)
    return inputs, summary
