"""Whether the series of a file have the step that a run was trained on; it forecasts no other."""

import collections
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared import InputError

from . import dates, steps
from .clock import Clock
from .panel import named, warn

ROWS = 12  # dates of a streamed series after which its step is compared: working days have had a weekend by then


def clocks_of(info: Mapping[str, Any]) -> dict[str, Clock]:
    """Returns the clock of each series in training."""
    return {name: Clock(**clock) for name, clock in zip(info["names"], info["clocks"], strict=True)}


def refuse_other_steps(clocks: Mapping[str, Clock], source: str, info: Mapping[str, Any]) -> None:
    """Raises InputError if a series of the training data has another step in a file."""
    trained = clocks_of(info)
    for name, clock in clocks.items():
        if name in trained and unlike(clock, [trained[name]]):
            raise InputError(
                f"{source}: expected {name} in steps of {trained[name].step_text()}, as in training; received steps of "
                f"{clock.step_text()}. {advice(source, info)}"
            )


def other_steps(clocks: Mapping[str, Clock], source: str, info: Mapping[str, Any]) -> list[str]:
    """Returns a caution for each step of new series that is none of those in training."""
    trained = clocks_of(info)
    found: dict[str, list[str]] = collections.defaultdict(list)
    for name, clock in clocks.items():
        if name not in trained and unlike(clock, list(trained.values())):
            found[clock.step_text()].append(name)
    usual = " or ".join(dict.fromkeys(clock.step_text() for clock in trained.values()))
    return [
        f"{named(names)}: in steps of {step}, but the run was trained on steps of {usual}; the forecast is unreliable. "
        f"{advice(source, info)}"
        for step, names in found.items()
    ]


def unlike(clock: Clock, others: Sequence[Clock]) -> bool:
    """Returns whether the step of a clock is none of those of the others."""
    return (clock.unit, clock.step) not in {(other.unit, other.step) for other in others}


def advice(source: str, info: Mapping[str, Any]) -> str:
    """Returns how to train on a file."""
    package = str(__package__)
    return f"Train on it: python -m {package} train --data {shlex.quote(source)} --horizon {info['horizon']}"


class Watch:
    """Compares the step of each series of a stream with that in training, once enough of its dates have come."""

    def __init__(self, info: Mapping[str, Any], source: str) -> None:
        self.info, self.source = info, source
        self.moments: dict[str, list[int]] = collections.defaultdict(list)
        self.due: dict[str, str] = {}  # series with enough dates, and the unit of these

    def date(self, name: str, text: str, place: str) -> None:
        """Takes the date of a row. Raises InputError if it is none."""
        some = self.moments[name]
        if len(some) < ROWS:
            unit, (moment,) = dates.parse([text], [place])
            some.append(int(moment) + dates.offset_s(text))
            if len(some) == ROWS and len(set(some)) >= steps.FEWEST:
                self.due[name] = unit

    def check(self) -> None:
        """Raises InputError if a series has another step than in training; prints a caution if a new one has."""
        while self.due:
            name, unit = self.due.popitem()
            found = steps.fit(unit, np.array(self.moments[name]), self.source)
            if steps.tells(found):
                refuse_other_steps({name: found[0]}, self.source, self.info)
                warn(other_steps({name: found[0]}, self.source, self.info))
