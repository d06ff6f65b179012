"""Loads a trained run and predicts the risk of patients from their measurements, with the reasons for it."""

import csv
import dataclasses
import functools
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from shared import files, lines, runs
from shared.data.wording import sized

from .config import APP
from .data import as_read
from .metrics import HORIZON, incidence, risk
from .model import by_network, probabilities
from .options import Predict
from .parts import Part
from .reading import read_measurements
from .records import Table
from .scaling import Scale
from .steps import Steps
from .unlike import unlike

WARNING = "Not a medical device: for study and demonstration, never for decisions about patients."
UNLIKE = "unlike the training patients"
ALARM = "alarm.json"
NO_ALARM = {"threshold": 1.0, "stated": 0.0}  # for a run that was stopped before its threshold was chosen
AT_A_TIME = 1_000  # patients per batch, so that memory use does not grow with their number
REASONS = 5
MANY = 20  # for more patients than this, reasons are given on request only


@dataclasses.dataclass(frozen=True)
class Prediction:
    """The prediction for one patient at their last step.

    chances (intervals, 1 + causes): probability of no event and of each cause, given no event before; alarm: time when
    the risk first reached the threshold, or None; unlike: how the patient differs from the training patients, or "".
    """

    patient: str
    chances: np.ndarray
    risk: float
    alarm: float | None
    unlike: str


@dataclasses.dataclass(frozen=True)
class Reason:
    """A variable that raises the risk: by how much, the step that contributes most, and that step's contribution."""

    variable: int
    raised: float
    step: int
    part: float


class Predictor:
    """A trained run, ready for inference: predicts risks and alarms from measurements."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info = run, run.info()
        self.scale = Scale(**self.info["scale"])
        self.limits = np.array(self.scale.limits)
        self.model = run.load_model()
        saved = run.file(ALARM)
        self.alarm = runs.read_json(saved, dict) if saved.exists() else NO_ALARM

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, records: Sequence[str | Path], reasons: int = REASONS) -> list[dict[str, Any]]:
        """Predicts the risk of the patients in each file, see `described`.

        Args:
            records: CSV files with the columns time, variable, value, and patient if there are several.
            reasons: number of variables that raise the risk, for each patient.

        Raises:
            InputError: a file is invalid, or has no readable measurement.
        """
        found = [read(self, str(path)) for path in lines.several(records, str | Path, "paths")]
        return [{"patients": described(self, each, reasons)} for each in found]

    def steps(self, found: Table) -> Steps:
        """Arranges measurements step by step."""
        return Steps.of(found, self.scale, self.info)

    def chances(self, steps: Steps) -> np.ndarray:
        """Returns the probabilities at each step (patients, steps, intervals, 1 + causes), see `model.build`."""
        return probabilities(self.model, steps.inputs, steps.summary)

    @functools.cached_property
    def networks(self) -> keras.Model:
        """The ensemble without the average over its networks, which only unusual patients need."""
        return by_network(self.model)

    def span(self, steps: Steps) -> list[float] | None:
        """Returns the lowest and highest risk that a network predicts for one patient; None if there is only one."""
        risks = risk(steps.at_last(probabilities(self.networks, steps.inputs, steps.summary)))
        return [float(risks.min()), float(risks.max())] if risks.size > 1 else None

    def predictions(self, found: Table) -> Iterator[Prediction]:
        """Yields a prediction for each patient of a table."""
        for start in range(0, len(found.patients), AT_A_TIME):
            some = found.among(np.arange(start, min(start + AT_A_TIME, len(found.patients))))
            steps = self.steps(some)
            chances = self.chances(steps)
            alarms = self.alarms(steps, risk(chances))
            for patient, last, at, said in zip(
                some.patients, steps.at_last(chances), alarms, unlike(some, self.info), strict=True
            ):
                yield Prediction(patient, last, float(risk(last)), None if np.isnan(at) else float(at), said)

    def alarms(self, steps: Steps, risks: np.ndarray) -> np.ndarray:
        """(patients,): the time when the risk (patients, steps) first reaches the threshold; NaN if it never does."""
        reached = (risks >= self.alarm["threshold"]) & steps.real()
        # A clock bin is evaluated at its end.
        at = steps.times[np.arange(len(risks)), reached.argmax(axis=1)] + self.info["step"]
        return np.where(reached.any(axis=1), at, np.nan)

    def choose_threshold(self, valid: Part, false_alarm_rate: float) -> None:
        """Saves the lowest threshold reached by at most this share of the validation patients without the outcome.

        It applies to risks at the ends of steps. `stream` also evaluates the risk within steps, where more patients may
        reach the threshold.
        """
        risks = np.where(valid.steps.real(), risk(self.chances(valid.steps)), 0)
        highest = np.sort(risks.max(axis=1)[valid.outcomes.label != 1])
        spared = highest[-1 - int(false_alarm_rate * len(highest))]  # the highest risk that must not raise an alarm
        self.alarm = {"threshold": float(np.nextafter(spared, 1)), "stated": false_alarm_rate}
        files.write_json(self.run.file(ALARM), self.alarm)

    def typical(self, variable: int) -> float:
        """Returns a typical value of a variable: the centre of its scale."""
        centre, shift = self.scale.centre[variable], self.scale.shift[variable]
        return centre if shift is None else float(np.exp(centre) - shift)

    def reasons(self, steps: Steps, count: int) -> list[Reason]:
        """Returns the variables that raise one patient's risk most, by occlusion.

        A variable's contribution is the decrease in risk if it had never been measured; that of one of its steps is the
        decrease if the variable had not been measured at that step.
        """
        (values,) = steps.values
        measured = ~np.isnan(values)  # (steps, variables)
        variables = np.flatnonzero(measured.any(axis=0))
        raised = self._raised(steps, [(slice(None), variable) for variable in variables])
        strongest = [n for n in np.argsort(-raised, kind="stable")[:count] if raised[n] > 0]
        cells = [(step, variables[n]) for n in strongest for step in np.flatnonzero(measured[:, variables[n]])]
        parts = self._raised(steps, cells)
        found = []
        for n in strongest:
            own = [row for row, (_, variable) in enumerate(cells) if variable == variables[n]]
            most = max(own, key=parts.__getitem__)
            found.append(Reason(int(variables[n]), float(raised[n]), int(cells[most][0]), float(parts[most])))
        return found

    def _raised(self, steps: Steps, hidden: list[tuple]) -> np.ndarray:
        """Returns how much the risk at the last step falls without each of these cells (steps, variable) of values."""
        values = np.repeat(steps.values, 1 + len(hidden), axis=0)
        for row, cells in enumerate(hidden, 1):
            values[row][cells] = np.nan
        times, lengths = (np.repeat(array, len(values), axis=0) for array in (steps.times, steps.lengths))
        without = Steps.laid_out(values, times, lengths, self.scale, self.info)
        risks = without.at_last(risk(self.chances(without)))
        return risks[0] - risks[1:]


def predict(options: Predict) -> None:
    """Runs the predict command: describes each patient, or prints one line for each of many."""
    if options.out is not None:
        files.check_output(options.out, "--out", "a CSV file", {"the measurements": options.records})
    predictor = Predictor(runs.find(APP, options.run))
    found = read(predictor, options.records)
    predicted = by_patient(predictor, found)
    many = len(found.patients) > MANY
    count = (0 if many else REASONS) if options.reasons is None else options.reasons
    if options.out:
        files.write_text(Path(options.out), table_of(found.patients, predicted))
    if options.json:
        print(json.dumps({"patients": described(predictor, found, count)}, ensure_ascii=False))
        print(WARNING, file=sys.stderr)
        return
    for number, patient in enumerate(found.patients):
        if patient not in predicted:
            print(f"{options.records}: patient {patient} has no readable measurement", file=sys.stderr)
            print(f"{patient:20} no readable measurement")
        elif many and not count:
            print(line(predictor, predicted[patient]))
        else:
            print(describe(predictor, found.among(np.array([number])), predicted[patient], count))
    if options.out:
        print(f"Written to {options.out}")
    print(WARNING)


def read(predictor: Predictor, path: str) -> Table:
    """Reads the measurements of a CSV file that the run uses, with notes on stderr."""
    return as_read(read_measurements(Path(path), predictor.info["variables"]), predictor.info)


def by_patient(predictor: Predictor, found: Table) -> dict[str, Prediction]:
    """Returns the prediction for each patient with readable measurements."""
    readable = np.flatnonzero(found.counts())
    return {each.patient: each for each in predictor.predictions(found.among(readable))}


def described(predictor: Predictor, found: Table, count: int) -> list[dict[str, Any]]:
    """Returns the risk of each patient as plain values, with up to `count` reasons.

    risk: None without a readable measurement. alarm: the time when the risk first reached the threshold, or None.
    unlike: how the patient differs from those in training, or ""; networks: for such a patient the lowest and the
    highest risk that a network of the ensemble predicts, else, and without an ensemble, None.
    """
    predicted, info = by_patient(predictor, found), predictor.info
    listed: list[dict[str, Any]] = []
    for number, patient in enumerate(found.patients):
        each = predicted.get(patient)
        if each is None:
            unknown = {"risk": None, "alarm": None, "unlike": "", "networks": None}
            listed.append({"patient": patient, **unknown, "raised_by": []})
            continue
        steps = predictor.steps(found.among(np.array([number])))
        reasons = predictor.reasons(steps, count) if count else []
        raised = [{"variable": info["variables"][reason.variable], "raised": reason.raised} for reason in reasons]
        networks = predictor.span(steps) if each.unlike else None
        answer = {"patient": patient, "risk": each.risk, "alarm": each.alarm, "unlike": each.unlike}
        listed.append(answer | {"networks": networks, "raised_by": raised})
    return listed


def table_of(patients: tuple[str, ...], predicted: dict[str, Prediction]) -> str:
    """Formats predictions as CSV: patient, risk, alarm (1 if the risk reached the threshold), unlike.

    The cells of a patient without readable measurements are empty.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["patient", "risk", "alarm", "unlike"])
    for patient in patients:
        found = predicted.get(patient)
        cells = [f"{found.risk:.6f}", int(found.alarm is not None), found.unlike] if found else ["", "", ""]
        rows.writerow([patient, *cells])
    return text.getvalue()


def line(predictor: Predictor, predicted: Prediction) -> str:
    """Formats one patient's risk as a single line."""
    unlike = f"   {UNLIKE}: {predicted.unlike}" if predicted.unlike else ""
    return f"{predicted.patient:20} risk {predicted.risk:.3f}{_alarm(predictor, predicted)}{unlike}"


def _alarm(predictor: Predictor, predicted: Prediction) -> str:
    return "" if predicted.alarm is None else f"   ALARM raised at {at_time(predicted.alarm, predictor.info)}"


def describe(predictor: Predictor, found: Table, predicted: Prediction, count: int) -> str:
    """Formats one patient's risk and the reasons for it as a few lines."""
    info, steps = predictor.info, predictor.steps(found)
    within_span = _within(info)
    said = [
        f"{predicted.patient}: {sized(len(found.when), 'measurements')} up to {at_time(found.when.max(), info)}",
        f"  risk of {info['causes'][0]}{within_span}: {predicted.risk:.3f}{_alarm(predictor, predicted)}",
        f"  {threshold_of(predictor.alarm)}; of the training patients {info['share']:.1%} had the outcome",
        *([f"  {UNLIKE}: {predicted.unlike}", f"  {little_known(predictor, steps)}"] if predicted.unlike else []),
    ]
    for cause, name in list(enumerate(info["causes"]))[1:]:
        said.append(f"  risk of {name}{within_span}: {incidence(predicted.chances)[:HORIZON, cause][-1]:.3f}")
    reasons = predictor.reasons(steps, count) if count else []
    if reasons:
        said.append(f"  raised most by           without it   most at, {info['time_unit'] or 'time':8} value   usual")
    for reason in reasons:
        value, at = steps.values[0, reason.step, reason.variable], steps.times[0, reason.step]
        said.append(
            f"    {info['variables'][reason.variable]:20}    {-reason.raised:+.3f}   {-reason.part:+.3f} at {at:<6g}"
            f" {value:7.4g} {predictor.typical(reason.variable):7.4g}"
        )
    return "\n".join(said)


def little_known(predictor: Predictor, steps: Steps) -> str:
    """Warns that the risk of a patient unlike those in training is uncertain; says how far the networks differ."""
    span = predictor.span(steps)
    apart = f", by more than the networks of the ensemble differ: {span[0]:.3f} to {span[1]:.3f}" if span else ""
    return f"so this risk is uncertain{apart}"


def at_time(time: float, info: dict[str, Any]) -> str:
    """Formats a time with its unit, which is unknown for your own data."""
    return f"{time:g} {info['time_unit']}" if info["time_unit"] else f"time {time:g}"


def threshold_of(alarm: dict) -> str:
    """Describes the alarm threshold, or states that the run has none."""
    if not alarm["stated"]:
        return "no alarm threshold: training was stopped before one was chosen"
    return f"alarm threshold {alarm['threshold']:.3f}"


def _within(info: dict) -> str:
    """Describes the time span of the risk, if the outcomes have times."""
    span = info["interval"] * min(HORIZON, info["intervals"])
    return f" within {span:g} {info['time_unit'] or 'units of time'}" if span else ""
