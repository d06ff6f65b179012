"""Why the forecasts of a file may be less reliable than those of the training data."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from .data import Mine
from .panel import named
from .step_check import other_steps

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
    "padded": (
        "shorter than the {reach} values of the lookback; padded with the first value, so the forecast is unreliable",
    ),
}


def cautions(mine: Mine, calibrated: Collection[int], info: Mapping[str, Any]) -> list[str]:
    """Lists the reasons why forecasts or intervals may be less reliable, with the series concerned.

    Args:
        calibrated: indices of the series whose intervals are calibrated on their own past. info: of the run.
    """
    new = set(mine.unseen())
    found = {
        "calibrated": new & set(calibrated),
        "too short": new - set(calibrated),
        "constant": {number for number, series in enumerate(mine.panel.series) if np.ptp(series.values) == 0},
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


def said(kind: str, names: Sequence[str], info: Mapping[str, Any]) -> str:
    """Returns the caution of a kind about these series."""
    return f"{named(names)}: {KINDS[kind][0 if len(names) == 1 else -1].format(reach=info['reach'])}"
