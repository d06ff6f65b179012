"""What the assistant can do. A skill is one decorated function; the network learns its patterns with all others.

@skill(
    "a recipe for {dish}", "how do i cook {dish}",  # six or more, and valid and test get some of their own
    values={"dish": ["soup", "rice", "apple pie"]},  # what may stand in {dish}
    asks={"dish": "A recipe for what?"},             # asked for where it is missing; a slot without is optional
    strict=True,                                     # a number or a time that no slot has is asked back
)
def give_recipe(slots, world):
    return f"Boil the {slots['dish']}."

Such a function in a file of your own, `train --skills FILE` learns it and `chat` calls it.
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
    from ..memory import Memory

BUILT_IN = ("clock", "calculator", "units", "timers", "reminders", "notes", "chance", "manners")
SLOT = regex.compile(r"\{(\w+)\}")  # of a pattern; `re` would end the name at a mark, as Hindi has them


class CannotDo(Exception):
    """A skill's polite refusal or question; its text is the answer.

    Args:
        text: what is said. slot: the slot that the next message answers for, if this is a question.
        keeps: whether what was given for the slot counts on; the next message is then a second line of its value.
    """

    def __init__(self, text: str, slot: str = "", keeps: bool = False) -> None:
        super().__init__(text)
        self.slot, self.keeps = slot, keeps


def local_now() -> datetime.datetime:
    """The time here, with the zone's rules: a moment on the other side of a clock change has another offset."""
    import tzlocal
    from dateutil import tz

    try:
        return datetime.datetime.now(tzlocal.get_localzone())
    except zoneinfo.ZoneInfoNotFoundError:  # TZ holds rules instead of a name, which the system's library reads
        return datetime.datetime.now(tz.tzlocal())


@dataclasses.dataclass
class World:
    """What skills may use: what is remembered, the time, chance, and what all skills can do."""

    memory: "Memory"
    random: np.random.Generator
    skills: Mapping[str, "Skill"]
    now: Callable[[], datetime.datetime] = local_now


@dataclasses.dataclass(frozen=True)
class Skill:
    """A function (slots by name, world) -> answer, the patterns that ask for it, and questions for missing slots.

    `strict`: a number or a time that stands in a request but in none of its slots is asked back, not passed over.
    """

    name: str
    run: Callable[[dict[str, str], World], str]
    patterns: tuple[str, ...]
    values: dict[str, Sequence[str]]
    asks: dict[str, str]
    strict: bool = False

    def slots(self) -> set[str]:
        """The names of all slots in the patterns."""
        return {name for pattern in self.patterns for name in SLOT.findall(pattern)}


_REGISTRY: dict[str, Skill] = {}


def skill(
    *patterns: str,
    values: Mapping[str, Sequence[str]] | None = None,
    asks: Mapping[str, str] | None = None,
    strict: bool = False,
) -> Callable:
    """Makes a function (slots, world) -> answer a skill; its name is the intent's. `strict`: see `Skill`."""

    def register(function: Callable[[dict[str, str], World], str]) -> Callable:
        name = function.__name__
        _REGISTRY[name] = Skill(name, function, patterns, dict(values or {}), dict(asks or {}), strict)
        return function

    return register


def known(own: str = "") -> dict[str, Skill]:
    """All skills by name: the built-in ones, and those of the Python file `own`.

    Raises:
        InputError: the file is missing, or cannot be run; the reason is named.
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
    except Exception as error:  # whatever the user's file may raise
        raise InputError(f"--skills: {path} cannot be run: {type(error).__name__}: {error}.") from error
    return dict(_REGISTRY)


def check_own(own: str) -> None:
    """Refuses a --skills that is not there."""
    if own and not Path(own).is_file():
        raise MissingFileError(f"--skills: expected a Python file. There is none at {own}.")


_OWN = "own_skills"  # the module's name of the user's file
