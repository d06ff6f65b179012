"""The options of `python -m apps`: its table, a new app, architectures compared, the runs, the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional, arg

from shared import settings
from shared.cli import Verbs
from shared.settings import Count


@dataclass(frozen=True)
class Gallery:
    """List the apps, each with what it does."""


@dataclass(frozen=True)
class New:
    """Copy an app, with its tests, as the beginning of your own."""

    # the new app's name: small letters, digits and _
    name: Positional[str] = MISSING
    # the app to copy
    source: Annotated[str, arg(name="from")] = MISSING
    # your file or folder, which the new app trains on by default; without it the built-in data
    data: str = ""


@dataclass(frozen=True)
class Compare:
    """Train architectures with the same data, schedule and number of parameters, and compare them."""

    # the apps, or all
    app: tuple[str, ...] = MISSING
    # the architectures
    arch: tuple[str, ...] = ("lstm", "gru", "elman", "mingru")
    # how many trainings of each, with the seeds 1, 2, ...
    seeds: Count = 1
    # parameters of each network: 200000, 200k or 1.5M; by default those of the app's recipe, which differ
    params: str = ""
    # the data; by default each app's own
    data: str = ""
    # further options of the train commands, in one text: --more="--epochs 3"
    more: str = ""
    # print the commands of the trainings and train nothing, for another machine or a scheduler
    commands: bool = False
    # write the headline figures to each app's results.json and README
    record: bool = False

    def __post_init__(self) -> None:
        """Refuses what cannot work."""
        settings.check(self)


@dataclass(frozen=True)
class Runs:
    """List the trained runs: data, architecture, headline figure, size, date; or compare two, or delete one."""

    # of this app only; by default of all
    app: str = ""
    # two runs APP/NAME whose settings and figures are compared
    compare: tuple[str, ...] = ()
    # a run APP/NAME to delete, after a question
    delete: str = ""
    # delete without the question
    yes: bool = False


@dataclass(frozen=True)
class Tables:
    """Write the tables of measured figures in README.md and in the model cards again, from the apps' results.json."""


def verbs(words: Sequence[str]) -> Verbs:
    """Each verb with its default options and the function that does it."""
    del words
    return {
        "list": (Gallery(), "gallery:show"),
        "new": (New(), "new:new"),
        "compare": (Compare(), "compare:compare"),
        "runs": (Runs(), "runs:runs"),
        "tables": (Tables(), "tables:write"),
    }
