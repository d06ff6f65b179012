"""Numbers as people say them: 7, 2.5, twenty five, two hundred and one, a dozen, half."""

import re

_ONES = str.split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = str.split("twenty thirty forty fifty sixty seventy eighty ninety")
SMALL = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
OTHER = {"a": 1, "an": 1, "half": 0.5, "couple": 2, "quarter": 0.25}
LARGE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def number(text: str) -> float | int | None:
    """The number that the whole text says, None if it says none.

    >>> number("two hundred and five"), number("1,200"), number("half a"), number("blue")
    (205, 1200, 0.5, None)
    """
    words = [word for word in text.lower().replace("-", " ").split() if word not in ("and", "of")]
    if len(words) > 1:
        words = [word for word in words if word not in ("a", "an")]  # half a, a hundred
    total, group = 0.0, 0.0
    for word in words:
        if word in LARGE:
            group = (group or 1) * LARGE[word]
            if LARGE[word] >= 1000:
                total, group = total + group, 0.0
        elif word == "dozen":
            group = (group or 1) * 12
        elif (value := _single(word)) is None:
            return None
        else:
            group += value
    found = total + group
    return None if not words else int(found) if found == int(found) else found


def _single(word: str) -> float | None:
    """The number of one word, None if it is none."""
    if word in SMALL:
        return SMALL[word]
    if word in OTHER:
        return OTHER[word]
    if _GROUPED.fullmatch(word):
        word = word.replace(",", "")
    return float(word) if _NUMBER.fullmatch(word) and len(word) <= 30 else None


def said(value: float) -> str:
    """A number as it is shown: six digits, no needless zeros, thousands apart; very large or small ones as powers."""
    near = float(f"{value:.6g}")
    if near and not 1e-4 <= abs(near) < 1e15:
        return f"{near:.6g}"
    return f"{int(near):,}" if near == int(near) else f"{near:,}"
