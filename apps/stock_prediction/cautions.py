"""Why forecasts may be unreliable: corrections of the bars, and tickers unlike those of training."""

from pathlib import Path

import numpy as np

from .data import Data
from .features import log_variance

UNLIKE = 2.5  # standard deviations of the quarterly log variance from its mean in training; about 2 % of its days
# The same of the monthly log variance, between the last month and the two months before it; about 1 % of its days.
JUMP = 2.0
QUARTER, MONTH = "log_variance_66", "log_variance_22"


def cautions(data: Data, info: dict) -> list[str]:
    """Returns one line for each reason; `info` is that of the run."""
    return [*data.bars.notes, *unlike(data, info)]


def unlike(data: Data, info: dict) -> list[str]:
    """Names tickers whose volatility of the last quarter, or its change in the last month, is rare in training."""
    scale, trained_on = info["refits"][-1], Path(info["source"]).name
    quarter, month = (info["inputs"].index(name) for name in (QUARTER, MONTH))
    usual, deviation = scale["mean"][quarter], scale["deviation"][quarter]
    found = []
    for number, ticker in enumerate(data.bars.tickers):
        last = data.inputs[number, np.flatnonzero(data.series.traded[number])[-1]]
        now, recent = last[quarter], last[month]
        # The quarter without its last month, whose share of the quarter is a third.
        before = log_variance((3 * np.exp(now) - np.exp(recent)) / 2)
        if abs(now - usual) > UNLIKE * deviation:
            found.append(
                f"{ticker} is {_compared(now, usual)} the bars that the run was trained on, {trained_on} "
                f"({np.exp(now / 2):.2g} % a day in the last quarter, {np.exp(usual / 2):.2g} % usually in training): "
                "forecasts and intervals are drawn towards the volatility of training. Train a run on bars like these"
            )
        elif abs(recent - before) > JUMP * scale["deviation"][month]:
            found.append(
                f"{ticker} in the last month is {_compared(recent, before)} in the two months before "
                f"({np.exp(recent / 2):.2g} and {np.exp(before / 2):.2g} % a day): the bars that the run was trained "
                f"on, {trained_on}, have few such changes, and forecasts and intervals may be far off"
            )
    return found


def _compared(now: float, before: float) -> str:
    """Says how far a log variance is from another, as volatilities."""
    times = float(np.exp(abs(now - before) / 2))
    return f"{times:.1f} times as volatile as" if now > before else f"{times:.1f} times less volatile than"
