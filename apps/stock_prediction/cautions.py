"""Why forecasts may be unreliable: corrections of the bars, and tickers unlike those of training."""

from pathlib import Path

import numpy as np

from .data import Data

UNLIKE = 2.5  # standard deviations of the quarterly log variance from its mean in training; about 2 % of its days
QUARTER = "log_variance_66"


def cautions(data: Data, info: dict) -> list[str]:
    """Returns one line for each reason; `info` is that of the run."""
    return [*data.bars.notes, *unlike(data, info)]


def unlike(data: Data, info: dict) -> list[str]:
    """Names tickers whose volatility of the last quarter is far from what the network was trained on."""
    place, scale = info["inputs"].index(QUARTER), info["refits"][-1]
    usual, deviation = scale["mean"][place], scale["deviation"][place]
    found = []
    for number, ticker in enumerate(data.bars.tickers):
        now = data.inputs[number, np.flatnonzero(data.series.traded[number])[-1], place]
        if abs(now - usual) > UNLIKE * deviation:
            times = float(np.exp(abs(now - usual) / 2))
            compared = f"{times:.1f} times as volatile as" if now > usual else f"{times:.1f} times less volatile than"
            found.append(
                f"{ticker} is {compared} the bars that the run was trained on, {Path(info['source']).name} "
                f"({np.exp(now / 2):.2g} % a day in the last quarter, {np.exp(usual / 2):.2g} % usually in training): "
                "forecasts and intervals are drawn towards the volatility of training. Train a run on bars like these"
            )
    return found
