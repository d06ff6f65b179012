"""Runs that differ only in seed or fold: planning them, skipping finished ones, and averaging their results."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from shared import InputError, results, runs, settings
from shared.fingerprint import files_of
from shared.runs import Run
from shared.settings import LARGEST_SEED, Count

Config = TypeVar("Config")
Loaded = TypeVar("Loaded")
CHANCE = ("seed", "fold")  # what runs of one training differ in


@dataclasses.dataclass(frozen=True)
class Seeds:
    """Which runs are trained."""

    # name of the run's folder; by default derived from the settings
    run: str | None = None
    # start over if a run of that name exists
    fresh: bool = False
    # number of runs, with seeds seed, seed + 1, ...; reports their mean and standard deviation
    seeds: Count = 1

    def __post_init__(self) -> None:
        """Refuses invalid values."""
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class Folds(Seeds):
    """The same for data that is split into folds."""

    # number of runs for each seed, with folds fold, fold + 1, ...; over all folds every example is tested on once
    folds: Count = 1


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training of a plan: its settings and how its run is opened."""

    app: str
    config: Any
    command: str
    name: str | None
    fresh: bool

    def run(self) -> Run:
        """The run, new or begun before."""
        return runs.start(self.app, dataclasses.asdict(self.config), self.name, self.fresh, self.command)


def plan(app: str, config: Any, recipes: Mapping[str, Any], options: Seeds, fold_count: int = 1) -> list[Trial]:
    """Every training that is asked for, fold by fold, refused as a whole if one cannot work.

    Args:
        config: with a `seed`, and with a `fold` if there are folds.
        fold_count: into how many folds the data is split.

    Raises:
        InputError: more folds or seeds than there are, or one run name for several runs.
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
    planned = []
    for fold in range(folds):
        for seed in range(options.seeds):
            changed = {"seed": config.seed + seed} | ({"fold": first + fold} if folds > 1 else {})
            one = dataclasses.replace(config, **changed)
            planned.append(Trial(app, one, settings.command(app, one, recipes), options.run, options.fresh))
    return planned


def unfinished(planned: list[Trial]) -> Iterator[tuple[Any, Run]]:
    """Settings and run of each training that is not finished, one after the other; says which ones are.

    Raises:
        InputError: a file of a finished one has changed; the data of the others is checked when they begin.
    """
    for number, trial in enumerate(planned, 1):
        run = trial.run()
        if len(planned) > 1:
            print(f"\n--- run {number} of {len(planned)}: {run.path.name} ---", flush=True)
        if run.finished():
            run.check_files()
            print(f"{run.path} is finished; --fresh trains it again.")
        else:
            yield trial.config, run


def summary(found: list[Run]) -> list[dict[str, Any]]:
    """The records of finished runs that differ in seed or fold alone, as means over seeds, and these over folds."""
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
    """The runs of a plan that has been carried out."""
    return [dataclasses.replace(trial, fresh=False).run() for trial in planned]


def siblings(run: Run) -> list[Run]:
    """All finished runs that differ from this one in seed or fold alone, itself among them."""
    found = []
    for path in sorted(run.path.parent.glob("[!.]*/metrics.json")):
        other = runs.find(run.app, path.parent.name)
        if _without_chance(other.config) == _without_chance(run.config):
            found.append(other)
    return found


def _without_chance(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in CHANCE}


def same_for_every_seed(load: Callable[[Any], Loaded]) -> Callable[[Any], Loaded]:
    """Keeps what `load(config)` gave last, for further calls whose settings differ in the seed alone.

    A file or folder that the settings name is read again when it has changed.
    """
    kept: list[Any] = []  # settings, states of the files, what was loaded

    @functools.wraps(load)
    def loaded(config: Any) -> Loaded:
        same = dataclasses.replace(config, seed=0)
        if not kept or kept[0] != same or kept[1] != _states(same):
            kept.clear()  # two data sets may not fit into memory
            found = load(config)
            kept[:] = [same, _states(same), found]  # only now: a folder that holds no data may be the whole disk
        return kept[2]

    return loaded


def _states(config: Any) -> list[tuple[str, int, int]]:
    """Time and size of each file that the settings name or that lies in a folder which they name."""
    files = (file for path in runs.named_files(vars(config)).values() for file in files_of(path))
    return [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]
