"""The run folder runs/<app>/<name>/, which contains all outputs of one training run.

In an app with several networks, the runs of an additional one are in runs/<app>/<kind>/<name>/. It is trained by the
verb train-<kind>, and its app name in this package is "<app>/<kind>".

config.json      the app, its settings, and the command that reproduces them
info.json        what was learned from the data: vocabulary, scaler, labels, a fingerprint of the data itself
model.keras      the best model so far
history.csv      one line per epoch; checkpoint.npz has the state from which training resumes
files.json       the user's own files that the settings name, with hashes of their content
resampled.json   the headline figure on resamples of the test items, by which `compare` compares runs
metrics.json     the measured figures; written last, so a run that has it is finished
environment.json Python, packages, platform, hardware

All files are written atomically (see `shared.files`).
"""

import dataclasses
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from shared import InputError, MissingFileError, files, locks, machine
from shared.fingerprint import of_files

Settings = TypeVar("Settings")
TRAIN_AGAIN = "Train this run again with --fresh."
FOLDERS = ("data", "more", "valid", "test")  # settings that may name a folder of the user's own
NAME = re.compile(r"[\w=+,@-][\w=+,@.-]*")  # of a run
METRICS = "metrics.json"  # in the folder of a finished run
FORMAT = 2  # version of the run folder; incremented when the meaning of settings or info changes


class Stopped(Exception):
    """Training was stopped by Ctrl-C or SIGTERM and is saved. The one-line message says how to resume it."""


def root() -> Path:
    """Returns the folder of all runs: $GALLERY_RUNS, else ./runs."""
    return Path(os.environ.get("GALLERY_RUNS") or "runs")


@dataclasses.dataclass(frozen=True)
class Run:
    """One run folder: its `path`, its `app`, its settings (`config`) and the `command` that started it.

    If `fresh` is true, `begin` replaces an existing folder. `trained_on` is the training data, if the data in `config`
    are others, see `tested_on`.
    """

    path: Path
    app: str
    config: dict[str, Any]
    command: str = ""
    fresh: bool = False
    trained_on: str = ""

    def file(self, name: str) -> Path:
        """Returns the path of the file `name` in the run folder and creates its parent folders."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def picture(self, name: str) -> Path:
        """Returns the path for an evaluation plot: in `evaluated/` if the run is finished, to keep the original."""
        return self.file(f"evaluated/{name}" if self.finished() else name)

    def tested_on(self, data: str) -> "Run":
        """Returns the run as its figures on other data are recorded: with their name, and that of the training data."""
        return dataclasses.replace(self, config=self.config | {"data": data}, trained_on=self.config["data"])

    def settings(self, kind: type[Settings]) -> Settings:
        """Returns the settings as the app's dataclass. Raises InputError if another version of the app wrote them."""
        unknown = set(self.config) - {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        if unknown:
            raise InputError(
                f"{self.path / 'config.json'} has settings this version does not know: {', '.join(sorted(unknown))}. "
                + TRAIN_AGAIN
            )
        return kind(**self.config)

    def begin(self, info: dict[str, Any]) -> None:
        """Creates the folder with what was learned from the training data (`info`, JSON), before training starts.

        For a run that already exists nothing is written, and `info` must be the same as before.

        Raises:
            InputError: if the data has changed since then, or another process is training this run.
        """
        if self.path.exists():
            locks.hold(self.path)
        if self.fresh or not self.path.exists():
            _create(self, info)
            locks.hold(self.path)
        else:
            self.check(info)

    def check(self, info: dict[str, Any]) -> None:
        """Raises InputError if `info`, learned from the current data, differs from that of the training."""
        saved, now = self.info(), json.loads(json.dumps(info, default=str))
        changed = sorted(name for name in now if name not in saved or saved[name] != now[name])
        if changed:
            raise InputError(_changed(self, changed))

    def check_files(self) -> None:
        """Raises InputError if a file that the settings name has changed; for finished runs, whose data is not read.

        Files that no longer exist are ignored: a finished run does not need them.
        """
        saved = read_json(self.path / "files.json", dict) if (self.path / "files.json").exists() else {}
        named = named_files(self.config)
        changed = [
            f"--{name.replace('_', '-')}" for name in saved if name in named and of_files(named[name]) != saved[name]
        ]
        if changed:
            raise InputError(_changed(self, changed))

    def info(self) -> dict[str, Any]:
        """Returns the `info` saved by `begin`. Raises InputError if it is missing or damaged, or for a missing key."""
        return _Info(self.file("info.json"))

    def finished(self) -> bool:
        """Returns whether the run was trained to the end and evaluated."""
        return not self.fresh and (self.path / METRICS).exists()

    def save_metrics(self, records: list[dict[str, Any]]) -> None:
        """Saves the measured figures: a list of records in the format of results.json.

        The headline on resamples of the test items is saved in a file of its own, since it is long.
        """
        for record in records:
            if record.get("headline") and "resampled" in record:
                files.write_json(self.file("resampled.json"), record["resampled"])
        plain = [{name: record[name] for name in record if name != "resampled"} for record in records]
        files.write_json(self.file(METRICS), plain)

    def metrics(self) -> list[dict[str, Any]]:
        """Returns the records saved by `save_metrics`. Raises InputError if they are missing or damaged."""
        return read_json(self.file(METRICS), list)

    def seconds(self) -> float:
        """Returns the training time so far in seconds, over all sessions."""
        return float(read_json(self.file("timing.json"), dict)["seconds"])

    def save_model(self, model: Any) -> None:
        """Writes the `keras.Model` as model.keras."""
        with files.replacing(self.file("model.keras")) as temporary:
            model.save(temporary)

    def load_model(self) -> Any:
        """Loads the saved `keras.Model`, uncompiled. No code in the file is executed (Keras safe mode).

        Raises:
            MissingFileError: if there is no model.keras.
            InputError: if it is damaged, or contains objects unknown to this version.
        """
        path = self.file("model.keras")
        if not path.exists():
            raise MissingFileError(f"Expected a saved model. There is no {path}: train this run first.")
        _check_archive(path)
        import keras

        import shared.layers

        shared.layers.load_all()
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, KeyError, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"Cannot load {path}: {reason}. {TRAIN_AGAIN}") from error


class _Info(dict):
    """The contents of info.json. A missing key raises InputError, since another version of the app wrote the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(read_json(path, dict))
        self.path = path

    def __missing__(self, name: str) -> Any:
        raise InputError(f"{self.path} holds no {name!r}: another version of the app wrote it. {TRAIN_AGAIN}")


def start(app: str, config: dict[str, Any], name: str | None = None, fresh: bool = False, command: str = "") -> Run:
    """Opens the run with these settings, new or existing. Nothing is written until `Run.begin`.

    Args:
        app: the app's folder name.
        config: all settings that affect the result; values must be JSON serialisable (a path is saved as a string).
        name: the run's folder name. None: derived from the data, the architecture and a hash of `config`.
        fresh: start over; an old run of that name is removed once the new folder exists.
        command: the command that gives these settings, for the run's records.

    Raises:
        InputError: if `name` was started with other settings (the message names them), or is not a valid name.
    """
    config = json.loads(json.dumps(config, default=str))
    name = default_name(config) if name is None else _checked(name)
    path = root() / app / name
    if fresh or not path.exists():
        return Run(path, app, config, command, fresh)
    run = _open(path, app)
    if run.config != config:
        raise InputError(
            f"The run {path} was started with other settings: {_differences(run.config, config)}. "
            "Choose another --run, or --fresh to start over."
        )
    return run


def training(app: str) -> str:
    """Returns the training command: "python -m apps.chatbot train", or "... train-talk" for "chatbot/talk"."""
    name, _, kind = app.partition("/")
    return f"python -m apps.{name} train" + (f"-{kind}" if kind else "")


def find(app: str, name: str | None = None) -> Run:
    """Finds the run called `name`, or the newest; says on stderr which, and if it is not finished.

    The newest is the one with the newest model among the finished runs; only if there is none, among all.

    Raises:
        InputError: if there is none, it belongs to another app, it has no model yet, or a file is damaged.
    """
    run = _found(app, name)
    if name is None and (count := len(models := _models(app))) > 1:
        newest = "newest" if len(_finished(models)) in (0, count) else "newest finished one"
        print(f"Using {run.path.name}, the {newest} of {count} runs; --run NAME chooses another.", file=sys.stderr)
    if not run.finished():
        todo = f"Resume it with: {_resume(run)}"
        said = f"{run.path} is not finished; using its best model so far, not calibrated. {todo}"
        print(said, file=sys.stderr)
    return run


class OfRun:
    """Base class for the options of a verb that uses a trained run, named by the field `run`, which must exist."""

    run: str | None

    def check(self) -> None:
        """Raises InputError if there is no such run; `cli.main` calls this before a backend starts."""
        self.trained()

    def trained(self) -> Run:
        """Returns the run, as `find`, without a message."""
        return _found(type(self).__module__.split(".")[-2], self.run)


def _found(app: str, name: str | None) -> Run:
    command = training(app)
    if name is None:
        if models := _models(app):
            return _open(
                max(_finished(models) or models, key=lambda p: (p.stat().st_mtime_ns, p.parent.name)).parent, app
            )
        begun = sorted((root() / app).glob("[!.]*/config.json"))
        how = f"Resume {begun[-1].parent.name}: {_resume(_open(begun[-1].parent, app))}" if begun else ""
        raise MissingFileError(f"There is no trained run in {root() / app} yet. {how or f'Train one: {command}'}")
    path = root() / app / _checked(name)
    if not path.is_dir():
        raise MissingFileError(f"There is no run {path}. {_known(app, name)} Or make one: {command}")
    run = _open(path, app)
    if not (path / "model.keras").exists():
        raise InputError(
            f"{path} has no model.keras yet: its first epoch is not finished. Resume it with: {_resume(run)}"
        )
    return run


def _models(app: str) -> list[Path]:
    return [path for path in (root() / app).glob("*/model.keras") if not path.parent.name.startswith(".")]


def _finished(models: list[Path]) -> list[Path]:
    return [path for path in models if path.with_name(METRICS).exists()]


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise InputError(f"--run: expected a name of letters, digits and . _ - only; received {name or repr(name)}")
    return name


def _resume(run: Run) -> str:
    """Returns the command that resumes the run's training."""
    named = "" if run.path.name == default_name(run.config) else f" --run {run.path.name}"
    return (run.command or training(run.app)) + named


def named_files(config: Mapping[str, Any]) -> dict[str, Path]:
    """Returns the user's own files and folders that settings name, keyed by setting.

    A folder counts only for settings that take data, since a folder may happen to be called gru.
    """
    texts = {name: Path(value) for name, value in config.items() if isinstance(value, str) and value}
    return {name: path for name, path in texts.items() if os.path.isfile(path) or name in FOLDERS and path.is_dir()}


def read_json(path: Path, kind: type) -> Any:
    """Reads JSON from the file; raises InputError if it is missing, damaged or not of type `kind` (dict, list)."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingFileError(f"{path} is missing: the run is incomplete. {TRAIN_AGAIN}") from None
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}). {TRAIN_AGAIN}") from error
    if not isinstance(value, kind):
        raise InputError(f"{path} is damaged: expected a JSON {kind.__name__}, found {type(value).__name__}.")
    return value


def read_numbers(path: Path, kind: type[Settings]) -> Settings:
    """Reads a JSON dict as a dataclass of numbers; raises InputError if it is missing, damaged or of another form."""
    value, names = read_json(path, dict), [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    if sorted(value) != sorted(names) or not all(type(each) in (int, float) for each in value.values()):
        raise InputError(f"{path} is damaged: expected numbers called {', '.join(names)}. {TRAIN_AGAIN}")
    return kind(**value)


def _create(run: Run, info: dict[str, Any]) -> None:
    """Fills the new folder under a temporary name, so that a run folder always has settings and info."""
    path = run.path
    new, old = path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")
    for leftover in (new, old):
        if leftover.exists():
            shutil.rmtree(leftover)
    new.mkdir(parents=True)
    settings = {"app": run.app, "format": FORMAT, "command": run.command, "config": run.config}
    files.write_json(new / "config.json", settings)
    files.write_json(new / "info.json", info)
    if named := named_files(run.config):
        files.write_json(new / "files.json", {name: of_files(path) for name, path in named.items()})
    environment = {
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "versions": machine.versions(),
        "platform": platform.platform(),
        "hardware": machine.hardware(),
    }
    files.write_json(new / "environment.json", environment)
    if path.exists():
        os.rename(path, old)
    os.rename(new, path)
    if old.exists():
        shutil.rmtree(old)


def _open(path: Path, app: str) -> Run:
    saved = read_json(path / "config.json", dict)
    if not isinstance(saved.get("config"), dict):
        raise InputError(f"{path / 'config.json'} is damaged: expected the keys app and config.")
    if saved.get("app") != app:
        raise InputError(f"Expected a run of {app}. {path} is a run of {saved.get('app')}.")
    if saved.get("format") != FORMAT:
        raise InputError(
            f"Expected a run of format {FORMAT}. {path} has format {saved.get('format', 1)}: another version of the "
            f"gallery trained it. {TRAIN_AGAIN}"
        )
    return Run(path, app, saved["config"], str(saved.get("command", "")))


def default_name(config: dict[str, Any]) -> str:
    """Returns the name of a run with these settings, from the data, the architecture and a hash of all settings."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:6]
    data = re.sub(r"[^\w.-]+", "-", Path(str(config.get("data", "run"))).name).strip(".-") or "run"
    return "-".join(str(part) for part in (data, config.get("arch"), digest) if part)


def _changed(run: Run, what: list[str]) -> str:
    return (
        f"The data has changed since {run.path} was started ({', '.join(what)}). "
        "Restore it, choose another --run, or start over with --fresh."
    )


def _differences(old: dict[str, Any], new: dict[str, Any]) -> str:
    missing = "(not set)"
    return ", ".join(
        f"{key} {old.get(key, missing)} (now {new.get(key, missing)})"
        for key in sorted(old.keys() | new.keys())
        if old.get(key, missing) != new.get(key, missing)
    )


def _known(app: str, name: str) -> str:
    """Says what the user may have meant: a run of this name in another app, or the runs of this app."""
    elsewhere = sorted(p.parent.name for p in root().glob(f"*/{name}") if p.is_dir())
    if elsewhere:
        return f"{name} is a run of {', '.join(elsewhere)}."
    names = sorted(p.name for p in (root() / app).glob("[!.]*") if (p / "config.json").exists())
    return f"Runs there: {', '.join(names)}." if names else "There are no runs there yet."


def _check_archive(path: Path) -> None:
    """Verifies the archive's checksums, since Keras raises many kinds of errors for a truncated or altered one."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}). {TRAIN_AGAIN}") from error
    if damaged:
        raise InputError(f"{path} is damaged: {damaged} in it has a wrong checksum. {TRAIN_AGAIN}")
