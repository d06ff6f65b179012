"""Whether a message has exactly the form of one of a skill's patterns: then a doubt of the network does not matter."""

import functools
import re

from ..variation import AFTER, BEFORE
from . import SLOT, Skill

FREE_TEXT = ("note", "task")  # slots that any words fit
FEWEST = 2  # words outside of such a slot
MEANT = {"my": "(?:my|the|our)", "the": "(?:my|the|our)"}


def _any_of(phrases: list[str]) -> str:
    plain = {phrase.strip(" ,") for phrase in phrases}
    return "|".join(re.escape(phrase) for phrase in sorted(plain, key=len, reverse=True))


START, END = rf"(?:(?:{_any_of(BEFORE)})[\s,]+)*", rf"(?:[\s,]+(?:{_any_of(AFTER)}))*[\s.?!]*"
_POLITE = re.compile(START, re.IGNORECASE)


def form(skill: Skill, message: str) -> dict[str, str] | None:
    """Returns the value of the pattern's only slot, if any, by the pattern with the most words; None without one."""
    for names, found in _forms(skill.patterns):
        if match := found.fullmatch(message.strip()):
            return {name: match[1] for name in names}
    return None


@functools.cache
def _forms(patterns: tuple[str, ...]) -> list[tuple[list[str], re.Pattern]]:
    """Returns the slot and the expression of each pattern with at most one slot and enough words, the longest first."""
    found = []
    for pattern in patterns:
        names, bare = SLOT.findall(pattern), pattern[_POLITE.match(pattern).end() :]  # type: ignore[union-attr]
        count = len(re.findall(r"[\w']+", SLOT.sub("", bare)))
        least = FEWEST if {*names} & {*FREE_TEXT} else 1
        if len(names) <= 1 and count >= least:
            pieces = (_piece(word) for word in bare.replace(" :", ":").replace(" ,", ",").split())
            text = r"\s+".join(pieces).replace(r"\s+:", r":?\s*")
            found.append((count, names, re.compile(START + text + END, re.IGNORECASE)))
    return [(names, each) for _, names, each in sorted(found, key=lambda row: -row[0])]


def _piece(word: str) -> str:
    if SLOT.search(word):
        return SLOT.sub("(.+?)", word)
    mark = ",?" if word.endswith(",") else ":?" if word.endswith(":") else ""
    word = word.rstrip(",:")
    return MEANT.get(word, re.escape(word).replace("'", "'?")) + mark
