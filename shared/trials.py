"""Runs that differ only in seed or fold: planning them, skipping finished ones, averaging their results."""

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from shared import InputError, results, runs, settings
from shared.fingerprint import files_of
from shared.runs import Run
from shared.settings import LARGEST_SEED, Count

Config = TypeVar("Config")
Loaded = TypeVar("Loaded")
CHANCE = ("seed", "fold")  # settings in which the runs of one experiment differ


@dataclasses.dataclass(frozen=True)
class Seeds:
    """Options that select which runs to train."""

    # name of the run's folder; by default derived from the settings
    run: str | None = None
    # start over if a run of that name exists
    fresh: bool = False
    # number of runs, with seeds seed, seed + 1, ...; reports their mean and standard deviation
    seeds: Count = 1
    # number of GPUs, or virtual devices of a CPU, that share the rows of each batch; results are those of one except
    # for rounding; more than one needs KERAS_BACKEND=jax
    devices: Count = 1

    def __post_init__(self) -> None:
        """Rejects invalid values."""
        settings.check(self)
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        if self.devices > 1 and backend != "jax":
            raise InputError(
                f"--devices: expected 1 with the backend {backend}; received {self.devices}. "
                "Set the environment variable KERAS_BACKEND=jax to train on several."
            )


@dataclasses.dataclass(frozen=True)
class Folds(Seeds):
    """Like `Seeds`, for data that is split into cross-validation folds."""

    # number of runs per seed, with folds fold, fold + 1, ...; all folds together test every example once
    folds: Count = 1


@dataclasses.dataclass(frozen=True)
class Trial:
    """One planned training run: its settings and the arguments that open its run folder."""

    app: str
    config: Any
    command: str
    name: str | None
    fresh: bool
    devices: int = 1

    def run(self) -> Run:
        """Opens the run, new or existing."""
        return runs.start(self.app, dataclasses.asdict(self.config), self.name, self.fresh, self.command)


def plan(app: str, config: Any, recipes: Mapping[str, Any], options: Seeds, fold_count: int = 1) -> list[Trial]:
    """Plans all requested runs, fold by fold; rejects the whole plan if any of them is invalid.

    Args:
        config: the settings of the first run, with a `seed`, and a `fold` if there are folds.
        fold_count: number of folds of the data.

    Raises:
        InputError: if more folds, seeds or devices are requested than exist, or one run name is given for several runs.
    """
    folds = getattr(options, "folds", 1)
    first = getattr(config, "fold", 0)
    if folds > fold_count - first:
        raise InputError(f"--folds: expected at most {fold_count - first} from fold {first} on; received {folds}")
    most = LARGEST_SEED - config.seed + 1
    if options.seeds > most:
        raise InputError(f"--seeds: expected at most {most} from seed {config.seed} on; received {options.seeds}")
    if options.run and folds * options.seeds > 1:
        raise InputError("--run: expected with one seed and one fold only, since several runs are named automatically")
    if options.devices > 1:
        from shared import devices  # starts Keras, as training does; the command line must not

        print(f"Each batch is shared by {', '.join(devices.start(options.devices))}", flush=True)
    planned = []
    for fold in range(folds):
        for seed in range(options.seeds):
            changed = {"seed": config.seed + seed} | ({"fold": first + fold} if folds > 1 else {})
            one = dataclasses.replace(config, **changed)
            command = settings.command(app, one, recipes)
            planned.append(Trial(app, one, command, options.run, options.fresh, options.devices))
    return planned


def unfinished(planned: list[Trial]) -> Iterator[tuple[Any, Run]]:
    """Yields the settings and run of each unfinished trial, one by one, and prints which ones are finished.

    Raises:
        InputError: if a data file of a finished run has changed; that of the others is checked when they begin.
    """
    for number, trial in enumerate(planned, 1):
        run = trial.run()
        if len(planned) > 1:
            print(f"\n--- run {number} of {len(planned)}: {run.path.name} ---", flush=True)
        if run.finished():
            run.check_files()
            print(f"{run.path} is finished; --fresh trains it again.")
        elif trial.devices == 1:
            yield trial.config, run
        else:
            from shared import devices

            with devices.used(trial.devices):
                yield trial.config, run


def summary(found: list[Run]) -> list[dict[str, Any]]:
    """Averages the records of finished runs that differ only in seed or fold: over seeds, then over folds."""
    parts: dict[Any, list[list[dict[str, Any]]]] = {}
    for run in sorted(found, key=lambda run: (run.config.get("fold", 0), run.config.get("seed", 0))):
        parts.setdefault(run.config.get("fold"), []).append(run.metrics())
    seeds = max(len(records) for records in parts.values())
    means = [results.mean(records, "seeds") for records in parts.values()]
    merged = results.mean(means, "folds") if len(means) > 1 else means[0]
    repeated = {"seeds": seeds, "folds": len(parts)}
    more = "".join(f" --{name} {count}" for name, count in repeated.items() if count > 1)
    return [record | {"command": record["command"] + more} for record in merged]


def finished(planned: list[Trial]) -> list[Run]:
    """Returns the runs of a completed plan."""
    return [dataclasses.replace(trial, fresh=False).run() for trial in planned]


def siblings(run: Run) -> list[Run]:
    """Returns all finished runs that differ from this one only in seed or fold, including itself."""
    found = []
    for path in sorted(run.path.parent.glob("[!.]*/metrics.json")):
        other = runs.find(run.app, path.parent.name)
        if _without_chance(other.config) == _without_chance(run.config):
            found.append(other)
    return found


def _without_chance(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in CHANCE}


def same_for_every_seed(load: Callable[[Any], Loaded]) -> Callable[[Any], Loaded]:
    """Decorator that caches the last result of `load(config)` for calls whose settings differ only in the seed.

    The data is loaded again if a file or folder that the settings name has changed.
    """
    kept: list[Any] = []  # settings, states of the files, what was loaded

    @functools.wraps(load)
    def loaded(config: Any) -> Loaded:
        same = dataclasses.replace(config, seed=0)
        if not kept or kept[0] != same or kept[1] != _states(same):
            kept.clear()  # two data sets may not fit in memory
            found = load(config)
            kept[:] = [same, _states(same), found]  # only after loading: a wrong folder could be the whole disk
        return kept[2]

    return loaded


def _states(config: Any) -> list[tuple[str, int, int]]:
    """Returns the modification time and size of each file that the settings name, directly or by its folder."""
    files = (file for path in runs.named_files(vars(config)).values() for file in files_of(path))
    return [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]
