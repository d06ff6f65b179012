"""Why the forecasts of a file may be less reliable than those of the training data."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from .data import Mine
from .panel import named
from .step_check import other_steps

FAR = 10.0  # interquartile ranges from the median of a series beyond which a value may dominate its forecast

# what is so -> in the plural
KINDS = {
    "calibrated": (
        "not in the training data; intervals are based on errors in its own past",
        "not in the training data; intervals are based on errors in their own past",
    ),
    "too short": (
        "not in the training data and too short to calibrate on; intervals are based on errors on other series and may "
        "be far too narrow",
    ),
    "constant": ("constant so far; how much it may change is a guess",),
    "behind": (
        "in its own past, the forecasts were worse than repeating the last value; train a run on it",
        "in their own past, the forecasts were worse than repeating the last value; train a run on them",
    ),
    "outlying": (
        "has a value far outside the others in its last {reach} steps, which may dominate the forecast",
        "have values far outside the others in their last {reach} steps, which may dominate the forecasts",
    ),
    "padded": (
        "shorter than the {reach} values of the lookback; padded with the first value, so the forecast is unreliable",
    ),
}


def cautions(
    mine: Mine, calibrated: Collection[int], info: Mapping[str, Any], behind: Collection[int] = ()
) -> list[str]:
    """Lists the reasons why forecasts or intervals may be less reliable, with the series concerned.

    Args:
        calibrated: indices of the series whose intervals are calibrated on their own past. info: of the run.
        behind: of those that repeating the last value would have forecast better.
    """
    new = set(mine.unseen())
    found = {
        "calibrated": new & set(calibrated),
        "too short": new - set(calibrated),
        "constant": {number for number, series in enumerate(mine.panel.series) if np.ptp(series.values) == 0},
        "behind": set(behind),
        "outlying": {n for n, series in enumerate(mine.panel.series) if outlying(series.values, info["reach"])},
        "padded": {number for number, more in enumerate(mine.padded) if more},
    }
    return [
        *other_steps(mine.panel.clocks, mine.panel.source, info),
        *(
            said(kind, [mine.panel.series[number].name for number in sorted(some)], info)
            for kind, some in found.items()
            if some
        ),
    ]


def outlying(values: np.ndarray, recent: int) -> bool:
    """Returns whether one of the most recent values is more than `FAR` interquartile ranges from the median of all."""
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    return bool(high > low and (np.abs(values[-recent:] - median) > FAR * (high - low)).any())


def said(kind: str, names: Sequence[str], info: Mapping[str, Any]) -> str:
    """Returns the caution of a kind about these series."""
    return f"{named(names)}: {KINDS[kind][0 if len(names) == 1 else -1].format(reach=info['reach'])}"
