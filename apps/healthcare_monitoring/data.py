"""Patient records as training data: the split by patient, the scaling, the targets of every step.

No information leaks: folds consist of whole patients, the scale comes from the training patients alone, and outcomes
are read separately from measurements, from columns of fixed names.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError
from shared.data.sequences import spread
from shared.fingerprint import fingerprint

from .config import Config
from .parts import Part, part
from .reading import read_measurements, read_outcomes
from .records import Outcomes, Table, place, warn, with_zeros_counted, within
from .scaling import Scale
from .sources import names, outcomes_file, read
from .steps import in_window

SPLIT_SEED = 0  # fixed, so that all runs use the same folds
PARTS = ("train", "valid", "test")
FEWEST = 3  # minimum number of patients per outcome and fold
UNUSUAL = 0.05  # share of training patients considered to have unusually few measured variables


@dataclasses.dataclass(frozen=True)
class Data:
    """The three splits, and the statistics of the training patients.

    `info` fits JSON: source, fingerprint, split, variables, causes, time_unit, scale, left_out (per variable, the
    number of values outside the limits of the scale), ranges ([lowest, highest] value of each variable among the
    training patients), fewest (95 % of them had at least this many variables measured), unit (the time that counts as
    1), summaries, knots, step, window, intervals, interval, share (of training patients with the first cause).
    """

    train: Part
    valid: Part
    test: Part
    info: dict[str, Any]


# Not cached between calls: the seed determines the simulated patients, and the fold the contents of every split.
def load(config: Config) -> Data:
    """Reads, splits and scales the records of `config.data`, and of --valid and --test if given.

    Raises:
        InputError: the source is unknown, a file is invalid, all outcomes are equal, or there are too few patients.
    """
    return arranged(*read(config), config)


def arranged(found: Table, outcomes: Outcomes, config: Config) -> Data:
    """Splits and scales the records that `read` returned; raises InputError as `load`."""
    content = [found.patients, found.variables, found.who, found.when, found.what, found.value, outcomes]
    chosen = spread(len(found.patients), config.max_examples)
    found, outcomes = found.among(chosen), outcomes.among(chosen)
    check(found, outcomes, config)
    cut = split(outcomes.label, config)
    causes, time_unit = names(config, outcomes)
    found, scale, left_out = in_usual_units(in_window(found, config.window, time_unit), cut["train"])
    warn(found.notes)
    info = {
        "source": "simulated stays in intensive care" if config.data == "builtin" else config.data,
        "variables": list(found.variables),
        "causes": list(causes),
        "time_unit": time_unit,
        "scale": dataclasses.asdict(scale),
        "left_out": left_out,
        **usual(found.among(cut["train"])),
        "unit": config.interval or config.window / 4 or 1.0,  # so that gaps are on the order of 1
        "summaries": list(config.summaries),
        "knots": list(config.knots),
        "step": config.step,
        "window": config.window,
        "intervals": config.intervals,
        "interval": config.interval,
        "share": float((outcomes.label[cut["train"]] == 1).mean()),
    }
    parts = {name: part(found.among(rows), outcomes.among(rows), config, info) for name, rows in cut.items()}
    for name in set(PARTS) - set(cut):
        parts[name] = cohort(getattr(config, name), getattr(config, f"{name}_outcomes"), config, info)
        refuse_known(parts[name].table, found)
        content += [parts[name].table.patients, parts[name].steps.values, parts[name].outcomes]
    sizes = ", ".join(f"{name} {len(parts[name].patients):,}" for name in PARTS)
    apart = "".join(f", {name} from {getattr(config, name)}" for name in PARTS if name not in cut)
    fold = f"fold {config.fold} of {config.fold_count}, by patient" if "test" in cut else "by patient"
    info |= {"fingerprint": fingerprint(*content), "split": f"{fold}: {sizes}{apart}"}
    return Data(**parts, info=info)


def as_read(found: Table, info: dict[str, Any]) -> Table:
    """Returns the measurements of a table that a run reads, with notes on stderr; some patients may have none left.

    Raises:
        InputError: no measurement is left.
    """
    found = within(found, np.array(Scale(**info["scale"]).limits))
    found = in_window(found, info["window"], info["time_unit"])
    warn(found.notes)
    if not len(found.when):
        raise InputError(f"{found.source}: patient {found.patients[0]} has no readable measurement")
    return found


def cohort(path: str, outcomes: str, config: Config, info: dict[str, Any]) -> Part:
    """Reads the patients of a file of measurements, and their outcomes, for a trained run.

    Args:
        path: CSV file of the measurements.
        outcomes: CSV file of the outcomes, "" for outcomes.csv in the same folder.
        config: of the run.
        info: statistics of the run's training data; scale and variables are taken from it.

    Raises:
        InputError: a row is invalid, a variable or an outcome is unknown to the run, only one of file and run has times
            of outcomes, or all patients have the same outcome.
    """
    found = read_measurements(Path(path), info["variables"])
    known = read_outcomes(outcomes_file(Path(path), outcomes), found, most=len(info["causes"]))
    followed = known.until is not None
    if followed != bool(info["interval"]):
        given, learned = ("times", "none") if followed else ("no times", "times")
        raise InputError(f"{path}: its outcomes have {given}; those that the run was trained on have {learned}")
    found = as_read(found, info)
    readable = np.flatnonzero(found.counts())
    if lost := len(found.patients) - len(readable):
        warn([f"{path}: patients without a readable measurement are left out: {lost:,}"])
    known = known.among(readable)
    if len(np.unique(known.label == 1)) < 2:
        raise InputError(
            f"{path}: expected patients with and without {info['causes'][0]}; all {len(readable)} are alike"
        )
    return part(found.among(readable), known, config, info)


def tested_on(data: Data, path: str, outcomes: str, config: Config) -> Data:
    """Returns the data of a run with the patients of another file as its test set. Raises InputError as `cohort`."""
    return dataclasses.replace(data, test=cohort(path, outcomes, config, data.info))


def refuse_known(found: Table, others: Table) -> None:
    """Raises InputError if a patient is also among the others, with whom a network is trained."""
    for who in np.flatnonzero(np.isin(found.patients, others.patients)):
        line = found.lines[found.who == who].min()
        raise InputError(
            f"{place(found.source, line)}: patient {found.patients[who]} is one of {others.source} too; "
            "expected other patients to validate and test on"
        )


def usual(found: Table) -> dict[str, Any]:
    """Returns statistics of what is usual among training patients: `ranges` and `fewest`, see `Data`."""
    columns = [found.value[found.what == what] for what in range(len(found.variables))]
    measured = np.zeros((len(found.patients), len(found.variables)), bool)
    measured[found.who, found.what] = True
    return {
        "ranges": [[float(column.min()), float(column.max())] if len(column) else None for column in columns],
        "fewest": int(np.quantile(measured.sum(axis=1), UNUSUAL, method="lower")),
    }


def check(found: Table, outcomes: Outcomes, config: Config) -> None:
    """Raises InputError if all outcomes are equal, patients are too few, or settings do not fit the outcomes."""
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
    """Drops values in a wrong unit, as inferred from the training patients; returns table, scale, and counts dropped.

    Raises:
        InputError: a patient has no measurement left.
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


def split(label: np.ndarray, config: Config) -> dict[str, np.ndarray]:
    """Splits the patients, stratified by outcome, into the parts that have no file of their own.

    One fold is the test set, and a share of the others the validation set.
    """
    from sklearn.model_selection import StratifiedKFold, train_test_split

    parts = {"train": np.arange(len(label))}
    if not config.test:
        folds = list(StratifiedKFold(config.fold_count, shuffle=True, random_state=SPLIT_SEED).split(label, label))
        parts["train"], parts["test"] = folds[config.fold]
    if not config.valid:
        rest = parts["train"]
        parts["train"], parts["valid"] = train_test_split(
            rest, test_size=config.valid_fraction, stratify=label[rest], random_state=SPLIT_SEED
        )
    return {name: np.sort(rows) for name, rows in parts.items()}
