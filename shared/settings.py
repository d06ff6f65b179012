"""Settings of an app: ranges declared in field types, recipes, and the command line that reproduces the settings.

A setting is a field of a frozen dataclass whose type is one of those below, or `Annotated[str, *one_of(...)]`:

    # width of each recurrent layer
    units: Count = 48
"""

import dataclasses
import math
import operator
import shlex
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import numpy as np
import tyro
from annotated_types import Ge, Gt, Le, Lt

from shared import InputError
from shared.runs import training

Settings = TypeVar("Settings")

Count = Annotated[int, Ge(1)]
Whole = Annotated[int, Ge(0)]
LARGEST_SEED = 2**32 - 1  # the largest that NumPy and Keras accept
Seed = Annotated[int, Ge(0), Le(LARGEST_SEED)]
Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Lt(1)]  # such as a dropout rate or momentum, where 1 is invalid
Fraction = Annotated[float, Gt(0), Lt(1)]  # a nonempty part that leaves a nonempty rest
Top = Annotated[float, Gt(0), Le(1)]  # such as top_p in nucleus sampling

_RANGES: dict[type, tuple[str, Any, str]] = {
    Ge: ("ge", operator.ge, "at least {}"),
    Gt: ("gt", operator.gt, "more than {}"),
    Le: ("le", operator.le, "at most {}"),
    Lt: ("lt", operator.lt, "less than {}"),
}
_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


@dataclasses.dataclass(frozen=True)
class OneOf:
    """The allowed values of a setting."""

    values: tuple[Any, ...]


def one_of(values: Iterable[Any]) -> tuple[OneOf, Any]:
    """Restricts a setting to these values, which --help lists. Use as `Annotated[str, *one_of(VALUES)]`."""
    known = tuple(values)
    return OneOf(known), tyro.conf.arg(metavar="{" + ",".join(map(str, known)) + "}")


def check(settings: Any) -> None:
    """Checks all fields against the ranges in their types. Call it in `__post_init__`.

    Lists, which JSON makes of tuples, are converted back to tuples.

    Raises:
        InputError: if a value is invalid, e.g. "--units: expected at least 1; received 0".
    """
    hints = typing.get_type_hints(type(settings), include_extras=True)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, list):
            value = tuple(value)
            object.__setattr__(settings, field.name, value)
        if value is not tyro.MISSING:  # a required argument, before the command line is parsed
            _check_value(flag(field.name), value, hints[field.name])


def _check_value(name: str, value: Any, hint: Any) -> None:
    kind, *bounds = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, tuple):
            raise InputError(f"{name}: expected a list; received {value!r}")
        inner = typing.get_args(kind)[0]
        for each in value:
            _check_value(name, each, inner)
        return
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        if value is None:
            return
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
        if typing.get_origin(kind) is Annotated:
            kind, *bounds = typing.get_args(kind)
    if kind in _NAMES and not _is_a(value, kind):
        raise InputError(f"{name}: expected {_NAMES[kind]}; received {value!r}")
    choices = next((bound.values for bound in bounds if isinstance(bound, OneOf)), None)
    if choices is not None and value not in choices:
        raise InputError(f"{name}: expected one of {', '.join(map(str, choices))}; received {value!r}")
    ranges = [(bound, *_RANGES[type(bound)]) for bound in bounds if type(bound) in _RANGES]
    if not all(holds(value, getattr(bound, key)) for bound, key, holds, _ in ranges):
        said = " and ".join(text.format(getattr(bound, key)) for bound, key, _, text in ranges)
        raise InputError(f"{name}: expected {said}; received {value}")


def _is_a(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def changed(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Returns the settings with some values replaced, as a program gives them: by name, with Python's types.

    Raises:
        InputError: if there is no such setting, or a value is invalid.
    """
    known = [field.name for field in dataclasses.fields(settings)]  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(known)):
        raise InputError(f"Expected no options but {', '.join(known)}. Received: {', '.join(map(repr, unknown))}")
    return dataclasses.replace(settings, **values)  # type: ignore[type-var]


def flag(name: str) -> str:
    """Returns the command-line option of a setting: --batch-size for batch_size."""
    return "--" + name.replace("_", "-")


def recipe(recipes: Mapping[str, Settings], name: str | None, data: str) -> Settings:
    """Returns the default settings: the recipe called `name`, else the one for the data, else the first one.

    Raises:
        InputError: if there is no recipe called `name`.
    """
    if name and name not in recipes:
        raise InputError(f"--recipe: expected one of {', '.join(recipes)}; received {name!r}")
    return recipes[name] if name else recipes.get(data, next(iter(recipes.values())))


def chosen(recipes: Mapping[str, Settings], words: Sequence[str]) -> Settings:
    """Returns the recipe chosen by --recipe and --data in an unparsed command line: the defaults of all options."""
    return recipe(recipes, peek(words, "--recipe", ""), peek(words, "--data", ""))


def peek(words: Sequence[str], option: str, default: str) -> str:
    """Returns the value of an option in an unparsed command line; the last one if it occurs several times.

    Accepts both "--data X" and "--data=X".
    """
    value = default
    for number, word in enumerate(words):
        if word.startswith(f"{option}="):
            value = word.removeprefix(f"{option}=")
        elif word == option and number + 1 < len(words):
            value = words[number + 1]
    return value


def command(
    app: str,
    settings: Any,
    recipes: Mapping[str, Any],
    verb: str = "",
    leave_out: Collection[str] = (),
    **more: Any,
) -> str:
    """Returns the command line that gives these settings: --data, and each setting that differs from its recipe.

    Args:
        app: the app's folder name; "app/kind" for an additional network (see `shared.runs`).
        verb: the verb of the command. "": the one that trains the app.
        leave_out: settings to omit from the command.
        more: additional options, such as seeds=3.

    >>> import collections
    >>> kind = dataclasses.make_dataclass("Config", [("data", str), ("labels", tuple), ("tied", bool)])
    >>> command("toy", kind("my file", ("a", "b"), True), {"builtin": kind("builtin", (), False)}, seeds=3)
    "python -m apps.toy train --data 'my file' --labels a b --tied --seeds 3"
    """
    start = recipe(recipes, None, settings.data)
    fields = [field.name for field in dataclasses.fields(settings)]
    changed = {name: getattr(settings, name) for name in fields if getattr(settings, name) != getattr(start, name)}
    options = {"data": settings.data} | {name: value for name, value in changed.items() if name not in leave_out} | more
    words = [word for name, value in options.items() for word in _words(name, value)]
    start_words = ["python", "-m", f"apps.{app.partition('/')[0]}", verb] if verb else training(app).split()
    return shlex.join([*start_words, *words])


def _words(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [flag(name) if value else flag("no_" + name)]
    if isinstance(value, tuple):
        return [flag(name), *map(str, value)]
    text = str(value)
    # A value that begins with a dash would be parsed as an option.
    return [f"{flag(name)}={text}"] if text.startswith("-") else [flag(name), text]


def seed_of(seed: int | None, number: int) -> int | None:
    """Returns the seed of one of several inputs, counted from 0; the first one keeps the seed, None stays None.

    With one seed for all, equal random numbers would continue different texts in the same words. The seed of an input
    depends on its number only, not on how many there are.
    """
    if seed is None or number == 0:
        return seed
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
