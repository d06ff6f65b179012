"""The fan chart: the past, the forecast with its interval and deciles, and the true values where known."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from shared import plots

PAST = 3  # length of the plotted past, in horizons


def fan(charts: list[dict[str, Any]], path: Path) -> None:
    """Draws each series in its own row.

    Args:
        charts: for each series name, past (time,), point (horizon,), interval (low, high), deciles (horizon, 9),
            coverage, clock, first (step of the first past value), and actual (horizon,) or None.
        path: file to write.
    """
    figure = Figure(figsize=(8, 1 + 2.2 * len(charts)), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(len(charts), squeeze=False)[:, 0]
    for number, (axes, chart) in enumerate(zip(rows, charts, strict=True)):
        horizon, end = len(chart["point"]), len(chart["past"])
        first = max(0, end - PAST * horizon)
        before, ahead = np.arange(first, end), np.arange(end, end + horizon)
        axes.plot(before, chart["past"][first:], color="black", linewidth=1, label="observed")
        low, high = chart["interval"]
        axes.fill_between(ahead, low, high, color="tab:blue", alpha=0.18, label=f"{chart['coverage']:.0%} interval")
        deciles, count = chart["deciles"], chart["deciles"].shape[1]
        for inner in range(count // 2):
            axes.fill_between(ahead, deciles[:, inner], deciles[:, count - 1 - inner], color="tab:blue", alpha=0.12)
        axes.plot(ahead, chart["point"], color="tab:blue", linewidth=1.5, label="forecast")
        if chart["actual"] is not None:
            axes.plot(ahead, chart["actual"], color="tab:orange", linewidth=1, label="what came")
        ticks = np.linspace(first, end + horizon - 1, 5).round().astype(int)
        axes.set_xticks(ticks, [chart["clock"].text(chart["first"] + int(tick)) for tick in ticks])
        axes.set_title(plots.plain(chart["name"]), loc="left")
        axes.grid(alpha=0.3)
        if number == 0:
            axes.legend(loc="upper left", fontsize="small")
    plots.save(figure, path)
