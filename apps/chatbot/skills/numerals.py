"""Numbers as people say them: 7, 2.5, twenty five, two hundred and one, a dozen, half."""

import re

_ONES = str.split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = str.split("twenty thirty forty fifty sixty seventy eighty ninety")
SMALL = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
OTHER = {"a": 1, "an": 1, "half": 0.5, "dozen": 12, "couple": 2, "quarter": 0.25}
LARGE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
WORDS = {*SMALL, *LARGE, "dozen"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def number(text: str) -> float | int | None:
    """The number that the whole text says, None if it says none.

    >>> number("two hundred and five"), number("1,200"), number("half a"), number("blue")
    (205, 1200, 0.5, None)
    """
    total, group, seen = 0.0, 0.0, False
    for word in text.lower().replace("-", " ").split():
        if word in ("and", "of"):
            continue
        if _GROUPED.fullmatch(word):
            word = word.replace(",", "")
        if _NUMBER.fullmatch(word) and len(word) <= 30:
            value = float(word)
        elif word in SMALL or word in OTHER:
            value = SMALL.get(word, OTHER.get(word, 0))
        elif word in LARGE:
            group = (group or 1) * LARGE[word]
            if LARGE[word] > 100:
                total, group = total + group, 0.0
            seen = True
            continue
        else:
            return None
        if seen and group and (word in ("a", "an", "dozen")):  # half a, two dozen
            group *= 12 if word == "dozen" else 1
        else:
            group += value
        seen = True
    if not seen:
        return None
    total += group
    return int(total) if total == int(total) else total


def said(value: float) -> str:
    """A number as it is shown: no needless zeros, at most ten digits, thousands apart."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.6g}" if abs(value) < 1 else f"{float(f'{value:.10g}'):,}" if abs(value) < 1e15 else f"{value:.6e}"
