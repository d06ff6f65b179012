"""Paired tests: is the network really better than the best baseline, or is it chance in the choice of test items?"""

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
    """Returns the value transformed so that higher is better; direction as in `shared.results.DIRECTIONS`."""
    return {"higher": value, "lower": -value, "one": -abs(value - 1)}[direction]


def best(baselines: Mapping[str, float], direction: str) -> str | None:
    """Returns the name of the best baseline; None if there is none."""
    return max(baselines, key=lambda name: goodness(baselines[name], direction), default=None)


def compared(
    score: Score[Answers],
    ours: Answers,
    theirs: Mapping[str, Answers],
    count: int,
    direction: str = "higher",
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Scores the network and each baseline on the same test items, with a confidence interval of the difference.

    The paired bootstrap of Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapters 13 and 16: the
    network and the best baseline are scored on the same items, resampled with replacement.

    Args:
        score: (answers, rows) -> the metric on these items; `rows` (rows,) int64, possibly with repetitions.
        ours: the network's answers, in any form that `score` takes.
        theirs: the answers of each baseline.
        count: number of independent test items, such as patients or requests.
        direction: which values are better, as in `shared.results`.
        draws: number of bootstrap resamples.

    Returns:
        value, baselines, direction, ahead and resampled, as taken by `shared.results.record`. `ahead` is the 95 %
        confidence interval of the network's lead over the best baseline, positive if it is better; None without
        baselines. `resampled` has the number of items, and the network's figure on each resample. These are the same
        for every network that is scored on the same items, so that two of them can be compared (`shared.runs`).
    """
    everything = np.arange(count)
    value = score(ours, everything)
    baselines = {name: score(answers, everything) for name, answers in theirs.items()}
    strongest = best(baselines, direction)
    found = {"value": value, "baselines": baselines, "direction": direction, "ahead": None}
    if strongest is None:
        return found
    generator = np.random.default_rng(0)
    figures: list[float] = []
    ahead: list[float] = []
    for _ in range(draws):
        rows = generator.integers(0, count, count)
        network, baseline = score(ours, rows), score(theirs[strongest], rows)
        figures.append(float(network))
        ahead.append(goodness(network, direction) - goodness(baseline, direction))
    low, high = np.nanquantile(ahead, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return found | {"ahead": (float(low), float(high)), "resampled": {"items": count, "figures": figures}}


def joined(intervals: Sequence[tuple[float, float]], over: str) -> tuple[float, float]:
    """Returns the confidence interval of the mean of several runs, from the interval of each.

    Args:
        intervals: two or more.
        over: "folds", whose test items are independent; or "seeds", which share the test items, so that averaging
            reduces only the variance between seeds.
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
    """Returns half the width of the 95 % confidence interval of the mean of `count` runs (Student's t).

    `deviation` is the standard deviation of the runs.
    """
    from scipy import stats

    return float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * deviation / math.sqrt(count)
