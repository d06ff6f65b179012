"""Patients of one split, step by step, with the targets of each step."""

import dataclasses
from typing import Any

import numpy as np

from .config import Config
from .records import Outcomes, Table
from .scaling import Scale
from .steps import Steps


@dataclasses.dataclass(frozen=True)
class Part:
    """Patients of one split, and the measurements from which their steps were computed.

    targets (patients, steps, intervals) int32: 0 or the cause; weights of the same shape: 0 where the interval is not
    known, or the step is padding.
    """

    steps: Steps
    targets: np.ndarray
    weights: np.ndarray
    outcomes: Outcomes
    table: Table

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients' names."""
        return self.table.patients

    def arrays(self) -> tuple:
        """Returns ((inputs, summary), targets, weights) for `fit`."""
        return (self.steps.inputs, np.nan_to_num(self.steps.summary)), self.targets, self.weights


def part(found: Table, outcomes: Outcomes, config: Config, info: dict[str, Any]) -> Part:
    """Arranges patients step by step, with the targets of each step."""
    steps = Steps.of(found, Scale(**info["scale"]), info)
    return Part(steps, *layout(outcomes, steps.times, steps.lengths, config), outcomes, found)


def layout(outcomes: Outcomes, times: np.ndarray, lengths: np.ndarray, config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Computes targets and weights (patients, steps, intervals) of every step, see `Part`.

    Without times there is one interval, the rest of the stay. With times, an interval is known if the patient was
    followed up to its end or had the event in it; intervals after the event are unknown.
    """
    patients, steps = times.shape
    real = np.arange(steps) < lengths[:, None]
    if outcomes.until is None:
        targets = np.broadcast_to(outcomes.label[:, None, None], (patients, steps, 1)).astype(np.int32)
        known = np.ones(targets.shape, bool)
    else:
        ends = times[..., None] + config.interval * np.arange(1, config.intervals + 1)
        until, label = outcomes.until[:, None, None], outcomes.label[:, None, None]
        inside = (until <= ends) & (until > ends - config.interval)
        inside[..., 0] |= until[..., 0] <= times  # an event at the time of the visit itself
        targets = np.where(inside, label, 0).astype(np.int32)
        known = (until > ends) | (inside & (label > 0))
    last = np.arange(steps) == lengths[:, None] - 1
    share = np.where(last, 1 - config.early_share, config.early_share / np.maximum(lengths - 1, 1)[:, None])
    return targets, (known * (real * share)[..., None]).astype(np.float32)
