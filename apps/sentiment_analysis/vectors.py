"""Optional external knowledge: a file of word vectors, or the valences of the VADER lexicon."""

import functools
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError

VADER = "vader"
MOST = 50_000  # words of a file; such files begin with the most frequent


def known_words(source: str) -> list[str]:
    """The words that the source has vectors for; none if there is no source."""
    return list(_read(source)) if source else []


def table(source: str, words: list[str]) -> np.ndarray:
    """The vectors (words, width) float32 of the words, scaled to a mean square of 1; zeros for one not in the source.

    Raises:
        InputError: the file has no vectors, or a line of another width; the line is named.
    """
    vectors = _read(source)
    width = len(next(iter(vectors.values())))
    rows = np.array([vectors.get(word, np.zeros(width)) for word in words], np.float32)
    return rows / np.sqrt(np.square(np.array(list(vectors.values()))).mean())


@functools.lru_cache(maxsize=1)
def _read(source: str) -> dict[str, np.ndarray]:
    return _vader() if source == VADER else _vector_file(Path(source))


def _vader() -> dict[str, np.ndarray]:
    """Hutto and Gilbert (2014), "VADER": people's mean rating of 7,500 words and faces from -4 to 4."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    lexicon = SentimentIntensityAnalyzer().lexicon
    # Its valence, and beside it that there is one, by which a neutral word differs from one without.
    return {word: np.array([valence, 2.0]) for word, valence in lexicon.items()}


def _vector_file(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise MissingFileError(f"--vectors: expected {VADER} or a file of word vectors. There is none at {path}.")
    vectors: dict[str, np.ndarray] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            word, *numbers = line.rstrip().split(" ")
            if number == 1 and len(numbers) == 1:  # word2vec's first line: words and width
                continue
            try:
                vector = np.array([float(value) for value in numbers])
            except ValueError as error:
                raise InputError(f"Expected a word and numbers. {path}, line {number}: {error}.") from error
            width = len(next(iter(vectors.values()), vector))
            if len(vector) != width or not width or not np.isfinite(vector).all():
                raise InputError(f"Expected {width or 'some'} finite numbers. {path}, line {number} has {len(vector)}.")
            vectors.setdefault(word.lower(), vector)
            if len(vectors) == MOST:
                break
    if not vectors:
        raise InputError(f"Expected word vectors. {path} has none.")
    return vectors
