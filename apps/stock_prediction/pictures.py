"""Plots of the test days: volatility and its forecasts, and the misleading price forecast of many tutorials."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import ticker

from shared import plots

from .data import Data

SHOWN = ("garch_t", "pooled_linear")  # baselines to plot
TRICK_DAYS = 60
NARROW = 5  # ratio of the ends of a logarithmic axis, below which even steps label it better than 1, 2, 5, 10


def forecast(data: Data, ours: np.ndarray, theirs: Mapping[str, np.ndarray], path: Path) -> None:
    """Plots the first ticker's daily volatility in per cent per year, and the forecasts made the day before."""
    tested = np.flatnonzero(data.tested()[0][0] & np.isfinite(ours[0][0]))
    days = data.bars.days[data.targets.first[0, tested]]
    figure, axes = plots.new_figure(f"{data.bars.tickers[0]}: volatility of a day and its forecasts", size=(9.0, 4.0))

    def annual(variance: np.ndarray) -> np.ndarray:
        return np.sqrt(data.bars.per_year * variance[tested])

    axes.plot(days, annual(data.targets.variance[0][0]), ".", color="0.7", markersize=3, label="measured")
    for name in SHOWN:
        axes.plot(days, annual(theirs[name][0][0]), linewidth=0.9, label=name.replace("_", " "))
    axes.plot(days, annual(ours[0][0]), color="k", linewidth=1.1, label="network")
    axes.set(ylabel="per cent a year")
    logarithmic(axes)
    axes.grid(alpha=0.3)
    axes.legend(ncols=4)
    plots.save(figure, path)


def growth(earned: Mapping[str, np.ndarray], days: np.ndarray, path: Path) -> None:
    """Plots the growth of one unit of money, from the daily returns (days,) of each strategy."""
    figure, axes = plots.new_figure("the test part on paper, after costs", size=(8.0, 4.0))
    for name, returns in earned.items():
        axes.plot(days, (1 + returns).cumprod(), label=name.replace("_", " "))
    axes.set(ylabel="wealth")
    logarithmic(axes)
    axes.grid(alpha=0.3)
    axes.legend()
    plots.save(figure, path)


def logarithmic(axes: Any) -> None:
    """Makes the vertical axis logarithmic, with plain numbers."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    locator = ticker.AutoLocator() if high < NARROW * low else ticker.LogLocator(subs=(1, 2, 5))
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(ticker.NullLocator())


def trick(data: Data, mean: np.ndarray, path: Path) -> None:
    """Plots prices of the first ticker "predicted" as in many tutorials, and the same prices shifted by one day.

    The forecast of the next price, Close times the predicted change, is close to the true price and looks good. So does
    yesterday's price.
    """
    tested = np.flatnonzero(data.tested()[0][0] & np.isfinite(mean[0]))
    close, first = data.bars.close[0], data.targets.first[0, tested]
    price, copy = close[first], close[tested]
    predicted = copy * np.exp(mean[0, tested] / 100)
    wrong = {name: np.sqrt(np.mean((price - other) ** 2)) for name, other in (("net", predicted), ("copy", copy))}
    some = slice(-TRICK_DAYS, None)
    figure, axes = plots.new_figure(
        f"{data.bars.tickers[0]}: a price forecast that looks good is yesterday's price\n"
        f"root mean square error: forecast {wrong['net']:.3f}, price of the day before {wrong['copy']:.3f}",
        size=(9.0, 4.2),
    )
    days = data.bars.days[first][some]
    axes.plot(days, price[some], "k", linewidth=1.2, label="price")
    axes.plot(days, predicted[some], "C1", linewidth=1.2, label="network's forecast of it, made the day before")
    axes.plot(days, copy[some], "C0--", linewidth=1.0, label="price of the day before")
    axes.tick_params(axis="x", rotation=20)
    axes.grid(alpha=0.3)
    axes.legend()
    plots.save(figure, path)
