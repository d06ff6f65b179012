"""Records of patients to what a network is trained on: the split by patient, the scale, the targets of every step.

Nothing leaks: folds are of patients, the scale comes from the training patients alone, and outcomes are read apart
from measurements, by the names of the columns that hold them.
"""

import dataclasses
from typing import Any

import numpy as np

from shared import InputError
from shared.data.sequences import spread
from shared.runs import fingerprint

from .config import Config
from .records import Outcomes, Table, place, warn, with_zeros_counted, within
from .scaling import Scale
from .sources import names, read
from .steps import Steps, in_window

SPLIT_SEED = 0  # the same folds in every run, so that runs compare
PARTS = ("train", "valid", "test")
FEWEST = 3  # patients of each outcome in each fold


@dataclasses.dataclass(frozen=True)
class Part:
    """Patients of one part of the split.

    targets (patients, steps, intervals) int32: 0 or the cause; weights of the same shape: 0 where the interval is not
    known, or the step not real.
    """

    patients: tuple[str, ...]
    steps: Steps
    targets: np.ndarray
    weights: np.ndarray
    outcomes: Outcomes

    def arrays(self) -> tuple:
        """((inputs, summary), targets, weights) for `fit`."""
        return (self.steps.inputs, np.nan_to_num(self.steps.summary)), self.targets, self.weights


@dataclasses.dataclass(frozen=True)
class Data:
    """The three parts, and all measurements that they were made of.

    `info` fits JSON: source, fingerprint, split, variables, causes, time_unit, scale, left_out (by variable: how many
    values are beyond the limits of the scale), unit (the time that counts as 1), summaries, knots, step, window,
    intervals, interval, share of training patients with the first cause.
    """

    train: Part
    valid: Part
    test: Part
    table: Table
    info: dict[str, Any]


# Kept for no second call: the seed decides who the simulated patients are, the fold what every part holds.
def load(config: Config) -> Data:
    """Reads, splits, scales and lays out the records that `config.data` names.

    Raises:
        InputError: an unknown source, a file that cannot be right, one outcome only, or too few patients.
    """
    found, outcomes = read(config)
    content = fingerprint(found.patients, found.variables, found.who, found.when, found.what, found.value, outcomes)
    chosen = spread(len(found.patients), config.max_examples)
    found, outcomes = found.among(chosen), outcomes.among(chosen)
    check(found, outcomes, config)
    parts = split(outcomes.label, config)
    causes, time_unit = names(config, outcomes)
    found, scale, left_out = in_usual_units(in_window(found, config.window, time_unit), parts[0])
    warn(found.notes)
    info = {
        "source": "simulated stays in intensive care" if config.data == "builtin" else config.data,
        "fingerprint": content,
        "split": f"fold {config.fold} of {config.fold_count}, by patient: "
        + ", ".join(f"{name} {len(part):,}" for name, part in zip(PARTS, parts, strict=True)),
        "variables": list(found.variables),
        "causes": list(causes),
        "time_unit": time_unit,
        "scale": dataclasses.asdict(scale),
        "left_out": left_out,
        "unit": config.interval or config.window / 4 or 1.0,  # so that gaps are near 1
        "summaries": list(config.summaries),
        "knots": list(config.knots),
        "step": config.step,
        "window": config.window,
        "intervals": config.intervals,
        "interval": config.interval,
        "share": float((outcomes.label[parts[0]] == 1).mean()),
    }
    steps = Steps.of(found, scale, info)
    targets, weights = layout(outcomes, steps.times, steps.lengths, config)
    train, valid, test = (
        Part(
            tuple(found.patients[n] for n in part),
            steps.among(part),
            targets[part],
            weights[part],
            outcomes.among(part),
        )
        for part in parts
    )
    return Data(train, valid, test, found, info)


def check(found: Table, outcomes: Outcomes, config: Config) -> None:
    """Refuses one outcome only, too few patients, and settings that do not fit what is known of the outcomes."""
    labels, counts = np.unique(outcomes.label, return_counts=True)
    if len(labels) < 2:
        raise InputError(f"{found.source}: expected patients with and without the outcome; all have {labels[0]}")
    if counts.min() < FEWEST * config.fold_count:
        few = labels[counts.argmin()]
        raise InputError(
            f"{found.source}: expected at least {FEWEST * config.fold_count} patients of each outcome for "
            f"{config.fold_count} folds; outcome {few} has {counts.min()}"
        )
    if len(labels) != labels[-1] + 1:
        raise InputError(f"{found.source}: expected outcomes 0, 1, ... without a gap; received {labels.tolist()}")
    followed = outcomes.until is not None
    if followed != bool(config.interval):
        have = "have times" if followed else "have no times"
        raise InputError(f"--interval: the outcomes of {found.source} {have}; received --interval {config.interval:g}")
    early = found.kept(np.flatnonzero(found.when <= config.window)) if config.window else found
    without = np.flatnonzero(early.counts() == 0)
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
    without = np.flatnonzero(left.counts() == 0)
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

    folds = list(StratifiedKFold(config.fold_count, shuffle=True, random_state=SPLIT_SEED).split(label, label))
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
    share = np.where(last, 1 - config.early_share, config.early_share / np.maximum(lengths - 1, 1)[:, None])
    return targets, (known * (real * share)[..., None]).astype(np.float32)
