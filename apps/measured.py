"""What a training of a comparison has measured: its records, its history, its time and memory."""

import csv
import dataclasses
import functools
import io
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared import paired, verdicts
from shared import runs as folders

from .trial import DIVERGED, FAILED, STOPPED, Trial, position

Record = dict[str, Any]
FEWEST_STEPS = 50  # after the first epoch, which compiles; the time of a step says little with fewer


@dataclasses.dataclass(frozen=True)
class Measured:
    """A training's figures; what it has not recorded is None or empty."""

    trial: Trial
    record: Record  # the headline
    curve: tuple[tuple[float, float], ...]  # seconds of training, validation figure after each epoch
    step_ms: float | None
    latency_ms: float | None
    peak_mib: int | None
    resampled: Record = dataclasses.field(default_factory=dict)  # the headline on resamples of the test items


def measured(trial: Trial) -> Measured | None:
    """Returns what a finished training has measured; None if it is not finished, or its figure is not finite."""
    if failure(trial)[0]:
        return None
    record = headline(trial)
    seconds, steps, first = session(trial.path)
    values = [row[validation(trial.path, record)[0]] for row in history(trial.path)]
    return Measured(
        trial,
        record,
        tuple((seconds * number / len(values), value) for number, value in enumerate(values, 1)),
        1000 * seconds / steps if steps - first >= FEWEST_STEPS else None,
        next((value for name, value in record.get("details", {}).items() if name.startswith("ms_")), None),
        trial.outcome().get("peak_mib") or None,
        folders.read_json(resampled, dict) if (resampled := trial.path / "resampled.json").exists() else {},
    )


def failure(trial: Trial) -> tuple[str, str]:
    """Returns the state and reason of a training that has no figure; ("", "") if it has one."""
    if trial.finished:
        value = headline(trial)["value"]
        return ("", "") if math.isfinite(value) else (DIVERGED, f"the figure is {value}")
    found = trial.outcome()
    return found.get("state", FAILED), found.get("reason", "not run")


def headline(trial: Trial) -> Record:
    """Returns the headline record of a finished training."""
    return next(record for record in records(trial) if record["headline"])


def records(trial: Trial) -> list[Record]:
    """Returns all records of a finished training."""
    return folders.read_json(trial.path / "metrics.json", list)


def validations(trials: Sequence[Trial]) -> list[tuple[Trial, float, str]]:
    """Returns the best validation figure of each training that has one, and its direction.

    The test set is not looked at. A training that was stopped at the time limit counts, one that failed does not.
    """
    record = next((headline(trial) for trial in trials if trial.finished), None)
    found = []
    for trial in trials:
        if failure(trial)[0] in ("", STOPPED) and (value := best_validation(trial.path, record)) is not None:
            found.append((trial, value, validation(trial.path, record)[1]))
    return found


def best_validation(path: Path, record: Record | None) -> float | None:
    """Returns the best validation figure of a run, the mean over its parts if it trained several networks in turn."""
    best = []
    for part in parts(path):
        name, direction = validation(part, record)
        values = [row[name] for row in history(part) if math.isfinite(row[name])]
        if not values:
            return None
        best.append(max(values) if direction == "higher" else min(values))
    return sum(best) / len(best) if best else None


def validation(path: Path, record: Record | None) -> tuple[str, str]:
    """Returns the column of the history that validates, and its direction: the headline's metric, else the loss."""
    rows = [row for part in parts(path)[:1] for row in history(part)]
    name = f"val_{record['metric']}" if record else ""
    return (name, record["direction"]) if record and rows and name in rows[0] else ("val_loss", "lower")


def parts(path: Path) -> list[Path]:
    """Returns the folders with a history: the run itself, or those of the networks that it trained in turn."""
    return [path] if (path / "history.csv").exists() else sorted(file.parent for file in path.glob("*/history.csv"))


def history(path: Path) -> list[dict[str, float]]:
    """Returns one row for each epoch; [] without a history."""
    file = path / "history.csv"
    return list(_rows(file, file.stat().st_mtime_ns)) if file.exists() else []


@functools.lru_cache(maxsize=256)
def _rows(file: Path, changed: int) -> tuple[dict[str, float], ...]:
    rows = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    return tuple({name: float(value) for name, value in row.items()} for row in rows)


def session(path: Path) -> tuple[float, int, int]:
    """Returns the seconds of training, with validation, over all sessions, the number of steps, those of epoch 1."""
    timing = path / "timing.json"
    seconds = float(folders.read_json(timing, dict)["seconds"]) if timing.exists() else 0.0
    done = [steps(part / "checkpoint.npz") for part in parts(path)]
    return seconds, sum(total for total, _ in done), sum(first for _, first in done)


def steps(checkpoint: Path) -> tuple[int, int]:
    """Returns the number of training steps done, and that of an epoch."""
    at = position(checkpoint)
    return (at["epoch"] * at["steps"] + at["step"], at["steps"]) if at else (0, 0)


def mean(done: Sequence[Measured]) -> float:
    """Returns the mean figure over the seeds."""
    return statistics.mean(each.record["value"] for each in done)


def best_of(values: Sequence[float], direction: str) -> float:
    """Returns the best validation figure."""
    return max(values) if direction == "higher" else min(values)


def seconds_to(curve: Sequence[tuple[float, float]], quality: float | None, direction: str) -> float | None:
    """Returns the seconds of training after which the validation figure is at least as good; None if it never is."""
    for seconds, value in curve:
        if quality is not None and (value >= quality if direction == "higher" else value <= quality):
            return seconds
    return None


def target(found: dict[str, list[Measured]], name: str, direction: str) -> float | None:
    """Returns the validation figure to which the seconds are counted: the best that all useful trainings have reached.

    Seconds to a figure worse than the best baseline's say nothing. So architectures that do not beat it do not count,
    and where the figure validated is that of the baseline, the target is at least as good as it is.
    """
    record = next(iter(found.values()))[0].record
    best, better = verdicts.best_baseline(record), found
    if best:
        bar = paired.goodness(best[1], record["direction"])
        better = {a: done for a, done in found.items() if paired.goodness(mean(done), record["direction"]) > bar}
    quality = reached_by_all(better, direction)
    comparable = best and name == f"val_{record['metric']}"
    return best_of([quality, best[1]], direction) if quality is not None and best and comparable else quality


def reached_by_all(found: dict[str, list[Measured]], direction: str) -> float | None:
    """Returns the best validation figure that every training has reached; None without histories."""
    best = [best_of([value for _, value in m.curve], direction) for done in found.values() for m in done if m.curve]
    return (min(best) if direction == "higher" else max(best)) if best else None
