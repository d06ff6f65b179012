"""The options of `python -m apps`: its table, a new app, the runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional, arg

from shared.cli import Verbs


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


def verbs(words: Sequence[str]) -> Verbs:
    """Each verb with its default options and the function that does it."""
    del words
    return {
        "list": (Gallery(), "gallery:show"),
        "new": (New(), "new:new"),
        "runs": (Runs(), "runs:runs"),
    }
