"""What was found in a data set: a sentence and how grave it is; and the words for counts, shares and examples."""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from shared.data.wording import sized

OK, NOTE, WARNING, PROBLEM = LEVELS = ("ok", "note", "warning", "problem")
SHOWN = 60  # maximum characters of an example
NAMED = 3  # number of names in a list; the others are counted


class Finding(NamedTuple):
    """A sentence, and how grave what it says is: one of `LEVELS`."""

    level: str
    text: str


class Item(NamedTuple):
    """An example: the key that duplicates have in common, the example as shown, and its location for messages."""

    key: Hashable
    shown: str
    where: str = ""


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Returns the findings, the gravest first, otherwise in order."""
    return sorted(findings, key=lambda finding: -LEVELS.index(finding.level))


def counted(count: int, total: int, what: str) -> str:
    """Begins a sentence: "17 of 200 test texts (8.5 %) are"."""
    return f"{count:,} of {sized(total, what)} ({percent(count / total)}) {'is' if count == 1 else 'are'}"


def figure(value: float) -> str:
    """Writes a length with four significant digits, and a large one in full.

    >>> figure(54321), figure(2.34567)
    ('54,321', '2.346')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def having(count: int, total: int, what: str) -> str:
    """Begins a sentence: "3 of 7 columns have"."""
    return f"{count:,} of {sized(total, what)} {'has' if count == 1 else 'have'}"


def percent(share: float) -> str:
    """Writes a share with two significant digits, and with more where it would read as all.

    >>> percent(0.085), percent(0.5), percent(0.00004), percent(1995 / 2000)
    ('8.5 %', '50 %', '0.004 %', '99.8 %')
    """
    digits = 2
    while share < 1 and float(f"{100 * share:.{digits}g}") == 100:
        digits += 1
    return f"{float(f'{100 * share:.{digits}g}'):.{digits + 4}g} %"


def tenths(share: float) -> str:
    """Writes a share with one decimal, and with more where it would read as none or all.

    >>> tenths(0.9), tenths(0.9998)
    ('90.0 %', '99.98 %')
    """
    digits = 1
    while 0 < share < 1 and float(f"{100 * share:.{digits}f}") in (0, 100):
        digits += 1
    return f"{100 * share:.{digits}f} %"


def example(item: Item) -> str:
    """Names an example and its location."""
    text = " ".join(item.shown.split())
    shown = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
    return f"e.g. {item.where}: {shown!r}" if item.where else f"e.g. {shown!r}"


def named(names: Sequence[str]) -> str:
    """Lists a few names and counts the others."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
