"""An out-of-distribution test: does a text have more unknown words than chance explains?"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from shared.data.text import SPECIALS, UNKNOWN

GIVEN_UP = 0.02  # share of the validation texts that may count as unfamiliar
LEAST_RATE = 0.1  # up to one unknown word in ten is always expected, even if validation texts have fewer
SIGNIFICANT = 0.05  # significance level: texts above this probability are always familiar
LOWEST = -500.0  # nats; lower limit, since the log of a vanishing probability is not finite


@dataclasses.dataclass(frozen=True)
class Familiar:
    """A one-sided binomial test of the number of unknown words, so that short texts are not rejected by chance.

    Attributes:
        rate: the expected share of unknown words.
        limit: nats; a text is unfamiliar if the log-probability of its number of unknown words is below this.
    """

    rate: float = 1.0
    limit: float = LOWEST

    def __call__(self, texts: Sequence[np.ndarray]) -> np.ndarray:
        """Ids of texts, each (time, 1 + pieces) -> bool (rows,); False also if no word at all is known."""
        unknown, count = unknown_words(texts)
        return (chance(unknown, count, self.rate) >= self.limit) & (unknown < count)


def fit(texts: Sequence[np.ndarray]) -> Familiar:
    """Estimates the rate of unknown words and the limit from the ids of validation texts."""
    unknown, count = unknown_words(texts)
    rate = max(float(unknown.sum() / count.sum()), LEAST_RATE)
    lowest = float(np.quantile(chance(unknown, count, rate), GIVEN_UP, method="lower"))
    return Familiar(rate, min(lowest, float(np.log(SIGNIFICANT))))


def unknown_words(texts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the number of unknown words and the number of words read, for each text."""
    unknown = [np.count_nonzero(ids[:, 0] == SPECIALS.index(UNKNOWN)) for ids in texts]
    return np.array(unknown, int), np.array([len(ids) for ids in texts], int)


def chance(unknown: np.ndarray, count: np.ndarray, rate: float) -> np.ndarray:
    """Returns the log-probability, in nats, of at least this many unknown words."""
    from scipy.stats import binom

    return np.maximum(binom.logsf(unknown - 1, count, rate), LOWEST)
