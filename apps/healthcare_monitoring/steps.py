"""Measurements to what a network reads step by step; one running record serves whole tables and a live feed alike.

A step is a bin of the clock (an hour, say) or one visit. For each variable a network reads the last value seen, whether
it was measured in this step, and how long ago before; beside it stands a summary of all that was seen until now.
"""

import dataclasses
from typing import Any

import numpy as np

from .records import Table

CLIP = 4.0  # standardised values beyond are cut: an outlier must not drown the rest
OUTLIER = 20.0  # a value that many times beyond what nine in ten are is taken for a wrong unit
SUMMARIES = 5  # numbers of a variable in the summary: last, mean, lowest, highest, log(1 + count)


@dataclasses.dataclass(frozen=True)
class Scale:
    """How values become numbers near 0, learned from training patients alone; each field is a list of all variables."""

    shift: list  # added before the logarithm of skewed values; None: no logarithm
    centre: list
    spread: list
    limits: list  # [lowest, highest] value that can be right

    @classmethod
    def fit(cls, found: Table) -> "Scale":
        """Learns from a table; a variable that it lacks becomes 0 everywhere."""
        shifts, centres, spreads, limits = [], [], [], []
        for what in range(len(found.variables)):
            values = found.value[found.what == what]
            if not len(values):
                values = np.zeros(1)
            limits.append([*_limits(*np.percentile(values, [5, 95]))])
            values = np.clip(values, *np.percentile(values, [1, 99]))
            shift = _shift(values)
            values = values if shift is None else np.log(values + shift)
            shifts.append(shift)
            centres.append(float(values.mean()))
            spreads.append(float(values.std()) if values.std() > 1e-6 else 1.0)
        return cls(shifts, centres, spreads, limits)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Values (..., variables) -> standardised float32, cut at +-4; NaN stays."""
        shift = np.array([0.0 if s is None else s for s in self.shift])
        skewed = np.array([s is not None for s in self.shift])
        logs = np.log(np.maximum(np.where(skewed, values + shift, 1.0), 1e-6))
        scaled = (np.where(skewed, logs, values) - np.array(self.centre)) / np.array(self.spread)
        return np.clip(np.where(np.isnan(values), np.nan, scaled), -CLIP, CLIP).astype(np.float32)


def _limits(low: float, high: float) -> tuple[float, float]:
    """A factor beyond these percentiles of positive values, a multiple of their distance beyond those of others."""
    width = OUTLIER * max(high - low, abs(high))
    return (float(low / OUTLIER), float(high * OUTLIER)) if low > 0 else (float(low - width), float(high + width))


def _shift(values: np.ndarray) -> float | None:
    """What to add before taking logarithms, for values that are not negative and have a long right tail."""
    spread = values.std()
    if values.min() < 0 or spread < 1e-6 or ((values - values.mean()) ** 3).mean() / spread**3 < 1:
        return None
    return float(0.1 * np.median(values[values > 0]))


@dataclasses.dataclass(frozen=True)
class Running:
    """All that is kept of patients' pasts, each array (patients, variables) but for `time` (patients, 1)."""

    last: np.ndarray  # last value seen, standardised; NaN: never
    gap: np.ndarray  # time from the last measurement, or the start, to the step before
    count: np.ndarray
    total: np.ndarray
    low: np.ndarray
    high: np.ndarray
    time: np.ndarray

    @classmethod
    def start(cls, patients: int, variables: int) -> "Running":
        """Nothing seen yet."""
        zeros, never = (np.full((patients, variables), value, np.float32) for value in (0, np.nan))
        return cls(never, zeros, zeros, zeros, never, never, np.zeros((patients, 1), np.float32))

    def advance(self, row: np.ndarray, elapsed: Any, unit: float) -> tuple[np.ndarray, np.ndarray, "Running"]:
        """One step further.

        Args:
            row: (patients, variables) standardised, NaN where not measured.
            elapsed: time since the step before, a number or (patients, 1). unit: the time that counts as 1.

        Returns:
            inputs (patients, 3 variables): last value (0 if never seen), measured, gap; summary (patients,
            5 variables + 1), NaN where never seen; and the record after the step. `self` stays as it was.
        """
        seen = ~np.isnan(row)
        gap = self.gap + np.float32(elapsed)
        last = np.where(seen, row, self.last)
        time = self.time + np.float32(elapsed)
        count, total = self.count + seen, self.total + np.where(seen, row, 0)
        low, high = np.fmin(self.low, row), np.fmax(self.high, row)
        inputs = np.concatenate([np.nan_to_num(last), seen.astype(np.float32), gap / unit], axis=1)
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        summary = np.concatenate([last, mean, low, high, np.log1p(count), time / unit], axis=1)
        after = Running(last, np.where(seen, 0, gap).astype(np.float32), count, total, low, high, time)
        return inputs.astype(np.float32), summary.astype(np.float32), after


def grid(found: Table, step: float, window: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The table by patient and step, several values of a step averaged.

    Args:
        step: width of a bin of the clock; 0: one step for each time at which a patient was measured.
        window: what was measured later is left out; 0: nothing is.

    Returns:
        values (patients, steps, variables), NaN where not measured; times (patients, steps) at which each step begins
        (bins) or lies (visits); lengths (patients,), how many steps are real.
    """
    rows = found.kept(np.flatnonzero(found.when <= window)) if window else found
    patients, variables = len(found.patients), len(found.variables)
    if step:
        steps = int(np.ceil((window or rows.when.max() + step) / step))
        at = np.minimum((rows.when / step).astype(np.int64), steps - 1)
        lengths = np.full(patients, steps)
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


def encode(values: np.ndarray, times: np.ndarray, step: float, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Standardised values (patients, steps, variables) -> inputs and summaries of all steps, see `Running.advance`.

    A bin of the clock is read at its end, so that the first one has lasted `step` already.
    """
    patients, steps, variables = values.shape
    running = Running.start(patients, variables)
    inputs = np.empty((patients, steps, 3 * variables), np.float32)
    summary = np.empty((patients, steps, SUMMARIES * variables + 1), np.float32)
    elapsed = np.full(times.shape, step) if step else np.maximum(np.diff(times, axis=1, prepend=times[:, :1]), 0)
    for t in range(steps):
        inputs[:, t], summary[:, t], running = running.advance(values[:, t], elapsed[:, t, None], unit)
    return inputs, summary
