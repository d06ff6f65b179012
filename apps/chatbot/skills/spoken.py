"""Extracts complete slot values from a request, even if the network marked only some of their words.

A sign, number or time next to a value belongs to it: in "minus 10 celsius" the slot value 10 becomes -10. Those that
belong to no value are not ignored, see `check`.
"""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Protocol

import regex

from ..tokens import LETTERS, SIGN, composed
from . import CannotDo, Skill, calculator, dates, durations, holidays, numerals, places, quantities, times, when
from .reader import shortened
from .strangers import strangers

_WORD = regex.compile(rf"{LETTERS}(?:'{LETTERS})?", regex.V1)
_TOKEN = regex.compile(rf"[0-9]+(?:[.,:][0-9]+)*|{_WORD.pattern}|{SIGN}", regex.V1)
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
SIGNS = {*numerals.SIGNS, "+", "plus", *DASHES}
OF_UNITS = {"square", "cubic", "squared", "cubed", "per", "degrees", "degree", "fluid", "imperial", "'", '"', "\u00b0"}
# Words that belong to a value of each slot if they are adjacent to it.
BESIDE = {
    "amount": numerals.WORDS | quantities.WORDS | SIGNS,
    "unit": numerals.WORDS | durations.WORDS | OF_UNITS,
    "target": durations.WORDS | OF_UNITS,
    "expression": calculator.WORDS | SIGNS | set("*/+^%()\u00d7\u00f7\u221a"),
    "duration": numerals.WORDS | durations.WORDS | SIGNS,
    "moment": (numerals.WORDS - SIGNS) | when.BESIDE | dates.MONTH.keys() | dates.WEEKDAY.keys(),
    "count": numerals.WORDS | SIGNS,
    "sides": numerals.WORDS | SIGNS,
    "city": {"+", *DASHES},
}
# If a skill lacks the first slot but has the second one, a bare number or unit may fill the latter.
ALSO = (("target", "unit"), ("unit", "target"), ("duration", "moment"), ("moment", "duration"))
AFTER_ONLY = ("unit", "target", "city")  # a number before these is a separate value
# Words that may separate a value from more of it.
BETWEEN = {"a", "an", "and", "the", "of", "at", "on", "in", "to", "by", "over", "less", "oh", "x", ",", ":", ".", "/"}
# What may come after a note, at the end of a message.
_LIST = r"(?:\s*,\s*|\s+)(?:to|on|onto|in|into|from|off|out of) (?:my|the|our)(?: \w+){0,3}? (?:notes?|lists?|memos?)"
_THANKS = r"(?:\s*,\s*|\s+)(?:please|thanks|thank you|for me|if you can|would you|will you|any ?more|any longer)"
_BOUGHT = r"\s*,\s*(?:remove|take|cross|delete|strike) it\b.*"
_AFTER_NOTE = re.compile(
    rf"(?:{_LIST}(?: now| right now| quickly| ok| if possible)?|{_THANKS}|{_BOUGHT})*[ .?!]*$", re.IGNORECASE
)
MOST_BETWEEN = 3
LONGEST_PLACE = 4  # words of the name of a place
NOT_FIRST = ("of", "to")  # part of an expression, but not at its start: the result of 15% of 80
# Words that change the meaning of a request, and must not be ignored if they are in no slot.
HEEDED = frozenset().union(
    numerals.WORDS - {"one", "point"} - SIGNS,
    dates.WORDS - {"day", "week", "coming"},
    times.WORDS,
    durations.WORDS - {"day", "week"},
    holidays.WORDS,
    quantities.WORDS - {"degree", "degrees"},
    {"minus", "negative", "plus", "square", "squared", "cubic", "cubed", "per", "percent"},
    {"not", "don't", "never", "except", "every", "each", "daily", "weekly", "ago", "until", "twice", "double"},
    {"cancel", "stop", "delete", "remove", "clear", "undo"},
)
GREETINGS = {"morning", "afternoon", "evening", "night"}  # after "good"


class Slot(Protocol):
    """A slot as found by the network: its name and its words."""

    name: str
    value: str


@dataclass
class Span:
    """The position of a slot in a request, in tokens; `last` is the token after it."""

    name: str
    first: int
    last: int


class Spoken:
    """A request and the positions of its slots, each extended by the adjacent words that belong to it."""

    def __init__(self, message: str, slots: Iterable[Slot]) -> None:
        self.message = composed(message)
        self.tokens = list(_TOKEN.finditer(self.message))
        self.words = [token[0].lower() for token in self.tokens]
        self.given = [(slot.name, composed(slot.value)) for slot in slots]
        self.spans = self._located()
        self._hand_over_articles()
        self.complete = len(self.spans) == len(self.given)
        for span in self.spans:
            self._grow(span)

    def values(self) -> dict[str, str]:
        """Returns the slots' words by name. Several slots of one name are joined, for the skill to parse or reject."""
        if not self.complete:
            return {name: " ".join(value for other, value in self.given if other == name) for name, _ in self.given}
        found: dict[str, str] = {}
        for name in dict.fromkeys(span.name for span in self.spans):
            spans = [span for span in self.spans if span.name == name]
            between = range(spans[0].last, spans[-1].first)
            apart = any(other.first in between for other in self.spans if other.name != name)
            whole = [self._said(spans[0].first, spans[-1].last)]
            found[name] = " ".join([self._said(span.first, span.last) for span in spans] if apart else whole)
        return found | self._quantity(found)

    def check(self, skill: Skill) -> None:
        """Raises CannotDo for a number, sign or time that is neither in a slot nor in the skill's patterns.

        A slot that the skill does not have is treated as no slot, since its value would be ignored.
        """
        if not skill.strict or not self.complete:
            return
        usual, free = self._usual(skill), self._free(skill)
        strange = strangers(self.words, free, usual) if skill.whole else []
        left = [
            place
            for place in free
            if place in strange
            or self._heeded(place, usual)
            or self._after_in(place, skill, usual)
            or self._unused(place, usual)
        ]
        if left:
            words = " ".join(self.tokens[place][0] for place in left)
            raise CannotDo(f"I did not understand {shortened(words)!r} in that. Please say it in other words.")

    def keep_text(self, skill: Skill) -> None:
        """Extends a note to the end of the message, less what only says where to put it: "to my list, please".

        The network may end it early, or take words of it for other slots: remember that my bike is in the garage.
        """
        notes = [span for span in self.spans if span.name == "note"]
        if not notes or not self.complete or "note" not in skill.slots():
            return
        note, after = notes[0], _AFTER_NOTE.search(self.message, self.tokens[notes[0].first].end())
        end = after.start() if after else len(self.message)
        inside = [place for place, token in enumerate(self.tokens) if token.end() <= end]
        note.last = max([notes[-1].last, *(place + 1 for place in inside)])
        while note.first and (self._number(note.first - 1) or self.words[note.first - 1] in numerals.SMALL):
            note.first -= 1
        self.spans = [span for span in self.spans if span is note or not note.first <= span.first < note.last]
        self.given = [(span.name, self._said(span.first, span.last)) for span in self.spans]

    def find_place(self, skill: Skill) -> None:
        """Uses a large city, a country or a zone outside of all slots as the city that the skill needs."""
        if not self.complete or "city" not in skill.slots():
            return
        for span in [span for span in self.spans if span.name == "city"]:
            self._cut_times(span)
        self.given = [(span.name, self._said(span.first, span.last)) for span in self.spans]
        if cities := [span for span in self.spans if span.name == "city"]:
            self._widen(cities[0], skill)
            return
        usual, free = self._usual(skill), set(self._free(skill))
        for length in (3, 2, 1):
            for first in range(len(self.words) - length + 1):
                said = self._said(first, first + length)
                if (
                    free.issuperset(range(first, first + length))
                    and said.lower() not in usual
                    and places.is_well_known(said)
                ):
                    self.spans.append(Span("city", first, first + length))
                    self._grow(self.spans[-1])
                    return

    def _cut_times(self, city: Span) -> None:
        """Makes the time at the end of a city a moment: of "rome tomorrow" only "rome" is a place."""
        last = city.last
        while city.first < city.last and self.words[city.last - 1] in when.WORDS and not self._is_place(city):
            city.last -= 1
        if city.last < last:
            self.spans.insert(self.spans.index(city) + 1, Span("moment", city.last, last))
        if city.first == city.last:
            self.spans.remove(city)

    def _is_place(self, city: Span) -> bool:
        name = self._said(city.first, city.last)
        return places.is_well_known(name) or (" " in name and places.plain(name) in places.index())

    def _widen(self, city: Span, skill: Skill) -> None:
        """Extends a city to the longest name of a place around it: in "new york" only "new" may be marked."""
        allowed = {*self._free(skill), *range(city.first, city.last)}
        usual = self._usual(skill) - set(self.words[city.first : city.last])
        for length in range(LONGEST_PLACE, city.last - city.first, -1):
            for first in range(max(0, city.last - length), city.first + 1):
                inside = range(first, first + length)
                if not allowed.issuperset(inside) or usual & {self.words[place] for place in inside}:
                    continue
                ends = self.words[inside[0]], self.words[inside[-1]]
                if (
                    all(word[0].isalnum() for word in ends)
                    and places.plain(self._said(first, first + length)) in places.index()
                ):
                    city.first, city.last = first, first + length
                    return

    def _usual(self, skill: Skill) -> set[str]:
        return set(_WORD.findall(composed(" ".join(skill.patterns))))

    def _free(self, skill: Skill) -> list[int]:
        """Returns the positions that are in no slot of the skill."""
        used = skill.slots()
        used |= {name for name, other in ALSO if other in used}
        taken = self._taken(used)
        return [place for place in range(len(self.words)) if place not in taken]

    def _taken(self, names: Container[str] | None = None) -> set[int]:
        """Returns the positions of the slots with these names, or of all slots."""
        spans = [span for span in self.spans if names is None or span.name in names]
        return {place for span in spans for place in range(span.first, span.last)}

    def _unused(self, place: int, usual: set[str]) -> bool:
        """Returns whether a word that is free for the skill is in another slot, and therefore has a meaning."""
        word = self.words[place]
        return place in self._taken() and word not in usual and word not in BETWEEN

    def _after_in(self, place: int, skill: Skill, usual: set[str]) -> bool:
        """Returns whether the word may be an unknown place: in Xyzzy, in the Xyzzy."""
        before = [word for word in self.words[max(0, place - 2) : place] if word != "the"][-1:]
        word = self.words[place]
        return "city" in skill.slots() and before == ["in"] and word.isalpha() and word not in usual

    def _hand_over_articles(self) -> None:
        """Moves the article in "to call anna the | day after tomorrow" from the task to the day."""
        for before, after in zip(self.spans, self.spans[1:], strict=False):
            borders = before.last == after.first and before.last - before.first > 1
            if (
                borders
                and before.name not in BESIDE
                and after.name == "moment"
                and self.words[before.last - 1] == "the"
            ):
                before.last, after.first = before.last - 1, after.first - 1

    def _located(self) -> list[Span]:
        """Returns the positions of the slots, in order; slots that are not found as whole words are left out."""
        spans, start = [], 0
        for name, value in self.given:
            for match in re.finditer(re.escape(value), self.message[start:]):
                first, last = match.start() + start, match.end() + start
                inside = [n for n, token in enumerate(self.tokens) if first <= token.start() and token.end() <= last]
                if inside and self.tokens[inside[0]].start() == first and self.tokens[inside[-1]].end() == last:
                    spans.append(Span(name, inside[0], inside[-1] + 1))
                    start = last
                    break
        return spans

    def _grow(self, span: Span) -> None:
        """Extends the value by the words on both sides that belong to it, and those in between."""
        taken = self._taken()
        for step in (1,) if span.name in AFTER_ONLY else (-1, 1):
            place, between = span.last if step > 0 else span.first - 1, 0
            while 0 <= place < len(self.tokens) and place not in taken and between <= MOST_BETWEEN:
                if self._belongs(place, span.name):
                    span.first, span.last, between = min(span.first, place), max(span.last, place + 1), 0
                elif self.words[place] in BETWEEN:
                    between += 1
                else:
                    break
                place += step
        while span.name == "expression" and self.words[span.first] in NOT_FIRST and span.last - span.first > 1:
            span.first += 1

    def _belongs(self, place: int, name: str) -> bool:
        """Returns whether the word can be part of such a value."""
        word = self.words[place]
        return name in BESIDE and (word in BESIDE[name] or self._number(place)) and self._says(place)

    def _heeded(self, place: int, usual: set[str]) -> bool:
        """Returns whether the word must not be ignored."""
        word = self.words[place]
        signed = word in DASHES and self._number(place + 1)
        return word not in usual and (signed or self._number(place) or word in HEEDED) and self._says(place)

    def _says(self, place: int) -> bool:
        """Returns whether the word has its literal meaning, unlike in "i am", "good morning" and "first tell me"."""
        word, before = self.words[place], self.words[place - 1] if place else ""
        if word in ("am", "pm"):
            return self._number(place - 1) or before in numerals.SMALL or before in (".", "o'clock")
        if word in dates.ORDINALS and word not in durations.WORDS:
            return before in ("the", "my") or before in dates.MONTH or before in numerals.TENS
        return not (word in GREETINGS and before == "good")

    def _number(self, place: int) -> bool:
        return 0 <= place < len(self.words) and self.words[place][0].isdigit()

    def _said(self, first: int, last: int) -> str:
        return self.message[self.tokens[first].start() : self.tokens[last - 1].end()]

    def _quantity(self, found: dict[str, str]) -> dict[str, str]:
        """Joins several amounts and units into one quantity: 5 feet 11 inches."""
        spans = [span for span in self.spans if span.name in ("amount", "unit")]
        if max(sum(span.name == name for span in spans) for name in ("amount", "unit")) < 2:
            return {}
        last = spans[-1]
        if last.name == "amount":
            return {"amount": self._said(spans[0].first, last.last), "unit": ""}
        return {"amount": self._said(spans[0].first, last.first), "unit": self._said(last.first, last.last)}
