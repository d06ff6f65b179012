"""Built-in data: phrases of the Unicode CLDR, included in babel, in any two of its languages.

A value (a date, a time of day, a number, a pair of names) is written in both languages, the source often as people
type it. Within a kind, each value belongs to a single split, in all its styles: valid and test values are never seen
in training, apart from the names they consist of. A number may be a price in one split and a size in another.
"""

from typing import Any

import numpy as np

from shared import InputError

from .kinds import Kind, kinds
from .typed import ways

SEED = 0
SIZES = {"train": 22_000, "valid": 500, "test": 1_000}
SHARES = {"train": 0.85, "valid": 0.05, "test": 0.1}  # shares of the values of each kind
TYPED = 0.5  # share of the sources that are written in another way than CLDR's, if there is one


def parts(source: str, target: str) -> dict[str, list[tuple[str, str, str]]]:
    """Generates the phrases of each split as (source, target, kind), always the same ones.

    Raises:
        InputError: babel does not know a locale.
    """
    locales = [locale(name) for name in (source, target)]
    random = np.random.default_rng(SEED)
    found: dict[str, list[tuple[str, str, str]]] = {part: [] for part in SIZES}
    every = kinds()
    total = sum(kind.weight for kind in every.values())
    for name, kind in every.items():
        wanted = {part: size * kind.weight // total for part, size in SIZES.items()}
        for part, phrases in _of_kind(name, kind, locales, wanted, random).items():
            found[part] += [(*both, name) for both in phrases]
    heldout = {source for part in ("valid", "test") for source, _, _ in found[part]}
    found["train"] = [phrase for phrase in found["train"] if phrase[0] not in heldout]
    return found


def locale(name: str) -> Any:
    """Returns the babel locale of that name. Raises InputError if there is none."""
    import babel

    try:
        return babel.Locale.parse(name, sep="-" if "-" in name else "_")
    except (ValueError, babel.UnknownLocaleError) as error:
        raise InputError(f"Expected a locale that babel knows, such as en, de, pt_BR, ja. Received: {name}") from error


def _of_kind(name: str, kind: Kind, locales: list, wanted: dict[str, int], random: np.random.Generator) -> dict:
    """Draws values until each split has the wanted number of different sources, or attempts run out."""
    found: dict[str, dict[str, str]] = {part: {} for part in wanted}
    styles = (*kind.styles, *kind.typed)
    for value in kind.always:
        for style in styles:
            if both := _written(kind, value, style, locales):
                found["train"] |= dict.fromkeys([*ways(name, both[0], locales[0]), both[0]], both[1])
    place: dict[Any, str] = {value[0]: "train" for value in kind.always}
    for _ in range(20 * sum(wanted.values())):
        if all(len(found[part]) >= count for part, count in wanted.items()):
            break
        value, style = kind.value(random), styles[int(random.integers(len(styles)))]
        if value[0] not in place:
            place[value[0]] = str(random.choice(list(SHARES), p=list(SHARES.values())))
        part = place[value[0]]
        if len(found[part]) < wanted[part] and (both := _written(kind, value, style, locales)):
            others = ways(name, both[0], locales[0]) if random.random() < TYPED else []
            source = others[int(random.integers(len(others)))] if others else both[0]
            found[part].setdefault(source, both[1])
    return {part: list(phrases.items()) for part, phrases in found.items()}


def _written(kind: Kind, value: tuple, style: str, locales: list) -> tuple[str, str] | None:
    """Writes a value in both languages; None if one has no such phrase, or an earlier style gives the same source.

    English writes "May 4, 2027" in two styles that German distinguishes: the translation is that of the first.
    """
    every = (*kind.styles, *kind.typed)
    source, target = locales
    one, other = _phrase(kind, value, style, source), _phrase(kind, value, kind.typed.get(style, style), target)
    earlier = (_phrase(kind, value, each, source) for each in every[: every.index(style)])
    return (one, other) if one and other and one not in earlier else None


def _phrase(kind: Kind, value: tuple, style: str, locale: Any) -> str:
    """Writes a value in a language; "" if it has no such phrase."""
    try:
        return kind.write(value, style, locale)
    except (KeyError, ValueError, AttributeError, TypeError):  # raised by babel if a language lacks a phrase
        return ""
