"""Words that change what is asked for: "what day is the concert" is not about today, nor "delete bob's notes" all."""

import difflib
import re
from collections.abc import Iterable, Sequence

from ..variation import AFTER, BEFORE
from . import dates

ASKING = frozenset(str.split("what which when how whats time date day days today's"))  # a question starts with these
DELETING = frozenset(str.split("delete clear remove erase forget drop cancel empty wipe throw get stop don't"))
ENDS = frozenset(",.;:!?")
ALIKE = 0.7  # least similarity of a misspelt word to one that is expected
# What people add to any question.
FILLING = frozenset(
    re.findall(r"\w+", " ".join((*BEFORE, *AFTER)))
    + str.split("again exactly actually anyway currently just really there over by at on of for to the a an me us")
    + str.split("about out moment present sir mate buddy dude assistant here this it its s tell rn pls plz thx")
)


def strangers(words: Sequence[str], free: Iterable[int], expected: set[str]) -> list[int]:
    """Returns the positions of words in no slot, after the start of the question or order, that nobody expects in it.

    Days of the week are never expected after what and which, though "is it monday today" is.

    Args:
        words: in lower case. free: the positions of words in no slot. expected: words of the skill's patterns.
    """
    starts = ASKING | (DELETING & expected)
    start = next((place for place, word in enumerate(words) if word in starts), len(words))
    end = next((place for place in range(start, len(words)) if words[place] in ENDS), len(words))
    known = expected - dates.WEEKDAY.keys() if start < len(words) and words[start].startswith("wh") else expected
    return [place for place in free if start <= place < end and _is_strange(words[place], known)]


def _is_strange(word: str, known: set[str]) -> bool:
    if not word[0].isalpha() or word in known or word in FILLING:
        return False
    return word in dates.WEEKDAY or not difflib.get_close_matches(word, known | FILLING, 1, ALIKE)
