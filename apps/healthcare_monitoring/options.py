"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, settings
from shared.cli import Verbs
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import Fraction, chosen, one_of
from shared.trials import Folds

from . import sources
from .config import DEFAULT, RECIPES, Config


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with the baselines, and save it. Repeat the command to resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Folds = Folds()

    def check(self) -> None:
        """Raises InputError if a file is missing, before a backend is loaded."""
        sources.files_there(self.config)


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run, on its test patients or on others, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # CSV file with the measurements of other patients to evaluate on; by default the run's own test patients
    data: str | None = None
    # CSV file with their outcomes; by default outcomes.csv in the folder of --data
    outcomes: str | None = None
    # write the metrics, averaged over all runs that differ only in seed or fold, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects options that cannot be combined."""
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own test part")
        if self.outcomes and not self.data:
            raise InputError("--outcomes: expected with --data, whose patients had them")


@dataclass(frozen=True)
class CheckData(Report):
    """Say what is wrong with the data before training, and draw it; exit status 1 if results on it would mislead."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None

    def check(self) -> None:
        """Raises InputError if the data set is not available or the picture cannot be written."""
        super().check()
        sources.files_there(self.config)


@dataclass(frozen=True)
class Predict(OfRun):
    """Predict the risk of one or more patients, and show which variables raise it."""

    # CSV file with the columns time, variable, value, and patient if there are several
    records: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # number of variables to show for each patient; by default 5, or 0 for more than 20 patients
    reasons: int | None = None
    # also write a CSV file with the columns patient, risk, alarm: one row for each patient
    out: str | None = None
    # print JSON, one object for all patients of the file
    json: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        if self.reasons is not None and self.reasons < 0:
            raise InputError(f"--reasons: expected at least 0; received {self.reasons}")


@dataclass(frozen=True)
class Stream(OfRun):
    """Print the risk of one patient after each measurement, and raise an alarm."""

    # CSV file with the columns time, variable, value; - for standard input
    feed: Positional[str] = "-"
    # the run's name; by default the newest
    run: str | None = None
    # wait for lines appended to the file, until Ctrl-C
    follow: bool = False
    # risk at which the alarm is raised; by default the threshold chosen on validation patients at the ends of steps
    threshold: Fraction | None = None

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=chosen(RECIPES, words)), "check_data:check_data"),
        "predict": (Predict(), "predict:predict"),
        "stream": (Stream(), "monitor:stream", "monitor"),
        "serve": (Serve(), "serve:serve"),
    }
