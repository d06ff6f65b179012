"""What a training of a comparison has measured: its records, its history, its time and memory."""

import csv
import dataclasses
import functools
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared import runs as folders

from .trial import DIVERGED, FAILED, STOPPED, Trial, position

Record = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Measured:
    """A training's figures; what it has not recorded is None or empty."""

    trial: Trial
    record: Record  # the headline
    curve: tuple[tuple[float, float], ...]  # seconds of training, validation figure after each epoch
    step_ms: float | None
    latency_ms: float | None
    peak_mib: int | None


def measured(trial: Trial) -> Measured | None:
    """Returns what a finished training has measured; None if it is not finished, or its figure is not finite."""
    if failure(trial)[0]:
        return None
    record = headline(trial)
    seconds, steps = session(trial.path)
    values = [row[validation(trial.path, record)[0]] for row in history(trial.path)]
    return Measured(
        trial,
        record,
        tuple((seconds * number / len(values), value) for number, value in enumerate(values, 1)),
        1000 * seconds / steps if steps else None,
        next((value for name, value in record.get("details", {}).items() if name.startswith("ms_")), None),
        trial.outcome().get("peak_mib") or None,
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


def session(path: Path) -> tuple[float, int]:
    """Returns the seconds of training, including validation, and the number of steps, over all sessions."""
    timing = path / "timing.json"
    seconds = float(folders.read_json(timing, dict)["seconds"]) if timing.exists() else 0.0
    return seconds, sum(steps(part / "checkpoint.npz") for part in parts(path))


def steps(checkpoint: Path) -> int:
    """Returns the number of training steps done."""
    at = position(checkpoint)
    return at["epoch"] * at["steps"] + at["step"] if at else 0
