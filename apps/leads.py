"""By how much an architecture is better than another: the interval over seeds and test items, and the probability."""

import dataclasses
import math
import statistics
from collections.abc import Sequence

import numpy as np

from shared import paired

from . import measured
from .measured import Measured

DRAWS = 10_000
SEEDS = "seeds (paired, Student's t)"
ITEMS = "test items (paired bootstrap)"
ABOUT = "test items (roughly, from the intervals of the records)"


@dataclasses.dataclass(frozen=True)
class Lead:
    """By how much an architecture is better than another: the interval, and the probability that it is better.

    `low`, `high` and `probability` are None if there is only one seed and no interval was recorded. `over` says what
    the interval is over.
    """

    value: float
    low: float | None = None
    high: float | None = None
    probability: float | None = None
    over: tuple[str, ...] = ()


def lead(mine: Sequence[Measured], best: Sequence[Measured]) -> Lead:
    """Compares two architectures by the seeds that both have, in pairs.

    The interval has two parts, added as if independent: that of the seeds and that of the test items.
    """
    direction = mine[0].record["direction"]
    others = {each.trial.seed: each for each in best}
    pairs = [(each, others[each.trial.seed]) for each in mine if each.trial.seed in others]
    if not pairs:
        return Lead(paired.goodness(measured.mean(mine), direction) - paired.goodness(measured.mean(best), direction))
    differences = [
        paired.goodness(a.record["value"], direction) - paired.goodness(b.record["value"], direction) for a, b in pairs
    ]
    value, generator = statistics.mean(differences), np.random.default_rng(0)
    chance = {SEEDS: by_seed(differences, generator), ITEMS: by_item(pairs, direction)}
    if chance[ITEMS] is None:
        chance[ABOUT] = by_interval(pairs, generator)
    known = {name: draws for name, draws in chance.items() if draws is not None}
    if not known:
        return Lead(value)
    draws = value + sum(known.values())
    low, high = np.quantile(draws, [(1 - paired.LEVEL) / 2, (1 + paired.LEVEL) / 2])
    return Lead(value, float(low), float(high), float(np.mean(draws > 0) + np.mean(draws == 0) / 2), tuple(known))


def by_seed(differences: Sequence[float], generator: np.random.Generator) -> np.ndarray | None:
    """Returns the variation of a lead by the choice of seeds (DRAWS,): Student's t of the paired differences.

    Resampling two or three seeds would give far too narrow an interval. None for a single seed.
    """
    if len(differences) < 2:
        return None
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    return error * generator.standard_t(len(differences) - 1, DRAWS)


def by_item(pairs: Sequence[tuple[Measured, Measured]], direction: str) -> np.ndarray | None:
    """Returns the variation of a lead by the choice of test items (DRAWS,): the paired bootstrap.

    Every run has measured its figure on the same resamples of the test items. None if one has kept none.
    """
    found = [each.resampled for pair in pairs for each in pair]
    if not all(found) or len({(each["items"], len(each["figures"])) for each in found}) > 1:
        return None
    goods = [paired.goodness(np.array(each["figures"], float), direction) for each in found]
    leads = np.mean(goods[::2], axis=0) - np.mean(goods[1::2], axis=0)
    leads = leads[np.isfinite(leads)]  # a resample may have patients of one kind only
    return np.resize(leads - leads.mean(), DRAWS) if len(leads) else None


def by_interval(pairs: Sequence[tuple[Measured, Measured]], generator: np.random.Generator) -> np.ndarray | None:
    """Returns about the variation of a lead by the choice of test items (DRAWS,); None without intervals.

    A record has the interval of its lead over the best baseline, by a paired bootstrap over the test items. The errors
    of two such leads are added as if independent. Since both are measured on the same items, this is rather too much.
    """
    intervals = [each.record.get("ahead") for pair in pairs for each in pair]
    if not all(interval and interval[0] < interval[1] for interval in intervals):
        return None
    halves = [(high - low) / 2 for low, high in intervals]
    error = math.sqrt(2) * statistics.mean(halves) / statistics.NormalDist().inv_cdf((1 + paired.LEVEL) / 2)
    return error * generator.standard_normal(DRAWS)
