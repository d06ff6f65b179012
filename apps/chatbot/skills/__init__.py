"""The assistant's skills. A skill is a decorated function; the network learns the patterns of all skills.

    @skill(
        "a recipe for {dish}", "how do i cook {dish}",  # with six or more, valid and test get different ones
        values={"dish": ["soup", "rice", "apple pie"]},  # possible values of {dish}
        asks={"dish": "A recipe for what?"},             # question if it is missing; other slots are optional
        strict=True,                                     # query numbers or times that are not in any slot
        whole=True,                                      # query any word of a question that no pattern has
    )
    def give_recipe(slots, world):
        return f"Boil the {slots['dish']}."

A skill that deletes or sends something returns `Confirm(question, yes)`, so that it happens only after a yes.
With such a function in your own file, `train --skills FILE` learns it and `chat` calls it.
"""

import dataclasses
import datetime
import importlib
import importlib.util
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import regex

from shared import InputError, MissingFileError

if TYPE_CHECKING:
    from ..memory import Entry, Memory

BUILT_IN = ("clock", "calculator", "units", "timers", "alarms", "reminders", "notes", "chance", "manners")
SLOT = regex.compile(r"\{(\w+)\}")  # slot in a pattern; `re` would end the name at a combining mark, as in Hindi


class CannotDo(Exception):
    """A skill's polite refusal or question; its text is the answer.

    Args:
        text: the answer. slot: the slot that the next message fills, if this is a question.
        keeps: whether the slot keeps its previous value; the next message is then added as a second line.
    """

    def __init__(self, text: str, slot: str = "", keeps: bool = False) -> None:
        super().__init__(text)
        self.slot, self.keeps = slot, keeps


@dataclasses.dataclass(frozen=True)
class Confirm:
    """A skill's answer before it deletes something: a yes or no question, and what to do after yes.

    `yes` returns the answer. After any other message nothing is done.
    """

    question: str
    yes: Callable[[], str]


def local_now() -> datetime.datetime:
    """Returns the local time with the zone's rules, since times beyond a clock change have a different offset."""
    import tzlocal
    from dateutil import tz

    try:
        return datetime.datetime.now(tzlocal.get_localzone())
    except zoneinfo.ZoneInfoNotFoundError:  # TZ holds rules instead of a zone name, which dateutil can read
        return datetime.datetime.now(tz.tzlocal())


@dataclasses.dataclass
class World:
    """The resources that skills may use: memory, random numbers, the list of skills, and the time.

    `last`: the entries (kind, entry) that were added or listed last, to which "cancel it" refers. `said`: the message.
    """

    memory: "Memory"
    random: np.random.Generator
    skills: Mapping[str, "Skill"]
    now: Callable[[], datetime.datetime] = local_now
    last: list[tuple[str, "Entry"]] = dataclasses.field(default_factory=list)
    said: str = ""


@dataclasses.dataclass(frozen=True)
class Skill:
    """A function (slots, world) -> answer or `Confirm`, the patterns that trigger it, and questions for missing slots.

    `strict`: a number or time in a request that is in none of its slots is queried rather than ignored. `whole`: so is
    any other word after the start of a question that is not expected there, see `strangers`.
    """

    name: str
    run: Callable[[dict[str, str], World], str | Confirm]
    patterns: tuple[str, ...]
    values: dict[str, Sequence[str]]
    asks: dict[str, str]
    strict: bool = False
    whole: bool = False

    def slots(self) -> set[str]:
        """Returns the names of all slots in the patterns."""
        return {name for pattern in self.patterns for name in SLOT.findall(pattern)}


_REGISTRY: dict[str, Skill] = {}


def skill(
    *patterns: str,
    values: Mapping[str, Sequence[str]] | None = None,
    asks: Mapping[str, str] | None = None,
    strict: bool = False,
    whole: bool = False,
) -> Callable:
    """Registers a function (slots, world) -> answer as a skill; its name is the intent. For the rest see `Skill`."""

    def register(function: Callable[[dict[str, str], World], str | Confirm]) -> Callable:
        name = function.__name__
        _REGISTRY[name] = Skill(name, function, patterns, dict(values or {}), dict(asks or {}), strict or whole, whole)
        return function

    return register


def known(own: str = "") -> dict[str, Skill]:
    """Returns all skills by name: the built-in ones, and those of the Python file `own`.

    Raises:
        InputError: the file is missing or cannot be run; the message gives the reason.
    """
    for module in BUILT_IN:
        importlib.import_module(f"{__package__}.{module}")
    if not own:
        return {name: each for name, each in _REGISTRY.items() if each.run.__module__ != _OWN}
    check_own(own)
    path = Path(own)
    spec: Any = importlib.util.spec_from_file_location(_OWN, path)
    if spec is None:
        raise InputError(f"--skills: expected a Python file, its name ending in .py. Received: {path}")
    try:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except Exception as error:  # the user's file may raise anything
        raise InputError(f"--skills: {path} cannot be run: {type(error).__name__}: {error}.") from error
    return dict(_REGISTRY)


def check_own(own: str) -> None:
    """Raises MissingFileError if the --skills file does not exist."""
    if own and not Path(own).is_file():
        raise MissingFileError(f"--skills: expected a Python file. There is none at {own}.")


# Module name of the user's file, in the app's package: `from .skills import skill` there means the app that loads it.
_OWN = f"{__package__.rpartition('.')[0]}.own_skills"
