"""One training of a comparison, a `train` command in its own process: its files, how it is run, how it ended."""

import dataclasses
import fcntl
import json
import math
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import numpy as np

from shared import InputError, files
from shared import runs as folders

FINISHED, STOPPED, DIVERGED, FAILED = "finished", "stopped", "diverged", "failed"
MEMORY = re.compile(r"resource_?exhausted|MemoryError|bad_alloc|out of memory|cannot allocate memory", re.IGNORECASE)
POLL_S = 0.2  # seconds between two looks at a process
TAIL = 20_000  # bytes at the end of a log that are searched for the reason of a failure
PASSED = ("GALLERY_", "KERAS_", "TF_", "XLA_", "JAX_", "CUDA_", "PYTHONPATH")  # beginnings of environment variables


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training: its command and its run folder. `rate` is its learning rate if that is searched for, else 0."""

    app: str
    arch: str
    seed: int
    name: str
    words: tuple[str, ...]
    rate: float = 0.0

    @property
    def command(self) -> str:
        """The command line."""
        return shlex.join(["python", "-m", f"apps.{self.app}", *self.words])

    @property
    def path(self) -> Path:
        """The run folder."""
        return folders.root() / self.app / self.name

    @property
    def log(self) -> Path:
        """The file with the output of the training."""
        return folders.root() / "compare" / f"{self.app}-{self.name}.log"

    @property
    def finished(self) -> bool:
        """Whether the run has been trained to the end and evaluated."""
        return (self.path / "metrics.json").exists()

    def outcome(self) -> dict[str, Any]:
        """Returns how the training ended: state, reason, seconds, peak_mib, minutes. {} if that is not known (yet)."""
        path = self.log.with_suffix(".json")
        return folders.read_json(path, dict) if path.exists() else {}

    def save_outcome(self, **outcome: Any) -> None:
        """Saves how the training ended."""
        files.write_json(self.log.with_suffix(".json"), outcome)

    def settled(self, minutes: float) -> bool:
        """Returns whether there is nothing left to do: finished, stopped at this time limit or a later one, diverged.

        A training that diverged would do so again; any other failure is tried again.
        """
        if self.finished or not self.path.exists():
            return self.finished
        found = self.outcome()
        return found.get("state") == DIVERGED or found.get("state") == STOPPED and 0 < minutes <= found["minutes"]


@dataclasses.dataclass(frozen=True)
class Work:
    """Carries out a trial in any process, on any machine that has the same folders, as this process would here."""

    minutes: float = 0.0
    folder: str = dataclasses.field(default_factory=os.getcwd)
    environment: dict[str, str] = dataclasses.field(
        default_factory=lambda: {name: value for name, value in os.environ.items() if name.startswith(PASSED)}
    )

    def __call__(self, trial: Trial) -> None:
        """Trains in a separate process."""
        os.chdir(self.folder)
        os.environ.update(self.environment)
        carry_out(trial, self.minutes)


def carry_out(trial: Trial, minutes: float = 0.0) -> None:
    """Trains in a separate process until it ends or the time limit is reached, and saves the outcome.

    The process inherits the lock of its log. If the one that started it is killed, it goes on alone, and whoever is to
    carry out the same trial waits for it here instead of training it a second time.
    """
    trial.log.parent.mkdir(parents=True, exist_ok=True)
    with trial.log.open("ab") as log:
        lock(log, trial)
        if trial.settled(minutes):
            return
        begin, started, spent = log.tell(), time.monotonic(), seconds_so_far(trial)
        command = [sys.executable, "-m", f"apps.{trial.app}", *trial.words]
        # Its own session: Ctrl-C reaches it through this process only, once.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            usage, reached = wait(process, trial, 60 * minutes - spent if minutes else math.inf)
        except (KeyboardInterrupt, SystemExit):  # submitit exits before Slurm ends the job
            process.terminate()  # it saves its state, as at Ctrl-C
            process.wait()
            raise
    state, reason = judged(process.returncode, trial.finished, reached, tail(trial.log, begin))
    trial.save_outcome(
        state=state,
        reason=reason,
        status=process.returncode,
        seconds=round(spent + time.monotonic() - started, 1),
        minutes=minutes,
        peak_mib=round(usage.ru_maxrss / 1024),
    )


def lock(log: IO[bytes], trial: Trial) -> None:
    """Locks the open log until it is closed here and in the training's process; waits if another has locked it."""
    waiting = False
    while True:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            log.seek(0, os.SEEK_END)
            return
        except BlockingIOError:
            if not waiting:
                waiting = True
                print(
                    f"{trial.name} is still being trained by another process; waits for it, see {trial.log}", flush=True
                )
            time.sleep(POLL_S)


def wait(process: subprocess.Popen, trial: Trial, limit_s: float) -> tuple[resource.struct_rusage, bool]:
    """Waits until the process has ended; returns what it used, and whether it was stopped at the time limit.

    It is stopped as by Ctrl-C, unless its epochs are done and it is only being evaluated. This asks again and again,
    since Ray cannot interrupt a call that waits in the operating system.
    """
    started, reached = time.monotonic(), False
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage, reached
        if time.monotonic() - started > limit_s:
            limit_s, reached = math.inf, not trained(trial)
            if reached:
                os.kill(process.pid, signal.SIGTERM)
        time.sleep(POLL_S)


def trained(trial: Trial) -> bool:
    """Returns whether all epochs of the settings are done, or as many without improvement as end the training."""
    at, config = position(trial.path / "checkpoint.npz"), trial.path / "config.json"
    if not at or not config.exists():
        return False
    settings = folders.read_json(config, dict)["config"]
    return at["epoch"] >= settings.get("epochs", math.inf) or 0 < settings.get("patience", 0) <= at["wait"]


def position(checkpoint: Path) -> dict[str, Any]:
    """Returns the position that a checkpoint was saved at, without loading the weights; {} if there is none."""
    if not checkpoint.exists():
        return {}
    with np.load(checkpoint, allow_pickle=False) as archive:
        return json.loads(archive["position"].tobytes())


def seconds_so_far(trial: Trial) -> float:
    """Returns how long the trial has been trained in earlier sessions, also in those that were killed."""
    timing = trial.path / "timing.json"
    recorded = float(folders.read_json(timing, dict)["seconds"]) if timing.exists() else 0.0
    return max(trial.outcome().get("seconds", 0.0), recorded)


def tail(log: Path, begin: int) -> str:
    """Returns the end of what has been written to the log since position `begin`."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(begin, size - TAIL))
        return file.read().decode("utf-8", "replace").strip()


def judged(status: int, finished: bool, limit_reached: bool, said: str) -> tuple[str, str]:
    """Returns the state of a training that has ended, and the reason if it has failed, in a few words.

    Args:
        status: its exit status; minus the signal's number if a signal killed it.
        finished: whether it has saved its metrics.
        limit_reached: whether it was stopped at the time limit.
        said: the end of its output.
    """
    last = said.rpartition("\n")[2].removeprefix("error: ")[:200]
    if finished:
        return FINISHED, ""
    if limit_reached and status in (0, 130, -signal.SIGTERM):
        return STOPPED, ""
    if MEMORY.search(said):
        return FAILED, "out of memory"
    if status == 2 and "diverged" in last:
        return DIVERGED, last
    if status == 130:
        return FAILED, "interrupted by a signal"
    if status < 0:
        likely = ", most often out of memory" if status == -signal.SIGKILL else ""
        return FAILED, f"killed by signal {-status}{likely}"
    return FAILED, last if status == 2 else f"crashed with status {status}: {last}"


def lost(trial: Trial, reason: str) -> None:
    """Saves that an engine has lost the process that carried out the trial, unless the trial was finished."""
    if not trial.finished:
        trial.log.parent.mkdir(parents=True, exist_ok=True)
        trial.save_outcome(state=FAILED, reason=reason, seconds=seconds_so_far(trial), minutes=0.0, peak_mib=0)


def check_finished(trial: Trial) -> None:
    """Raises InputError if the trial is finished but its data has changed since."""
    if trial.finished:
        try:
            folders.find(trial.app, trial.name).check_files()
        except InputError as error:
            raise InputError(
                f"{error} To train it again: python -m apps runs --delete {trial.app}/{trial.name}"
            ) from error
