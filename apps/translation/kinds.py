"""The kinds of built-in phrases: how their values are drawn, and how CLDR writes them in a language."""

import dataclasses
import datetime
import functools
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

FIRST_DAY, DAYS = datetime.date(1950, 1, 1), 36_524  # one hundred years, so that two-digit years are unambiguous
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800} | {
    "month": 2_592_000,
    "year": 31_536_000,
}
NAMES = {"day": ("days", range(7)), "month": ("months", range(1, 13))}


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of phrase.

    Attributes:
        weight: its relative frequency among all phrases; 0: only the values in `always`.
        value: draws a value, a tuple whose first item determines its split.
        write: value, style and locale -> phrase; if it raises an error, the language lacks that style.
        styles: the styles in which a value may be written. If two give the same source, the first one counts.
        typed: further styles, in which only the source is written, each with the style of its target.
        always: values that the training set has in every style, so that every name is learned.
    """

    weight: int
    value: Callable[[np.random.Generator], tuple]
    write: Callable[[tuple, str, Any], str]
    styles: tuple[str, ...] = ("",)
    typed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    always: tuple = ()


def kinds() -> dict[str, Kind]:
    """Returns all kinds of phrases by name."""
    languages, countries = _names()
    units, currencies = _units(), _currencies()
    alone = (*(((None, language),) for language in languages), *(((country, None),) for country in countries))
    days = tuple((name, number) for name, (_, numbers) in NAMES.items() for number in numbers)

    return {
        "date": Kind(
            5,
            lambda r: (_day(r),),
            _date,
            ("full", "long", "medium", "short", "yMd", "yMMMEd"),
            {"iso": "medium"},
        ),
        "day": Kind(2, lambda r: _of_any_year(_day(r)), _of_year, ("MMMMd", "MMMd", "MMMEd")),
        "month": Kind(1, lambda r: (_day(r).replace(day=1),), _date, ("yMMMM", "yMMM")),
        "name of a day or month": Kind(0, lambda r: days[0], _name, ("wide", "abbreviated"), always=days),
        "time": Kind(
            3,
            lambda r: (_minute(r), int(r.integers(60))),
            _time,
            ("short", "medium"),
            {"Hm": "short", "hm": "short", "Hms": "medium", "hms": "medium"},
        ),
        "relative time": Kind(
            2, lambda r: ((int(r.integers(1, 200)), _one_of(r, list(SECONDS))),), _relative, ("past", "future")
        ),
        "unit": Kind(
            5,
            lambda r: (_number(r), _one_of(r, units)),
            _unit,
            ("long", "short"),
            always=tuple((number, unit) for unit in units for number in (1, 5)),
        ),
        "currency": Kind(
            3,
            lambda r: _amount(r, currencies),
            _currency,
            always=tuple((5, currency) for currency in currencies),
        ),
        "price": Kind(
            5,
            lambda r: _amount(r, currencies),
            _price,
            ("standard", "bare"),
            {"after": "bare", "code": "bare", "code first": "bare"},
            tuple((5, currency) for currency in currencies),
        ),
        "language and country": Kind(
            5, lambda r: ((_one_of(r, countries), _one_of(r, languages)),), _language, always=alone
        ),
    }


def _one_of(random: np.random.Generator, choices: Any) -> Any:
    return choices[int(random.integers(len(choices)))]


def _amount(random: np.random.Generator, currencies: list[str]) -> tuple[float, str]:
    """Draws a number and a currency; a whole one if the currency has no decimals, as the yen."""
    from babel.numbers import get_currency_precision

    number, currency = _number(random), _one_of(random, currencies)
    return number if get_currency_precision(currency) else int(number), currency


def _number(random: np.random.Generator) -> float:
    """Draws a number with 1 to 5 digits before the point and 0 to 2 after it, log-uniformly in size."""
    whole = int(math.exp(random.uniform(math.log(0.5), math.log(100_000))))
    digits = int(np.searchsorted((0.6, 0.75), random.random()))
    return round(whole + random.integers(1, 10**digits) / 10**digits, digits) if digits else whole


def _day(random: np.random.Generator) -> datetime.date:
    return FIRST_DAY + datetime.timedelta(days=int(random.integers(DAYS)))


def _of_any_year(day: datetime.date) -> tuple:
    """Returns a value whose split is that of the day and month, whatever the year, which gives the weekday."""
    return (day.month, day.day), day


def _minute(random: np.random.Generator) -> int:
    """Draws a minute of the day; a third of them are quarters of an hour."""
    minute = int(random.integers(1440))
    return minute // 15 * 15 if random.random() < 1 / 3 else minute


def _date(value: tuple, style: str, locale: Any) -> str:
    """Writes a date in one of CLDR's four lengths, by a skeleton such as yMMMM, or as in ISO 8601."""
    from babel import dates

    (day,) = value
    if style == "iso":
        return day.isoformat()
    if style in locale.date_formats:
        return dates.format_date(day, style, locale)
    return dates.format_skeleton(style, day, fuzzy=False, locale=locale)


def _of_year(value: tuple, style: str, locale: Any) -> str:
    return _date(value[1:], style, locale)


def _name(value: tuple, style: str, locale: Any) -> str:
    """Names a day of the week or a month."""
    name, number = value
    return getattr(locale, NAMES[name][0])["stand-alone"][style][number]


def _time(value: tuple, style: str, locale: Any) -> str:
    """Writes a time of day as the locale does, or by a skeleton with 24 (H) or 12 hours (h)."""
    from babel import dates

    minute, second = value
    time = datetime.time(minute // 60, minute % 60, second)
    if style in locale.time_formats:
        return dates.format_time(time, style, locale=locale)
    return dates.format_skeleton(style, time, fuzzy=False, locale=locale)


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
    """Writes an amount with the name of the currency, and with the decimals that it has: "15 euros"."""
    from babel.numbers import format_currency

    number, currency = value
    return format_currency(number, currency, locale=locale, format_type="name", currency_digits=False)


def _price(value: tuple, style: str, locale: Any) -> str:
    """Writes an amount with the symbol of the currency: "€20.00", bare "€20", after "20€", code "20 EUR"."""
    from babel.numbers import format_currency

    number, currency = value
    if style == "standard":
        return format_currency(number, currency, locale=locale)
    usual = re.sub(r"0\.00", "0.##", locale.currency_formats["standard"].pattern)
    pattern = {"bare": usual, "after": "#,##0.##¤", "code": "#,##0.## ¤¤", "code first": "¤¤ #,##0.##"}[style]
    return format_currency(number, currency, pattern, locale=locale, currency_digits=False)


def _language(value: tuple, style: str, locale: Any) -> str:
    """Names a language as spoken in a country; only one of the two if the other is None."""
    ((country, language),) = value
    if country is None or language is None:
        return locale.territories[country] if language is None else locale.languages[language]
    return f"{locale.languages[language]} ({locale.territories[country]})"


@functools.cache
def _names() -> tuple[list[str], list[str]]:
    """Returns the two-letter codes of languages and countries, which every locale names."""
    from babel import Locale

    english = Locale("en")
    languages = sorted(code for code in english.languages if len(code) == 2)
    return languages, sorted(code for code in english.territories if len(code) == 2 and code.isalpha())


@functools.cache
def _units() -> list[str]:
    """Returns units of measurement, except laboratory units and those that English abbreviates like something else.

    Those are the metric cup and pint, the picometer ("6 pm" is a time) and the decade ("1 dec" is a day).
    """
    from babel import Locale

    every = Locale("en").unit_display_names
    kinds = str.split("length mass area volume duration temperature speed energy power digital")
    alike = ("-metric", "-picometer", "-decade")
    return sorted(name for name in every if name.split("-")[0] in kinds and not name.endswith(alike))


def _currencies() -> list[str]:
    """Returns widely traded currencies."""
    return str.split("USD EUR JPY GBP CNY AUD CAD CHF HKD SGD SEK DKK THB NOK NZD INR MXN BRL ZAR TRY PLN")
