"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional

from shared import settings
from shared.cli import Verbs
from shared.inspection import Report
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import Count, Seed, chosen, one_of
from shared.trials import Seeds

from .config import DEFAULT, RECIPES, Config

Arch = Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)]


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with the baseline, and save it. Repeat the command to resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run on its test sequences and compare it with the baseline."""

    # the run's name; by default the newest
    run: str | None = None
    # write the main metric, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False


@dataclass(frozen=True)
class CheckData(Report):
    """Say what is wrong with the data before training, and draw it; exit status 1 if results on it would mislead."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None


@dataclass(frozen=True)
class Predict(OfRun):
    """Apply a trained run to your own sequence, or to a newly generated one."""

    # copy: ten letters from a to h; digits: a row of the test part, or a text file of 64 numbers from 0 to 16
    input: Positional[str] = ""
    # adding: numbers from 0 to 1, separated by commas
    values: str = ""
    # adding: the two positions, counted from 0, whose values are to be added, separated by a comma
    markers: str = ""
    # copy: steps between message and answer; by default as in training
    lag: Count | None = None
    # random seed of the generated sequence, if you give none of your own; by default a new one each time
    seed: Seed | None = None
    # the run's name; by default the newest
    run: str | None = None
    # print JSON, one object with the answer and the expected one
    json: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)


@dataclass(frozen=True)
class Reach(OfRun):
    """Show how many steps back a trained run depends on its input, and plot its states and gates."""

    # the run's name; by default the newest
    run: str | None = None


@dataclass(frozen=True)
class Sweep:
    """Train every architecture at every length with the same number of parameters. Repeat the command to resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # architectures to compare; by default all
    archs: tuple[Arch, ...] = SEQUENCE_ARCHITECTURES
    # lengths to train at; by default those of the task
    lengths: tuple[Count, ...] = ()
    # number of runs of each, with seeds seed, seed + 1, ...; reports their mean and standard deviation
    seeds: Count = 1
    # start over if such runs exist
    fresh: bool = False
    # write the metrics to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    config = chosen(RECIPES, words)
    return {
        "train": (Train(config=config), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=config), "check_data:check_data"),
        "predict": (Predict(), "predict:predict"),
        "reach": (Reach(), "reach:reach"),
        "sweep": (Sweep(config=config), "sweep:sweep"),
        "serve": (Serve(), "serve:serve"),
    }
