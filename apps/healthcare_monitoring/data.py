"""Records of patients to what is trained on: the source, the split by patient, the scale, the targets of every step.

Nothing leaks: folds are of patients, the scale comes from the training patients alone, and outcomes are read apart
from measurements, by the names of the columns that hold them.
"""

import csv
import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, MissingFileError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE

from . import simulate
from .config import Config
from .records import (
    KINDS,
    Outcomes,
    Table,
    place,
    read_measurements,
    read_outcomes,
    table,
    warn,
    with_zeros_counted,
    within,
)
from .steps import Scale, encode, grid, in_window

SPLIT_SEED = 0  # the same folds in every run, so that runs compare
PARTS = ("train", "valid", "test")
FEWEST = 3  # patients of each outcome in each fold
# What an outcome of 1, 2, ... is called, and the unit of time.
CALLED = {
    "builtin": (("death in hospital",), "hours"),
    "physionet2012": (("death in hospital",), "hours"),
    "pbc2": (("death", "transplant"), "weeks"),
}


@dataclasses.dataclass(frozen=True)
class Part:
    """Patients of one part of the split.

    inputs (patients, steps, 3 variables) and summary (patients, steps, summaries variables + 1) as `steps.encode`
    makes them, summary with NaN where never seen; targets (patients, steps, intervals) int32: 0 or the cause;
    weights of the same shape: 0 where the interval is not known, or the step not real; times (patients, steps),
    lengths (patients,).
    """

    patients: tuple[str, ...]
    inputs: np.ndarray
    summary: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    times: np.ndarray
    lengths: np.ndarray
    outcomes: Outcomes

    def arrays(self) -> tuple:
        """((inputs, summary), targets, weights) for `fit`."""
        return (self.inputs, np.nan_to_num(self.summary)), self.targets, self.weights


@dataclasses.dataclass(frozen=True)
class Data:
    """The three parts, and all measurements that they were made of.

    `info` fits JSON: source, split, variables, causes, time_unit, scale, left_out (by variable: how many values are
    beyond the limits of the scale), unit (the time that counts as 1), summaries, knots, step, window, intervals,
    interval, share of training patients with the first cause.
    """

    train: Part
    valid: Part
    test: Part
    table: Table
    info: dict[str, Any]


def load(config: Config) -> Data:
    """Reads, splits, scales and lays out the records that `config.data` names.

    Raises:
        InputError: an unknown source, a file that cannot be right, one outcome only, or too few patients.
    """
    found, outcomes = read(config)
    check(found, outcomes, config)
    rows = split(outcomes.label, config)
    causes, time_unit = CALLED.get(config.data, (tuple(f"outcome {n}" for n in range(1, outcomes.label.max() + 1)), ""))
    found, scale, lost = in_usual_units(in_window(found, config.window, time_unit), rows[0])
    warn(found.notes)
    unit = config.interval or config.window / 4 or 1.0  # so that gaps are near 1
    info = {
        "source": config.data,
        "split": f"fold {config.fold} of {config.folds}, by patient: "
        + ", ".join(f"{name} {len(part):,}" for name, part in zip(PARTS, rows, strict=True)),
        "variables": list(found.variables),
        "causes": list(causes),
        "time_unit": time_unit,
        "scale": dataclasses.asdict(scale),
        "left_out": lost,
        "unit": unit,
        "summaries": list(config.summaries),
        "knots": list(config.knots),
        "step": config.step,
        "window": config.window,
        "intervals": config.intervals,
        "interval": config.interval,
        "share": float((outcomes.label[rows[0]] == 1).mean()),
    }
    values, times, lengths = grid(found, config.step, config.window)
    inputs, summary = encode(scale.apply(values), times, config.step, unit, config.summaries)
    targets, weights = layout(outcomes, times, lengths, config)
    parts = []
    for part in rows:
        until = None if outcomes.until is None else outcomes.until[part]
        names = tuple(found.patients[n] for n in part)
        arrays = (array[part] for array in (inputs, summary, targets, weights, times, lengths))
        parts.append(Part(names, *arrays, Outcomes(outcomes.label[part], until)))
    return Data(*parts, found, info)


def read(config: Config) -> tuple[Table, Outcomes]:
    """All measurements of the source, and the outcomes, which no code below reads as anything else."""
    if config.data == "builtin":
        return simulate.stays(config.seed)
    if config.data == "physionet2012":
        return physionet(*(fetch.fetch(file) for file in CATALOGUE["physionet2012"]))
    if config.data == "pbc2":
        return pbc(fetch.fetch(CATALOGUE["pbc2"][0]))
    path = Path(config.data)
    if not path.exists():
        raise MissingFileError(
            f"Expected --data builtin, physionet2012, pbc2 or the path of a CSV file. Received: {config.data}"
        )
    found = read_measurements(path)
    return found, read_outcomes(Path(config.outcomes) if config.outcomes else path.with_name("outcomes.csv"), found)


NEVER_ZERO = ("Height", "Temp", "Weight")  # of PhysioNet's: nobody is 0 cm tall, at 0 degrees, or weighs 0 kg


def physionet(measured: bytes, outcomes: bytes) -> tuple[Table, Outcomes]:
    """PhysioNet 2012: Time,Parameter,Value for each stay, each beginning with its RecordID; -1 is unknown.

    So is a zero of `NEVER_ZERO`.
    """
    patients, times, names, values = [], [], [], []
    hours = {f"{hour:02}:{minute:02}": hour + minute / 60 for hour in range(49) for minute in range(60)}
    for stay in measured.decode().split("Time,Parameter,Value\n00:00,RecordID,")[1:]:
        patient, *rows = stay.split("\n")
        cells = [row.split(",") for row in rows if row and not row.endswith(",-1")]
        patients += [patient] * len(cells)
        times += [hours[cell[0]] for cell in cells]
        names += [f"{cell[1]} {cell[2]}" if cell[1] in KINDS else cell[1] for cell in cells]
        values += [float(cell[2]) for cell in cells]
    died = {row["RecordID"]: row["In-hospital_death"] for row in csv.DictReader(io.StringIO(outcomes.decode()))}
    found = table("physionet2012", patients, times, names, values)
    unknown = np.isin(found.what, [found.variables.index(name) for name in NEVER_ZERO]) & (found.value == 0)
    note = f"{found.source}: {unknown.sum():,} zeros of {', '.join(NEVER_ZERO)} stand for unknown and are not read"
    found = dataclasses.replace(found.kept(np.flatnonzero(~unknown)), notes=(*found.notes, note))
    return found, Outcomes(np.array([died[name] for name in found.patients], np.int32), None)


PBC_OUTCOMES = ("id", "tte", "times", "label")  # all other columns are measured at the visit


def pbc(content: bytes) -> tuple[Table, Outcomes]:
    """pbc2: one row a visit, times in weeks, empty cells missing; label 0 censored, 1 death, 2 transplant."""
    rows, ends = [], {}
    for visit in csv.DictReader(io.StringIO(content.decode())):
        ends[visit["id"]] = (int(float(visit["label"])), float(visit["tte"]))
        measured = {name: text for name, text in visit.items() if name not in PBC_OUTCOMES and text}
        rows += [(visit["id"], float(visit["times"]), name, float(text)) for name, text in measured.items()]
    label, until = (np.array(column) for column in zip(*ends.values(), strict=True))
    return table("pbc2", *zip(*rows, strict=True)), Outcomes(label.astype(np.int32), until)


def check(found: Table, outcomes: Outcomes, config: Config) -> None:
    """One outcome only, too few patients, or settings that do not fit what is known of the outcomes."""
    labels, counts = np.unique(outcomes.label, return_counts=True)
    if len(labels) < 2:
        raise InputError(f"{found.source}: expected patients with and without the outcome; all have {labels[0]}")
    if counts.min() < FEWEST * config.folds:
        few = labels[counts.argmin()]
        raise InputError(
            f"{found.source}: expected at least {FEWEST * config.folds} patients of each outcome for {config.folds} "
            f"folds; outcome {few} has {counts.min()}"
        )
    if len(labels) != labels[-1] + 1:
        raise InputError(f"{found.source}: expected outcomes 0, 1, ... without a gap; received {labels.tolist()}")
    followed = outcomes.until is not None
    if followed != bool(config.interval):
        have = "have times" if followed else "have no times"
        raise InputError(f"--interval: the outcomes of {found.source} {have}; received --interval {config.interval:g}")
    early = found.when <= config.window if config.window else np.ones(len(found.when), bool)
    without = np.flatnonzero(np.bincount(found.who[early], minlength=len(found.patients)) == 0)
    if len(without):
        line = found.lines[found.who == without[0]].min()
        name = found.patients[without[0]]
        raise InputError(
            f"{place(found.source, line)}: patient {name} has no measurement up to --window {config.window:g}"
        )


def in_usual_units(found: Table, training: np.ndarray) -> tuple[Table, Scale, dict[str, int]]:
    """The table without what its training patients' values show to be in a wrong unit, their scale, how many are lost.

    Raises:
        InputError: nothing is left of a patient.
    """
    scale = Scale.fit(found.kept(np.flatnonzero(np.isin(found.who, training))))
    limits = np.array(scale.limits)
    left = with_zeros_counted(within(found, limits), limits)
    without = np.flatnonzero(np.bincount(left.who, minlength=len(left.patients)) == 0)
    if len(without):
        mine = found.kept(np.flatnonzero(found.who == without[0]))
        raise InputError(
            f"{place(found.source, mine.lines.min())}: expected a measurement in its usual unit of each patient; of "
            f"{found.patients[without[0]]} there is only {found.variables[mine.what[0]]} {mine.value[0]:g}"
        )
    counts = np.subtract(*(np.bincount(t.what, minlength=len(t.variables)) for t in (found, left)))
    return left, scale, {name: int(n) for name, n in zip(found.variables, counts, strict=True) if n}


def split(label: np.ndarray, config: Config) -> list[np.ndarray]:
    """The patients of train, valid and test, outcomes in equal shares: one fold tests, some of the rest validate."""
    from sklearn.model_selection import StratifiedKFold, train_test_split

    folds = list(StratifiedKFold(config.folds, shuffle=True, random_state=SPLIT_SEED).split(label, label))
    rest, test = folds[config.fold]
    train, valid = train_test_split(
        rest, test_size=config.valid_fraction, stratify=label[rest], random_state=SPLIT_SEED
    )
    return [np.sort(part) for part in (train, valid, test)]


def layout(outcomes: Outcomes, times: np.ndarray, lengths: np.ndarray, config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Targets and weights (patients, steps, intervals) of every step, see `Part`.

    Without times there is one interval, the rest of the stay. With them, an interval is known if the patient was
    followed up to its end or had the event in it; after the event there is nothing to know.
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
    share = np.where(last, 1 - config.earlier, config.earlier / np.maximum(lengths - 1, 1)[:, None])
    return targets, (known * (real * share)[..., None]).astype(np.float32)
