"""An out-of-distribution test: does a text have more unknown words than chance explains?"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from shared.data.text import SPECIALS, UNKNOWN

GIVEN_UP = 0.02  # share of the validation texts that may be called unfamiliar
LEAST_RATE = 0.1  # one word in ten may be unknown in any text, however narrow the validation texts are
SIGNIFICANT = 0.05  # the largest probability that counts against a text
LOWEST = -500.0  # nats; the logarithm of a smaller probability is not finite


@dataclasses.dataclass(frozen=True)
class Familiar:
    """A one-sided binomial test of the number of unknown words, so that short texts are not refused by chance.

    Attributes:
        rate: the share of unknown words that is to be expected.
        limit: nats; a text whose unknown words are less likely than this is unfamiliar.
    """

    rate: float = 1.0
    limit: float = LOWEST

    def __call__(self, texts: Sequence[np.ndarray]) -> np.ndarray:
        """Ids of texts, each (time, 1 + pieces), -> bool (rows,); False also where no word at all is known."""
        unknown, count = unknown_words(texts)
        return (chance(unknown, count, self.rate) >= self.limit) & (unknown < count)


def fit(texts: Sequence[np.ndarray]) -> Familiar:
    """The rate of unknown words and the limit from the ids of validation texts."""
    unknown, count = unknown_words(texts)
    rate = max(float(unknown.sum() / count.sum()), LEAST_RATE)
    lowest = float(np.quantile(chance(unknown, count, rate), GIVEN_UP, method="lower"))
    return Familiar(rate, min(lowest, float(np.log(SIGNIFICANT))))


def unknown_words(texts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """How many words of each text are unknown, and how many it has, of those that are read."""
    unknown = [np.count_nonzero(ids[:, 0] == SPECIALS.index(UNKNOWN)) for ids in texts]
    return np.array(unknown, int), np.array([len(ids) for ids in texts], int)


def chance(unknown: np.ndarray, count: np.ndarray, rate: float) -> np.ndarray:
    """Nats: the logarithm of the probability of so many unknown words or more."""
    from scipy.stats import binom

    return np.maximum(binom.logsf(unknown - 1, count, rate), LOWEST)
