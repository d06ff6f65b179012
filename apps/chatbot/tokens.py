"""Requests to numbers: a text cut into tokens, each read as a word and letter by letter."""

import dataclasses
import functools
import unicodedata
from collections.abc import Iterable

import numpy as np
import regex

from shared import InputError
from shared.data.text import Vocabulary

LETTERS_A_WORD = 12  # of a longer word the first and the last ones are read
# Letters, each with the marks that belong to it: vowel signs of Hindi or Tamil, accents that no one character has. The
# library `re` counts marks as no part of a word. The two joiners shape letters of Persian and of Indian languages.
LETTERS = r"(?:[[\p{L}\p{N}]--\p{Nd}][\p{M}\u200c\u200d]*)+"
# Neither space nor the separators that str.split takes for space as well; with the marks on it.
SIGN = r"[^\s\x1c-\x1f][\p{M}\u200d]*"
_TOKEN = regex.compile(rf"\d+(?:[.,:]\d+)*\p{{M}}*|{LETTERS}|'{LETTERS}|{SIGN}", regex.V1)
_DIGIT = regex.compile(r"\d")


@dataclasses.dataclass(frozen=True)
class Text:
    """A text, its tokens as they stand in it, and where each of them begins and ends."""

    raw: str
    tokens: list[str]
    places: list[tuple[int, int]]

    def between(self, first: int, last: int) -> str:
        """The raw text from token `first` to before token `last`."""
        return self.raw[self.places[first][0] : self.places[last - 1][1]]


def composed(raw: str) -> str:
    """The text in one spelling: Unicode's NFC, where an accent is a part of its letter, and one kind of apostrophe."""
    return unicodedata.normalize("NFC", raw.replace("\u2019", "'"))


def cut(raw: str) -> Text:
    """Cuts a text, composed, into numbers, words and signs.

    >>> cut("It's 5pm in Rio").tokens
    ['It', "'s", '5', 'pm', 'in', 'Rio']
    """
    raw = composed(raw)
    found = list(_TOKEN.finditer(raw))
    return Text(raw, [match[0] for match in found], [match.span() for match in found])


def word(token: str) -> str:
    """The token as a word of the vocabulary: lower case, every digit a 0, so that numbers share a vector."""
    return _DIGIT.sub("0", token.lower())


class Encoder:
    """Tokens to ids, as learned from the training requests.

    Args:
        words, letters: in the order of their ids.
        max_words: of a longer request only so many tokens are read.
    """

    def __init__(self, words: Iterable[str], letters: Iterable[str], max_words: int) -> None:
        self.words, self.letters = Vocabulary(tuple(words)), Vocabulary(tuple(letters))
        self.max_words = max_words
        self._rows = functools.lru_cache(maxsize=100_000)(self._row)

    @classmethod
    def fit(cls, requests: list[list[str]], min_count: int, max_words: int) -> "Encoder":
        """Learns both vocabularies from the tokens of training requests; rarer words are read by their letters."""
        words = Vocabulary.fit((word(token) for tokens in requests for token in tokens), None, min_count)
        letters = Vocabulary.fit(letter for tokens in requests for token in tokens for letter in token.lower())
        return cls(words.tokens, letters.tokens, max_words)

    def encode(self, tokens: list[str]) -> np.ndarray:
        """Tokens (time,) -> ids (time, 1 + letters) int32: the word's, its letters', then zeros.

        Raises:
            InputError: no token at all.
        """
        if not tokens:
            raise InputError("Expected a request with at least one word. Received an empty one.")
        return np.stack([self._rows(token) for token in tokens[: self.max_words]])

    def _row(self, token: str) -> np.ndarray:
        row = np.zeros(1 + LETTERS_A_WORD, np.int32)
        row[0] = self.words.encode([word(token)])[0]
        letters = self.letters.encode(token.lower())
        half = LETTERS_A_WORD // 2
        letters = letters if len(letters) <= LETTERS_A_WORD else np.concatenate([letters[:half], letters[-half:]])
        row[1 : 1 + len(letters)] = letters
        return row
