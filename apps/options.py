"""The options of the commands of `python -m apps`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional, arg

from shared import inspection, settings
from shared.cli import Verbs
from shared.settings import Count, NotNegative

ENGINES = ("here", "ray", "slurm")


@dataclass(frozen=True)
class Gallery:
    """List the apps and what each one does."""


@dataclass(frozen=True)
class New:
    """Copy an app and its tests, as a starting point for your own."""

    # name of the new app: lower-case letters, digits and _
    name: Positional[str] = MISSING
    # the app to copy
    source: Annotated[str, arg(name="from")] = MISSING
    # file or folder that the new app trains on by default; if not given, the built-in data
    data: str = ""

    def check(self) -> None:
        """Rejects nothing; `cli.main` calls this before a backend starts, and reading the data needs none."""
        inspection.without_backend()


@dataclass(frozen=True)
class Compare:
    """Train several architectures with the same data, schedule and number of parameters, and compare them. Repeat the
    command to resume: what is finished is not trained again.
    """

    # apps to compare on, or all
    app: tuple[str, ...] = MISSING
    # architectures to compare
    arch: tuple[str, ...] = ("lstm", "gru", "elman", "mingru")
    # number of runs of each, with seeds 1, 2, ...
    seeds: Count = 1
    # parameters of each network, embedding tables not counted: 200000, 200k or 1.5M; by default as in the app's recipe,
    # then sizes differ
    params: str = ""
    # data set or file to train on; by default each app's built-in data
    data: str = ""
    # further options for the train commands, as one string: --more="--epochs 3"
    more: str = ""
    # learning rates to try for each architecture, chosen on validation with one seed: 3 = the recipe's times 1/3, 1, 3
    tune: Count = 1
    # stop a training after this many minutes; its row then has only the validation figure so far, or none if not even
    # one epoch has ended; 0 = no limit
    minutes: NotNegative = 0
    # validation figure to which the seconds of training are counted; by default the best that all have reached
    # that are better than the best baseline
    quality: float | None = None
    # what carries out the trainings: this machine, one after the other, or a Ray or Slurm cluster whose machines see
    # the checkout, the data and the runs in the same folders; these need pip install -r apps/requirements-cluster.txt
    on: Annotated[str, *settings.one_of(ENGINES)] = "here"
    # what each training gets on Ray or Slurm, as one string: --resources="num_gpus=1" or "slurm_partition=gpu"
    resources: str = ""
    # only print the train commands, to run them on another machine or with a scheduler
    commands: bool = False
    # write the headline metrics to each app's results.json and README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)


@dataclass(frozen=True)
class Runs:
    """List the trained runs (data, architecture, headline metric, size, date), compare two of them, or delete one."""

    # list the runs of this app only; by default of all apps
    app: str = ""
    # two runs, as APP/NAME, whose settings and metrics to compare
    compare: tuple[str, ...] = ()
    # a run, as APP/NAME, to delete after confirmation
    delete: str = ""
    # delete without asking for confirmation
    yes: bool = False


@dataclass(frozen=True)
class Tables:
    """Regenerate the tables of results in README.md and in the model cards from the apps' results.json."""


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    del words
    return {
        "list": (Gallery(), "gallery:show"),
        "new": (New(), "new:new"),
        "compare": (Compare(), "compare:compare"),
        "runs": (Runs(), "runs:runs"),
        "tables": (Tables(), "tables:write"),
    }
