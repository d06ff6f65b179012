"""The network's inputs at each step, computed from measurements; the same code serves whole tables and live streams.

A step is a clock bin (such as an hour) or a visit. For each variable the network reads the last value seen, whether it
was measured in this step, and the time since the previous measurement, together with a summary of all values so far.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared import InputError
from shared.data.wording import sized

from .config import SHORT
from .records import Table
from .scaling import Scale

FADED = 1e-6  # weights below this count as zero
MOST_STEPS = 10_000  # maximum per record; more suggest a wrong unit of time


@dataclasses.dataclass(frozen=True)
class Running:
    """The running record of patients' pasts; all arrays are (patients, variables) except `time` (patients, 1)."""

    last: np.ndarray  # last value seen, standardised; NaN: never
    low: np.ndarray
    high: np.ndarray
    gap: np.ndarray  # time from the last measurement, or the start, to the previous step
    count: np.ndarray
    total: np.ndarray
    fading: np.ndarray  # exponentially weighted sum of the values, with decay by 1 / e per unit of time
    weight: np.ndarray  # sum of their weights
    time: np.ndarray

    @classmethod
    def start(cls, patients: int, variables: int) -> "Running":
        """Returns an empty record."""
        zeros, never = (np.full((patients, variables), value, np.float32) for value in (0, np.nan))
        return cls(*[never] * 3, *[zeros] * 5, np.zeros((patients, 1), np.float32))

    def advance(
        self, row: np.ndarray, elapsed: Any, unit: float, names: Sequence[str] = SHORT
    ) -> tuple[np.ndarray, np.ndarray, "Running"]:
        """Advances the record by one step.

        Args:
            row: (patients, variables) standardised, NaN where not measured.
            elapsed: time since the previous step, a number or (patients, 1). unit: the time that counts as 1.
            names: the statistics of the summary, from `config.SUMMARIES`.

        Returns:
            inputs (patients, 3 variables): last value (0 if never seen), measured, gap; summary (patients,
            names variables + 1), NaN where never seen; and the record after the step. `self` is not changed.
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
        """Returns the statistics in `config.SUMMARIES`, each (patients, variables), NaN where never seen."""
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
    """Drops measurements after `window`, with a note of their number; 0: drops none."""
    late = found.when > window if window else np.zeros(len(found.when), bool)
    if not late.any():
        return found
    count = int(late.sum())
    after = f"after {window:g} {unit}".strip()
    note = f"{found.source}: {sized(count, 'measurements')} {after} {'is' if count == 1 else 'are'} not read"
    return dataclasses.replace(found.kept(np.flatnonzero(~late)), notes=(*found.notes, note))


def grid(found: Table, step: float, window: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arranges the table by patient and step, averaging several values of a variable in a step.

    Args:
        step: width of a clock bin; 0: one step for each time at which a patient was measured.
        window: measurements after this time are left out; 0: none are.

    Returns:
        values (patients, steps, variables), NaN where not measured; times (patients, steps), the start (bins) or time
        (visits) of each step; lengths (patients,), the number of real steps, up to the last one with a measurement.
        Later ones are not known to be empty: the patient may have left.

    Raises:
        InputError: there are more than `MOST_STEPS` steps.
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

    A clock bin is evaluated at its end, so `step` has already elapsed at the first one.
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
    (patients, steps, summaries variables + 1), NaN where never seen, as computed by `encode` from standardised values;
    times and lengths as returned by `grid`.
    """

    values: np.ndarray
    inputs: np.ndarray
    summary: np.ndarray
    times: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, found: Table, scale: Scale, info: Mapping[str, Any]) -> "Steps":
        """Arranges measurements for the network, with the settings of a run (`data.Data.info`)."""
        return cls.laid_out(*grid(found, info["step"], info["window"]), scale, info)

    @classmethod
    def laid_out(
        cls, values: np.ndarray, times: np.ndarray, lengths: np.ndarray, scale: Scale, info: Mapping[str, Any]
    ) -> "Steps":
        """The same for the results of `grid`."""
        coded = encode(scale.apply(values), times, info["step"], info["unit"], info["summaries"])
        return cls(values, *coded, times, lengths)

    def among(self, patients: np.ndarray) -> "Steps":
        """Returns only these patients."""
        return Steps(*(getattr(self, field.name)[patients] for field in dataclasses.fields(self)))

    def real(self) -> np.ndarray:
        """(patients, steps): whether each step is real rather than padding."""
        return np.arange(self.times.shape[1]) < self.lengths[:, None]

    def at_last(self, values: np.ndarray) -> np.ndarray:
        """Selects from values (patients, steps, ...) each patient's last real step: (patients, ...)."""
        return values[np.arange(len(values)), self.lengths - 1]
