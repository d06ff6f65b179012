"""Loads a trained run and judges patients by their measurements: how high the risk is, and what raised it."""

from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, runs

from .config import APP, Predict
from .evaluate import WARNING
from .metrics import HORIZON, incidence, risk
from .model import answers
from .records import Table, read_measurements, warn, within
from .steps import Scale, encode, grid, in_window


class Judge:
    """A trained run, ready to judge: `model`, what it learned (`info`, `scale`), and the line of its alarm."""

    def __init__(self, run: runs.Run) -> None:
        self.info: dict[str, Any] = run.info()
        self.scale = Scale(**self.info["scale"])
        self.limits = np.array(self.info["scale"]["limits"])
        self.model = run.load_model()
        self.threshold = float(runs.read_json(run.file("alarm.json"), dict)["threshold"])

    def steps(self, found: Table) -> tuple[np.ndarray, np.ndarray]:
        """The one patient of a table -> values (steps, variables), NaN where not measured, times (steps,).

        The steps end with the last in which anything was measured.
        """
        values, times, _ = grid(found, self.info["step"], self.info["window"])
        end = int(np.flatnonzero(~np.isnan(values[0]).all(axis=1))[-1]) + 1
        return values[0, :end], times[0, :end]

    def chances(self, values: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Values (patients, steps, variables), times (steps,) -> the answer at the last step (patients, intervals,
        1 + causes)."""
        everywhere = np.broadcast_to(times, values.shape[:2])
        said = (self.info[name] for name in ("step", "unit", "summaries"))
        inputs, summary = encode(self.scale.apply(values), everywhere, *said)
        return answers(self.model, inputs, summary)[:, -1]

    def typical(self, variable: int) -> float:
        """The value of a variable that stands for none in particular: the centre of its scale."""
        centre, shift = self.scale.centre[variable], self.scale.shift[variable]
        return centre if shift is None else float(np.exp(centre) - shift)

    def reasons(self, values: np.ndarray, times: np.ndarray, count: int) -> list[tuple[int, float, int, float]]:
        """What raised the risk most: (variable, by how much, step of it that did most, by how much), by occlusion.

        A variable's part is what the risk loses if it had never been measured, a step's if it had not been then.
        """
        measured = np.flatnonzero(~np.isnan(values).all(axis=0))
        without = np.repeat(values[None], 1 + len(measured), axis=0)
        for row, variable in enumerate(measured, 1):
            without[row, :, variable] = np.nan
        risks = risk(self.chances(without, times))
        raised = risks[0] - risks[1:]
        strongest = [n for n in np.argsort(-raised, kind="stable")[:count] if raised[n] > 0]
        cells = [(measured[n], t) for n in strongest for t in np.flatnonzero(~np.isnan(values[:, measured[n]]))]
        without = np.repeat(values[None], max(1, len(cells)), axis=0)
        for row, (variable, t) in enumerate(cells):
            without[row, t, variable] = np.nan
        parts = risks[0] - risk(self.chances(without, times))
        found = []
        for n in strongest:
            at, part = max(
                ((t, parts[row]) for row, (variable, t) in enumerate(cells) if variable == measured[n]),
                key=lambda pair: pair[1],
            )
            found.append((int(measured[n]), float(raised[n]), int(at), float(part)))
        return found


def load_table(path: str, judge: Judge) -> Table:
    """The measurements in a file as far as the run reads them, with notes on stderr.

    Raises:
        InputError: what `read_measurements` raises, or nothing is left of a patient.
    """
    found = within(read_measurements(Path(path), judge.info["variables"]), judge.limits)
    found = in_window(found, judge.info["window"], judge.info["time_unit"])
    warn(found.notes)
    for number, patient in enumerate(found.patients):
        if not (found.who == number).any():
            raise InputError(f"{path}: patient {patient} has no measurement that can be read")
    return found


def predict(options: Predict) -> None:
    """The predict verb."""
    if options.reasons < 0:
        raise InputError(f"--reasons: expected 0 or more; received {options.reasons}")
    judge = Judge(runs.find(APP, options.run))
    found = load_table(options.records, judge)
    for number in range(len(found.patients)):
        print(describe(judge, found.of(number), options.reasons))
    print(WARNING)


def describe(judge: Judge, found: Table, count: int) -> str:
    """One patient's risk and reasons, in a few lines."""
    info, (values, times) = judge.info, judge.steps(found)
    answer = judge.chances(values[None], times)[0]
    unit, (patient,) = info["time_unit"], found.patients
    raised = float(risk(answer)) >= judge.threshold
    lines = [
        f"{patient}: {len(found.when):,} measurements up to {found.when.max():g} {unit}",
        f"  risk of {info['causes'][0]}{_within(info)}: {risk(answer):.3f}, {'ABOVE' if raised else 'below'} the line "
        f"of the alarm at {judge.threshold:.3f}; {info['share']:.3f} of the training patients had it in the end",
    ]
    for cause, name in list(enumerate(info["causes"]))[1:]:
        lines.append(f"  risk of {name}{_within(info)}: {incidence(answer)[:HORIZON, cause][-1]:.3f}")
    reasons = judge.reasons(values, times, count) if count else []
    if reasons:
        lines.append(f"  raised most by           without it   most at, {unit:8} value   usual")
    for variable, whole, at, part in reasons:
        lines.append(
            f"    {info['variables'][variable]:20}    {-whole:+.3f}   {-part:+.3f} at {times[at]:<6g}"
            f" {values[at, variable]:7.4g} {judge.typical(variable):7.4g}"
        )
    return "\n".join(lines)


def _within(info: dict) -> str:
    """The time that the risk is meant for, where the outcome has times."""
    span = info["interval"] * min(HORIZON, info["intervals"])
    return f" within {span:g} {info['time_unit']}" if span else ""
