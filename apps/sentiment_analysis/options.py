"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError
from shared.cli import Verbs
from shared.data.early import read_early
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import chosen, one_of
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
        """Raises InputError if the data set is not available, before a backend is loaded."""
        sources.known(self.config.data)
        read_early(self.config.data, lambda: sources.read(self.config))


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run, on its test texts or on others, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # other labelled texts, named as in the training (a file needs the same columns); by default the run's test texts
    data: str = ""
    # write the metrics, averaged over all runs that differ only in seed or fold, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects options that cannot be combined."""
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own texts")


@dataclass(frozen=True)
class CheckData(Report):
    """Say what is wrong with the data before training, and draw it; exit status 1 if results on it would mislead."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None

    def check(self) -> None:
        """Raises InputError if the data set is not available or the picture cannot be written."""
        super().check()
        sources.known(self.config.data)


@dataclass(frozen=True)
class Predict(OfRun):
    """Predict the label of a text, with the probability of each label."""

    # the text, - for standard input, or a file: one text per line, or CSV, TSV, JSONL with the text column of training
    text: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # print JSON, one object on each line
    json: bool = False


@dataclass(frozen=True)
class Explain(OfRun):
    """Show how much each word contributed to the prediction, as coloured text and as a plot."""

    # the text itself
    text: Positional[str] = MISSING
    # the label to explain; by default the most probable one
    label: str | None = None
    # the run's name; by default the newest
    run: str | None = None
    # print JSON, one object with the effect of each word; no picture is drawn
    json: bool = False


@dataclass(frozen=True)
class Stream(OfRun):
    """Classify each line of standard input as it comes; print response times at the end."""

    # the run's name; by default the newest
    run: str | None = None


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
        "explain": (Explain(), "explain:explain"),
        "stream": (Stream(), "predict:stream"),
        "serve": (Serve(), "serve:serve"),
    }
