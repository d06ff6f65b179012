"""Parses numbers as people say them: -7, 2.5, 1,200, minus twenty five, two and a half, 3 1/2, a dozen."""

import re
import unicodedata
from fractions import Fraction

from . import CannotDo
from .reader import Reader, whole

_ONES = str.split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = str.split("twenty thirty forty fifty sixty seventy eighty ninety")
ONES = {word: n for n, word in enumerate(_ONES)}
TENS = {word: 10 * n for n, word in enumerate(_TENS, 2)}
SMALL = ONES | TENS
LARGE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
FACTORS = (*LARGE, "hundred", "dozen")
BELOW = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
BELOW_SEVERAL = {"halves" if word == "half" else f"{word}s": below for word, below in BELOW.items()}
SIGNS = ("-", "minus", "negative")
ARTICLES = ("a", "an")
WORDS = frozenset([*SMALL, *FACTORS, *BELOW, *BELOW_SEVERAL, *SIGNS, "couple", "point"])

MOST = 10**300
TOO_LARGE = "That number is too large for me."
_INTEGER = re.compile(r"[0-9]+")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")


def number(text: str, slot: str = "amount") -> int | float:
    """Parses a text that consists of a single number.

    >>> number("minus two hundred and five"), number("1,200"), number("half a"), number("twelve hundred")
    (-205, 1200, 0.5, 1200)

    Raises:
        CannotDo: it has no number, more than one, or a word that is not part of a number.
    """
    found = whole(text, single, "a number", slot, "7, 2.5, 1,200 or twenty five")
    return int(found) if found == int(found) else float(found)


def single(reader: Reader) -> Fraction | None:
    """Parses a number with its sign; raises CannotDo if a second one follows: 10-15, two or three."""
    found = signed(reader)
    if found is None:
        return None
    start = reader.place
    if reader.take("-", "to", "or") and (other := reader.attempt(signed)) is not None:
        raise CannotDo(f"I heard two numbers, {said(found)} and {said(other)}. Which one is it?")
    reader.place = start
    return found


def signed(reader: Reader) -> Fraction | None:
    """Parses a number with an optional sign."""
    sign = reader.take(*SIGNS, "+", "plus")
    found = reader.attempt(unsigned)
    return None if found is None else -found if sign in SIGNS else found


def unsigned(reader: Reader) -> Fraction | None:
    """Parses a number as an amount: half a, three quarters of an, 3/4, 3 1/2, a, a couple of."""
    if (found := reader.attempt(_share)) is not None:
        return found
    if (found := reader.attempt(plain)) is not None:
        return found + (reader.attempt(_slash) or 0)  # 3 1/2
    if reader.phrase("a couple of", "couple of", "a couple", "couple"):
        return Fraction(2)
    return Fraction(1) if reader.take(*ARTICLES) else None


def plain(reader: Reader) -> Fraction | None:
    """Parses a number in arithmetic, where fractions are only in words: half a million, two and a half."""
    if (found := reader.attempt(_fraction)) is not None:
        return found * _factor(reader)
    found = reader.attempt(cardinal)
    if found is not None and (more := reader.attempt(and_fraction)) is not None:
        found = (found + more) * _factor(reader)
    if found is not None and found > MOST:
        raise CannotDo(TOO_LARGE)
    return found


def cardinal(reader: Reader) -> Fraction | None:
    """Parses two hundred and five thousand and seven, 1.5 million, two dozen, three point one four."""
    total: Fraction | None = None
    least = Fraction(0)
    while True:
        start = reader.place
        if total is not None:
            reader.take("and")
        group = reader.attempt(_group)
        scale = LARGE.get(reader.take(*LARGE), 1) if group is not None else 1
        if group is None or (total is not None and group * scale >= least):
            reader.place = start
            return total
        total, least = (total or 0) + group * scale, Fraction(scale)
        if scale == 1:
            return total


def and_fraction(reader: Reader) -> Fraction | None:
    """Parses the end of two and a half, or a symbol such as \u00bd right after a digit."""
    if reader.take("and"):
        return _fraction(reader)
    return _vulgar(reader) if reader.glued() else None


def _group(reader: Reader) -> Fraction | None:
    """Parses a group before thousand, million, ...: twelve hundred and five, a dozen, 1.5, two point five."""
    if reader.peek() in ARTICLES and reader.peek(1) in FACTORS:
        reader.take(*ARTICLES)
    if reader.peek() in FACTORS:
        found = Fraction(1)
    elif reader.take("point"):
        return _decimals(reader)
    elif (digits := _digits(reader)) is not None:
        found = digits
    elif (words := below_hundred(reader)) is not None:
        found = Fraction(words)
    else:
        return None
    if 0 < found < 100 and (found < 10 or found % 10) and reader.take("hundred"):
        return found * 100 + (reader.attempt(_rest) or 0)
    if reader.take("dozen"):
        return found * 12
    start = reader.place
    if found.denominator == 1 and reader.take("point"):
        if (decimals := _decimals(reader)) is not None:
            return found + decimals
        reader.place = start
    return found


def _rest(reader: Reader) -> Fraction | None:
    """Parses "and five", or 20, after a hundred."""
    reader.take("and")
    if (words := below_hundred(reader)) is not None:
        return Fraction(words)
    digits = _digits(reader)
    return digits if digits is not None and digits < 100 else None


def below_hundred(reader: Reader) -> int | None:
    """Parses a number below one hundred in words; the hyphen of twenty-five has no spaces around it."""
    tens = TENS.get(reader.take(*TENS))
    if tens is None:
        return ONES.get(reader.take(*ONES))
    hyphen = reader.peek() == "-" and reader.glued() and reader.glued(1)
    ones = ONES.get(reader.peek(1 if hyphen else 0), 0)
    if not 1 <= ones <= 9:
        return tens
    reader.place += 2 if hyphen else 1
    return tens + ones


def _digits(reader: Reader) -> Fraction | None:
    """Parses a number in digits; raises CannotDo if its notation differs between countries."""
    token = reader.peek()
    if not re.match(r"\.?[0-9]", token):
        return None
    if not (_PLAIN.fullmatch(token) or _GROUPED.fullmatch(token)):
        raise CannotDo(f"Which number is {token}? Please write one and a half as 1.5, and a thousand as 1000 or 1,000.")
    reader.place += 1
    found = Fraction(token.replace(",", ""))
    if reader.peek() == "e" and reader.glued() and reader.glued(1):  # 1e6
        sign = reader.peek(1) if reader.peek(1) in ("-", "+") else ""
        power = reader.peek(2 if sign else 1)
        if _INTEGER.fullmatch(power) and (not sign or reader.glued(2)):
            if len(power) > 3 or abs(int(power)) > 300:
                raise CannotDo(TOO_LARGE)
            reader.place += 3 if sign else 2
            return found * Fraction(10) ** int(sign + power)
    return found


def _decimals(reader: Reader) -> Fraction | None:
    """Parses "one four", or 14, after "point"."""
    digits = ""
    while _INTEGER.fullmatch(word := reader.peek()) or 0 <= ONES.get(word, -1) <= 9:
        digits += str(ONES.get(word, word))
        reader.place += 1
    return Fraction(int(digits), 10 ** len(digits)) if digits else None


def _fraction(reader: Reader) -> Fraction | None:
    """Parses half, a quarter, one third, three quarters, \u00bd."""
    if (found := _vulgar(reader)) is not None:
        return found
    count = reader.attempt(cardinal)
    if count is not None and count != 1:
        below = BELOW_SEVERAL.get(reader.take(*BELOW_SEVERAL))
        return None if below is None else count / below
    if count is not None or reader.take(*ARTICLES):
        return _part(reader.take(*BELOW))
    return _part(reader.take("half", "quarter"))


def _part(word: str) -> Fraction | None:
    return Fraction(1, BELOW[word]) if word else None


def _vulgar(reader: Reader) -> Fraction | None:
    word = reader.peek()
    if len(word) != 1 or not unicodedata.normalize("NFKC", word).count("\u2044"):
        return None
    reader.place += 1
    return Fraction(unicodedata.numeric(word)).limit_denominator(10)


def _factor(reader: Reader) -> int:
    """Parses "a million" in half a million; 1 if there is no such factor."""
    start = reader.place
    reader.take(*ARTICLES)
    word = reader.take(*FACTORS)
    if not word:
        reader.place = start
    return LARGE.get(word) or {"hundred": 100, "dozen": 12}.get(word, 1)


def _share(reader: Reader) -> Fraction | None:
    """Parses a fraction with the words that connect it to a unit: half an, three quarters of an, 3/4 of a."""
    found = reader.attempt(_slash)
    if found is None and (found := reader.attempt(_fraction)) is not None:
        found *= _factor(reader)
    if found is not None:
        reader.phrase("of a", "of an", "of the", "a", "an")
    return found


def _slash(reader: Reader) -> Fraction | None:
    """Parses 3/4 in digits."""
    above = _digits(reader) if reader.peek(1) == "/" else None
    below = _digits(reader) if above is not None and reader.take("/") else None
    if above is None or below is None:
        return None
    if not below:
        raise CannotDo("One cannot divide by zero.")
    return above / below


def said(value: float | Fraction, digits: int = 6) -> str:
    """Formats a number: six digits, thousands separators, no trailing zeros; very large or small ones as powers."""
    near = float(f"{float(value):.{digits}g}")
    if near and not 1e-4 <= abs(near) < 1e15:
        return f"{near:.{digits}g}"
    return f"{int(near):,}" if near == int(near) else f"{near:,}"
