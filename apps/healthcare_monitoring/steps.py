"""Measurements as the network's inputs at each step; the same running record serves whole tables and live streams.

A step is a bin of the clock (an hour, say) or one visit. For each variable a network reads the last value seen, whether
it was measured in this step, and how long ago before; and a summary of all that was seen until now.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared import InputError

from .config import SHORT
from .records import Table
from .scaling import Scale

FADED = 1e-6  # a weight that is as good as none
MOST_STEPS = 10_000  # of one record; more are a wrong unit of time, most likely


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


@dataclasses.dataclass(frozen=True)
class Steps:
    """Patients step by step.

    values (patients, steps, variables), NaN where not measured; inputs (patients, steps, 3 variables) and summary
    (patients, steps, summaries variables + 1), NaN where never seen, as `encode` makes them of the standardised values;
    times and lengths as `grid` gives them.
    """

    values: np.ndarray
    inputs: np.ndarray
    summary: np.ndarray
    times: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, found: Table, scale: Scale, info: Mapping[str, Any]) -> "Steps":
        """The measurements as a network reads them, by the settings of a run (`data.Data.info`)."""
        return cls.laid_out(*grid(found, info["step"], info["window"]), scale, info)

    @classmethod
    def laid_out(
        cls, values: np.ndarray, times: np.ndarray, lengths: np.ndarray, scale: Scale, info: Mapping[str, Any]
    ) -> "Steps":
        """The same for what `grid` gives."""
        coded = encode(scale.apply(values), times, info["step"], info["unit"], info["summaries"])
        return cls(values, *coded, times, lengths)

    def among(self, patients: np.ndarray) -> "Steps":
        """These patients alone."""
        return Steps(*(getattr(self, field.name)[patients] for field in dataclasses.fields(self)))

    def real(self) -> np.ndarray:
        """(patients, steps) whether a step is real."""
        return np.arange(self.times.shape[1]) < self.lengths[:, None]

    def at_last(self, values: np.ndarray) -> np.ndarray:
        """Values (patients, steps, ...) at each patient's last real step (patients, ...)."""
        return values[np.arange(len(values)), self.lengths - 1]
