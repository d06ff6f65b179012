"""Optional external knowledge: a file of word vectors, or the valences of the VADER lexicon."""

import functools
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError

VADER = "vader"
MOST = 50_000  # maximum number of words to read; files start with the most frequent ones


def known_words(source: str) -> list[str]:
    """Returns the words for which the source has vectors; none without a source."""
    return list(_read(source)) if source else []


def table(source: str, words: list[str]) -> np.ndarray:
    """Returns the vectors (words, width) float32, scaled to a mean square of 1; zeros for words not in the source.

    Raises:
        InputError: the file has no vectors, or a line of a different width; the message gives the line.
    """
    vectors = _read(source)
    width = len(next(iter(vectors.values())))
    rows = np.array([vectors.get(word, np.zeros(width)) for word in words], np.float32)
    return rows / np.sqrt(np.square(np.array(list(vectors.values()))).mean())


@functools.lru_cache(maxsize=1)
def _read(source: str) -> dict[str, np.ndarray]:
    return _vader() if source == VADER else _vector_file(Path(source))


def _vader() -> dict[str, np.ndarray]:
    """Hutto and Gilbert (2014), "VADER": mean human ratings of 7,500 words and emoticons, from -4 to 4."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    lexicon = SentimentIntensityAnalyzer().lexicon
    # The valence, and a constant that distinguishes a neutral word from one without a rating.
    return {word: np.array([valence, 2.0]) for word, valence in lexicon.items()}


def _vector_file(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise MissingFileError(f"--vectors: expected {VADER} or a file of word vectors. There is none at {path}.")
    vectors: dict[str, np.ndarray] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            word, *numbers = line.rstrip().split(" ")
            if number == 1 and len(numbers) == 1:  # the first line of word2vec files: number of words and width
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
