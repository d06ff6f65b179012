"""Requests as numbers: splits a text into tokens, each encoded as a word and by its letters."""

import dataclasses
import functools
import unicodedata
from collections.abc import Iterable

import numpy as np
import regex

from shared import InputError
from shared.data.text import Vocabulary

LETTERS_A_WORD = 12  # for longer words, the first and the last ones are read
# Letters with their combining marks: vowel signs of Hindi or Tamil, accents without a composed character. The module
# `re` does not count marks as word characters. The two joiners shape letters of Persian and of Indic scripts.
LETTERS = r"(?:[[\p{L}\p{N}]--\p{Nd}][\p{M}\u200c\u200d]*)+"
# Any character except white space and the separators that str.split also treats as space, with its marks.
SIGN = r"[^\s\x1c-\x1f][\p{M}\u200d]*"
_TOKEN = regex.compile(rf"\d+(?:[.,:]\d+)*\p{{M}}*|{LETTERS}|'{LETTERS}|{SIGN}", regex.V1)
_DIGIT = regex.compile(r"\d")


@dataclasses.dataclass(frozen=True)
class Text:
    """A text, its tokens, and their start and end positions in it."""

    raw: str
    tokens: list[str]
    places: list[tuple[int, int]]

    def between(self, first: int, last: int) -> str:
        """Returns the raw text from token `first` to before token `last`."""
        return self.raw[self.places[first][0] : self.places[last - 1][1]]


def composed(raw: str) -> str:
    """Normalises a text to Unicode NFC, with composed accents, and a single kind of apostrophe."""
    return unicodedata.normalize("NFC", raw.replace("\u2019", "'"))


def cut(raw: str) -> Text:
    """Splits a text, after normalisation, into numbers, words and symbols.

    >>> cut("It's 5pm in Rio").tokens
    ['It', "'s", '5', 'pm', 'in', 'Rio']
    """
    raw = composed(raw)
    found = list(_TOKEN.finditer(raw))
    return Text(raw, [match[0] for match in found], [match.span() for match in found])


def word(token: str) -> str:
    """Returns the vocabulary form of a token: lower case, with all digits as 0, so that numbers share an embedding."""
    return _DIGIT.sub("0", token.lower())


class Encoder:
    """Converts tokens to ids, as learned from the training requests.

    Args:
        words, letters: tokens and letters by id.
        max_words: maximum number of tokens; longer requests are truncated.
    """

    def __init__(self, words: Iterable[str], letters: Iterable[str], max_words: int) -> None:
        self.words, self.letters = Vocabulary(tuple(words)), Vocabulary(tuple(letters))
        self.max_words = max_words
        self._rows = functools.lru_cache(maxsize=100_000)(self._row)

    @classmethod
    def fit(cls, requests: list[list[str]], min_count: int, max_words: int) -> "Encoder":
        """Learns both vocabularies from tokens of training requests; rarer words are only represented by letters."""
        words = Vocabulary.fit((word(token) for tokens in requests for token in tokens), None, min_count)
        letters = Vocabulary.fit(letter for tokens in requests for token in tokens for letter in token.lower())
        return cls(words.tokens, letters.tokens, max_words)

    def encode(self, tokens: list[str]) -> np.ndarray:
        """Encodes tokens (time,) as ids (time, 1 + letters) int32: the word's, those of its letters, then zeros.

        Raises:
            InputError: there are no tokens.
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
