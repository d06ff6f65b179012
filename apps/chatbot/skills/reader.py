"""Reads a value token by token: either every token is consumed, or the answer asks about the remaining ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import regex

from ..tokens import LETTERS, SIGN, composed
from . import CannotDo

LONGEST = 200  # maximum characters of a value
_TOKEN = regex.compile(rf"[0-9]+(?:[.,][0-9]+)*|\.[0-9]+|{LETTERS}(?:'{LETTERS})?|{SIGN}", regex.V1)
# Characters that look or mean alike; others become separate tokens, which no rule consumes.
_ALIKE = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u00d7\u22c5\u00b7", "*")
    | dict.fromkeys("\u00f7\u2215\u2044", "/")
    | dict.fromkeys("\u2018\u2019\u2032", "'")
    | dict.fromkeys("\u201c\u201d\u2033", '"')
    | {"\u00ba": "\u00b0", "\u00b5": "\u03bc"}
    | {"\u00b2": "^2", "\u00b3": "^3"}
)
_JOINED = regex.compile(r"(?<=[^\W_])-(?=[^\W\d_])|(?<=[^\W\d_])-(?=[^\W_])")
ENDS = ("please", "thanks", "thank", "you", "?", ".")  # meaningless at the end of an answer
Found = TypeVar("Found")


@dataclass(frozen=True)
class Token:
    """A token in lower case and in original spelling, and whether there is no space before it."""

    word: str
    raw: str
    glued: bool


class Reader:
    """The tokens of a value and the position of the first one not yet consumed.

    Args:
        arithmetic: read symbols as operators; by default a hyphen next to a letter joins words, and a final ! is cut.
    """

    def __init__(self, text: str, arithmetic: bool = False) -> None:
        self.text = " ".join(composed(text).split())
        unified = self.text.translate(_ALIKE)
        unified = unified if arithmetic else _JOINED.sub(" ", unified)
        found = list(_TOKEN.finditer(unified))
        before = [-1, *(match.end() for match in found)]
        self.tokens = [
            Token(match[0].lower(), match[0], match.start() == end) for match, end in zip(found, before, strict=False)
        ]
        ends = (*ENDS, "=" if arithmetic else "!")
        while self.tokens and self.tokens[-1].word in ends:
            self.tokens.pop()
        self.place = 0

    def peek(self, ahead: int = 0) -> str:
        """Returns the word of the next token, or of one further ahead; "" after the end."""
        place = self.place + ahead
        return self.tokens[place].word if place < len(self.tokens) else ""

    def glued(self, ahead: int = 0) -> bool:
        """Returns whether the token has no space before it."""
        place = self.place + ahead
        return place < len(self.tokens) and self.tokens[place].glued

    def take(self, *words: str) -> str:
        """Consumes the next token if it is one of these; returns it, or ""."""
        found = self.peek()
        if found not in words or not found:
            return ""
        self.place += 1
        return found

    def phrase(self, *phrases: str) -> str:
        """Consumes the first of these phrases that comes next; returns it, or ""."""
        for phrase in phrases:
            words = phrase.split()
            if [self.peek(ahead) for ahead in range(len(words))] == words:
                self.place += len(words)
                return phrase
        return ""

    def attempt(self, rule: Callable[["Reader"], Found | None]) -> Found | None:
        """Applies a rule; if it returns None, nothing is consumed."""
        start = self.place
        found = rule(self)
        if found is None:
            self.place = start
        return found

    def left(self) -> str:
        """Returns the remaining tokens as text."""
        return " ".join(token.raw for token in self.tokens[self.place :])


def whole(
    text: str, rule: Callable[[Reader], Found | None], kind: str, slot: str, example: str, arithmetic: bool = False
) -> Found:
    """Applies a rule that must consume the whole text.

    Args:
        rule: consumes what it understands and returns the value, None if there is none.
        kind: what is expected, such as "a duration". slot: the slot to ask for if it is not found.
        example: what could be said instead. arithmetic: see `Reader`.

    Raises:
        CannotDo: there is no value, or tokens are left over; the message gives them.
    """
    if len(text) > LONGEST:
        raise CannotDo(f"That is longer than the {LONGEST} characters that I can read as {kind}.", slot)
    reader = Reader(text, arithmetic)
    try:
        found = rule(reader)
    except CannotDo as refusal:
        asks = refusal.slot or (slot if "?" in str(refusal) else "")
        raise CannotDo(str(refusal), asks, refusal.keeps) from None
    if left := reader.left():
        where = "" if left == reader.text else f" in {shortened(text)!r}"
        raise CannotDo(f"I did not understand {shortened(left)!r}{where}. Please say {kind} like {example}.", slot)
    if found is None:
        heard = f"I cannot read {shortened(text)!r} as {kind}." if reader.text else f"I heard no words for {kind}."
        raise CannotDo(f"{heard} Say it like {example}.", slot)
    return found


def shortened(text: str, most: int = 40) -> str:
    """Returns the text on one line, shortened if it is long."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 3] + "..."
