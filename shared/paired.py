"""Paired tests: is a network better than the best baseline, or does the choice of test items explain it?"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

Answers = TypeVar("Answers")
Score = Callable[[Answers, np.ndarray], float]

DRAWS = 1000
LEVEL = 0.95


def goodness(value: float, direction: str) -> float:
    """The value turned so that more is better; direction as in `shared.results.DIRECTIONS`."""
    return {"higher": value, "lower": -value, "one": -abs(value - 1)}[direction]


def best(baselines: Mapping[str, float], direction: str) -> str | None:
    """The name of the baseline that does best; None if there is none."""
    return max(baselines, key=lambda name: goodness(baselines[name], direction), default=None)


def compared(
    score: Score[Answers],
    ours: Answers,
    theirs: Mapping[str, Answers],
    count: int,
    direction: str = "higher",
    draws: int = DRAWS,
) -> dict[str, Any]:
    """A figure of the network and of each baseline on the same test items, and how far apart chance leaves them.

    The paired bootstrap of Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapters 13 and 16: network
    and best baseline are scored on the same items, drawn with replacement.

    Args:
        score: (answers, rows) -> the figure on these items; `rows` int64 (rows,), some of them several times.
        ours: what the network answers, in whatever form `score` takes.
        theirs: the same of each baseline.
        count: how many independent items were tested, such as patients or requests.
        direction: which values are better, as in `shared.results`.
        draws: how often the items are drawn.

    Returns:
        value, baselines, direction and ahead, as `shared.results.record` takes them. `ahead` is the 95 % interval of
        how much better the network is than the best baseline, above 0 where it is better; None without a baseline.
    """
    everything = np.arange(count)
    value = score(ours, everything)
    baselines = {name: score(answers, everything) for name, answers in theirs.items()}
    strongest = best(baselines, direction)
    found = {"value": value, "baselines": baselines, "direction": direction, "ahead": None}
    if strongest is None:
        return found
    generator = np.random.default_rng(0)
    ahead = []
    for _ in range(draws):
        rows = generator.integers(0, count, count)
        network, baseline = score(ours, rows), score(theirs[strongest], rows)
        ahead.append(goodness(network, direction) - goodness(baseline, direction))
    low, high = np.nanquantile(ahead, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return found | {"ahead": (float(low), float(high))}


def joined(intervals: Sequence[tuple[float, float]], over: str) -> tuple[float, float]:
    """The interval of the mean of several runs, from the interval of each.

    Args:
        intervals: two or more.
        over: "folds", whose test items are independent; or "seeds", which share the test items, so that averaging them
            reduces only what differs between seeds.
    """
    centres = [(low + high) / 2 for low, high in intervals]
    halves = [(high - low) / 2 for low, high in intervals]
    centre, count = statistics.mean(centres), len(intervals)
    if over == "folds":
        half = math.sqrt(sum(each**2 for each in halves)) / count
    else:
        half = math.hypot(statistics.mean(halves), by_chance(statistics.stdev(centres), count))
    return centre - half, centre + half


def by_chance(deviation: float, count: int) -> float:
    """Half the 95 % interval of the mean of `count` runs with this standard deviation (Student's t)."""
    from scipy import stats

    return float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * deviation / math.sqrt(count)
