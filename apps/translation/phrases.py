"""Built-in data: phrases of the Unicode CLDR, included in babel, in any two of its languages.

A value (a date, a time of day, a number, a pair of names) is written in both languages. Within a kind, each value
belongs to a single split, in all its styles: valid and test values are never seen in training, apart from the names
they consist of. A number may be a price in one split and a size in another.
"""

import dataclasses
import datetime
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shared import InputError

SEED = 0
SIZES = {"train": 16_000, "valid": 400, "test": 1_000}
SHARES = {"train": 0.85, "valid": 0.05, "test": 0.1}  # shares of the values of each kind
PAST = ("past", "future")
FIRST_DAY, DAYS = datetime.date(1950, 1, 1), 36_524  # one hundred years, so that two-digit years are unambiguous
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of phrase.

    Attributes:
        weight: its relative frequency among all phrases.
        value: draws a value, a tuple whose first item determines its split.
        write: value, style and locale -> phrase; if it raises an error, the value is left out.
        styles: the styles in which a value may be written.
        always: values that the training set has in every style, so that every name is learned.
    """

    weight: int
    value: Callable[[np.random.Generator], tuple]
    write: Callable[[tuple, str, Any], str]
    styles: tuple[str, ...] = ("",)
    always: tuple = ()


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
        for part, phrases in _of_kind(kind, locales, wanted, random).items():
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


def _of_kind(kind: Kind, locales: list, wanted: dict[str, int], random: np.random.Generator) -> dict[str, list]:
    """Draws values until each split has the wanted number of different ones, or attempts run out."""
    found: dict[str, dict[tuple, tuple[str, str]]] = {part: {} for part in wanted}
    for value in kind.always:
        for style in kind.styles:
            if both := _written(kind, value, style, locales):
                found["train"][value, style] = both
    place: dict[Any, str] = {}
    for _ in range(20 * sum(wanted.values())):
        if all(len(found[part]) >= count for part, count in wanted.items()):
            break
        value, style = kind.value(random), kind.styles[int(random.integers(len(kind.styles)))]
        part = place.setdefault(value[0], str(random.choice(list(SHARES), p=list(SHARES.values()))))
        new = len(found[part]) < wanted[part] and (value, style) not in found[part]
        if new and (both := _written(kind, value, style, locales)):
            found[part][value, style] = both
    return {part: list(phrases.values()) for part, phrases in found.items()}


def _written(kind: Kind, value: tuple, style: str, locales: list) -> tuple[str, str] | None:
    """Writes a value in both languages; None if one has no such phrase, or leaves the style ambiguous.

    English writes "May 4, 2027" in two styles that German distinguishes, so the translation would be undetermined.
    """
    try:
        every = {each: tuple(kind.write(value, each, locale) for locale in locales) for each in kind.styles}
    except (KeyError, ValueError, AttributeError, TypeError):  # raised by babel if a language lacks a phrase
        return None
    one, other = every[style]
    if not one or not other or any(first == one and second != other for first, second in every.values()):
        return None
    return one, other


def kinds() -> dict[str, Kind]:
    """Returns all kinds of phrases by name."""
    languages, countries = _names()
    units, currencies = _units(), _currencies()
    alone = (*(((None, language),) for language in languages), *(((country, None),) for country in countries))

    def one_of(random: np.random.Generator, choices: Any) -> Any:
        return choices[int(random.integers(len(choices)))]

    return {
        "date": Kind(4, lambda r: (int(r.integers(DAYS)),), _date, ("short", "medium", "long", "full")),
        "time": Kind(2, lambda r: (int(r.integers(1440)), int(r.integers(60))), _time, ("short", "medium")),
        "relative time": Kind(2, lambda r: ((int(r.integers(2, 200)), one_of(r, list(SECONDS))),), _relative, PAST),
        "unit": Kind(
            5,
            lambda r: (_number(r), one_of(r, units)),
            _unit,
            ("long", "short"),
            tuple((number, unit) for unit in units for number in (1, 5)),
        ),
        "currency": Kind(
            5,
            lambda r: (_number(r), one_of(r, currencies)),
            _currency,
            ("name", "standard"),
            tuple((5, currency) for currency in currencies),
        ),
        "language and country": Kind(
            5, lambda r: ((one_of(r, countries), one_of(r, languages)),), _language, always=alone
        ),
    }


def _number(random: np.random.Generator) -> float:
    """Draws a number with 1 to 5 digits before the point and 0 to 2 after it, log-uniformly in size."""
    whole = int(math.exp(random.uniform(math.log(6), math.log(100_000))))
    return whole if random.random() < 0.6 else round(whole + random.integers(1, 100) / 100, 2)


def _date(value: tuple, style: str, locale: Any) -> str:
    from babel import dates

    (day,) = value
    return dates.format_date(FIRST_DAY + datetime.timedelta(days=day), style, locale)


def _time(value: tuple, style: str, locale: Any) -> str:
    from babel import dates

    minute, second = value
    return dates.format_time(datetime.time(minute // 60, minute % 60, second), style, locale=locale)


def _relative(value: tuple, style: str, locale: Any) -> str:
    from babel import dates

    ((number, unit),) = value
    delta = datetime.timedelta(seconds=number * SECONDS[unit] * (-1 if style == "past" else 1))
    return dates.format_timedelta(delta, unit, threshold=math.inf, add_direction=True, locale=locale)


def _unit(value: tuple, style: str, locale: Any) -> str:
    from babel.units import format_unit

    number, unit = value
    return format_unit(number, unit, style, locale=locale)


def _currency(value: tuple, style: str, locale: Any) -> str:
    from babel.numbers import format_currency

    number, currency = value
    return format_currency(number, currency, locale=locale, format_type=style)


def _language(value: tuple, style: str, locale: Any) -> str:
    """Names a language as spoken in a country; only one of the two if the other is None."""
    ((country, language),) = value
    if country is None or language is None:
        return locale.territories[country] if language is None else locale.languages[language]
    return f"{locale.languages[language]} ({locale.territories[country]})"


@functools.cache
def _names() -> tuple[list[str], list[str]]:
    """Returns the two-letter codes of languages and countries, which every locale names."""
    english = locale("en")
    languages = sorted(code for code in english.languages if len(code) == 2)
    return languages, sorted(code for code in english.territories if len(code) == 2 and code.isalpha())


@functools.cache
def _units() -> list[str]:
    """Returns units of measurement, except laboratory units, and metric cup and pint (ambiguous abbreviations)."""
    every = locale("en").unit_display_names
    kinds = str.split("length mass area volume duration temperature speed energy power digital")
    return sorted(name for name in every if name.split("-")[0] in kinds and not name.endswith("-metric"))


def _currencies() -> list[str]:
    """Returns widely traded currencies with hundredths: rounding to whole units could make two numbers equal."""
    return str.split("USD EUR DKK GBP CNY AUD CAD CHF HKD SGD SEK THB NOK NZD INR MXN BRL ZAR TRY PLN")
