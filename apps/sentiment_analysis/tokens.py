"""Texts as ids: cleaning, splitting into words, and character n-grams of each word."""

import functools
import html
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import regex

from shared import InputError
from shared.data.text import SPECIALS, Vocabulary

PIECES_A_WORD = 12  # maximum number of pieces; for longer words the first ones
SMALLEST, LARGEST = 3, 4  # characters per piece, including the markers of word boundaries

# A letter, digit or _ with its combining marks; a joiner only between letters. `\w` would split most Indic scripts.
_LETTER = r"(?:[\p{L}\p{N}_]\p{M}*(?:[\u200c\u200d](?=[\p{L}\p{M}]))?)"
_PICTURE = r"\p{Extended_Pictographic}\p{Emoji_Modifier}?"

_ESCAPE = regex.compile(r"\\u([0-9a-fA-F]{4})")
_LINK = regex.compile(r"(?:https?://|www\.)\S+", regex.IGNORECASE)
_HANDLE = regex.compile(rf"[@\uff20]{_LETTER}+")
_LOOK = regex.compile(r"[\ufe0e\ufe0f]")  # variation selectors, which only affect how a symbol is drawn
_REPEATED = regex.compile(r"(.)\1{2,}")
_NO_LETTERS = regex.compile(r"@user|http|[^\p{L}\p{N}\p{M}]")
_TOKEN = regex.compile(
    rf"""@user
      | [<>]?[:;=8x][-'^o]?[)(\]\[dp/\\|*3]+(?!{_LETTER})       # :-) ;D =( xD
      | <3+ | \^_*\^ | -_+-                                    # hearts and faces
      | [#]?{_LETTER}+(?:['\u2019.-]{_LETTER}+)*               # words with inner marks: don't, e.g, well-made, #hashtag
      | [!?]+ | \.{{2,}}
      | {_PICTURE}(?:\u200d{_PICTURE})+ | \p{{Regional_Indicator}}{{2}}  # a family, a flag: several signs, one symbol
      | \S\p{{M}}*""",
    regex.VERBOSE | regex.IGNORECASE,
)


def clean(text: str) -> str:
    r"""Normalises a text for storage and display: decodes entities and \u-escapes; handles become @user, links http."""
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # escapes may be surrogate pairs
    text = html.unescape(html.unescape(text))
    text = unicodedata.normalize("NFC", text)  # a decomposed accent makes no different word
    text = _HANDLE.sub("@user", _LINK.sub("http", text))
    return " ".join(text.split())


def words(text: str) -> list[str]:
    """Splits a clean text into lower-case words, emoticons and punctuation; runs of 3+ equal letters become 2.

    >>> words("Sooooo good!!! :-) @user")
    ['soo', 'good', '!!', ':-)', '@user']
    """
    text = _REPEATED.sub(r"\1\1", _LOOK.sub("", text).replace("\u2019", "'").lower())
    return _TOKEN.findall(text)


def letters(text: str) -> str:
    """Returns a key for finding duplicates: letters, marks and digits, without case, handles and links."""
    return _NO_LETTERS.sub("", _LOOK.sub("", text).lower())


@functools.lru_cache(maxsize=100_000)
def pieces(word: str) -> tuple[str, ...]:
    """Returns the pieces of a word, Bojanowski et al. (2017), arXiv:1607.04606: all 3- and 4-grams of <word>."""
    marked = f"<{word.lstrip('#')}>"
    return tuple(
        marked[start : start + size]
        for size in range(SMALLEST, LARGEST + 1)
        for start in range(len(marked) - size + 1)
        if size < len(marked)
    )


class Encoder:
    """Converts words and their pieces to ids, as learned from the training texts.

    Args:
        words, pieces: tokens by id; without pieces, only the special tokens.
        max_words: of longer texts, only the first and last words are read.
    """

    def __init__(self, words: Iterable[str], pieces: Iterable[str], max_words: int) -> None:
        self.words, self.pieces = Vocabulary(tuple(words)), Vocabulary(tuple(pieces))
        self.max_words = max_words
        self._rows = functools.lru_cache(maxsize=100_000)(self._row)

    @classmethod
    def fit(cls, texts: list[list[str]], known: Iterable[str], config: dict) -> tuple["Encoder", int]:
        """Learns both vocabularies from training texts; the words of `known` (a vector file) are appended.

        Returns:
            The encoder, and how many of its words occur in the training texts.
        """
        found = Vocabulary.fit((word for text in texts for word in text), None, config["min_count"]).tokens
        found = found[: config["max_vocabulary"] or None]
        learned = set(found)
        found += tuple(word for word in dict.fromkeys(known) if word not in learned)
        runs = (piece for text in texts for word in text for piece in pieces(word))
        kept = Vocabulary.fit(runs, len(SPECIALS) + config["pieces"], config["min_count"]).tokens
        return cls(found, kept, config["max_words"]), len(learned)

    def encode(self, text: list[str]) -> np.ndarray:
        """Encodes words (time,) as ids (time, 1 + pieces) int32: the word's id, those of its pieces, then zeros.

        Raises:
            InputError: the text has no words.
        """
        if not text:
            raise InputError("Expected a text with at least one word. Received an empty one.")
        return np.stack([self._rows(word) for word in self.cut(text)])

    def cut(self, text: Sequence[Any]) -> list[Any]:
        """Returns the words to read, or their positions: of a long text the first and last half of `max_words`."""
        if len(text) <= self.max_words:
            return list(text)
        last = self.max_words // 2
        return [*text[: self.max_words - last], *text[len(text) - last :]]

    def _row(self, word: str) -> np.ndarray:
        row = np.zeros(1 + (PIECES_A_WORD if len(self.pieces) > len(SPECIALS) else 0), np.int32)
        row[0] = self.words.encode([word])[0]
        if len(row) > 1:
            index = self.pieces.index
            known = [index[piece] for piece in pieces(word) if piece in index][:PIECES_A_WORD]
            row[1 : 1 + len(known)] = known
        return row
