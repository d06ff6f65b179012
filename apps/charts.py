"""The pictures of a comparison: quality against training time and against size, and the skill in all apps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import PercentFormatter

from shared import plots, verdicts

from .ranking import Comparison, baselines

Skills = Mapping[str, Mapping[str, float]]  # of each row, such as an app, and each of its architectures


def against_seconds(comparison: Comparison, path: Path) -> bool:
    """Plots the validation figure of each training against its seconds; False if none has more than one epoch."""
    drawn = {arch: [m.curve for m in done if m.curve] for arch, done in comparison.found.items()}
    if not comparison.record or not any(len(curve) > 1 for curves in drawn.values() for curve in curves):
        return False
    figure, axes = new(comparison)
    for number, (arch, curves) in enumerate(drawn.items()):
        for curve in curves:
            label = arch if curve is curves[0] else None
            axes.plot(*zip(*curve, strict=True), ".-", color=f"C{number}", label=label)
    if comparison.quality is not None:
        axes.axhline(comparison.quality, color="grey", linestyle=":", label=f"{comparison.quality:.4g}")
    axes.set(xlabel="seconds of training", ylabel=comparison.valid_name)
    finish(figure, axes, path)
    return True


def against_parameters(comparison: Comparison, path: Path) -> bool:
    """Plots the figure of each training against its size, with the best baseline; False if none has been tested."""
    record = comparison.record
    if record is None:
        return False
    figure, axes = new(comparison)
    for arch, done in comparison.found.items():
        axes.plot([m.record["non_embedding"] for m in done], [m.record["value"] for m in done], "o", label=arch)
    for name, value in list(baselines(record).items())[:1]:
        axes.axhline(value, color="grey", linestyle="--", label=name)
    axes.set(xlabel="parameters without embeddings", ylabel=f"{record['split']} {record['metric']}")
    finish(figure, axes, path)
    return True


def new(comparison: Comparison) -> tuple[Any, Any]:
    """Returns an empty figure with the app and its data as the title."""
    return plots.new_figure(f"{comparison.app}, {comparison.record['data']}" if comparison.record else "", (6.0, 4.0))


def finish(figure: Any, axes: Any, path: Path) -> None:
    """Adds grid and legend, and writes the figure."""
    axes.grid(alpha=0.3)
    axes.legend()
    plots.save(figure, path)


def skills(records: Sequence[verdicts.Record]) -> dict[str, float]:
    """Returns the lead of each architecture over the best baseline; that of ConvGRU is in the column of the GRU."""
    found = {record["arch"].removeprefix("conv"): verdicts.skill(record) for record in records}
    return {arch: value for arch, value in found.items() if value is not None}


def skill_table(rows: Skills) -> str:
    """Formats the skill of every architecture in every row as a Markdown table."""
    archs, values = grid(rows)
    lines = ["## Lead over the best baseline, in percent of its figure", ""]
    lines += ["| app | " + " | ".join(archs) + " |", "|---" * (len(archs) + 1) + "|"]
    for name, row in zip(rows, values, strict=True):
        lines.append(f"| {name} | " + " | ".join("" if np.isnan(each) else f"{each:+.0%}" for each in row) + " |")
    return "\n".join(lines)


def heat_map(rows: Skills, path: Path) -> None:
    """Draws the skill of every architecture in every row; colours end at -100 % and +100 %."""
    archs, values = grid(rows)
    size = (max(4.0, 1.5 + 0.08 * max(map(len, rows)) + 0.9 * len(archs)), 1.8 + 0.5 * len(rows))
    figure, axes = plots.new_figure("", size)
    figure.suptitle(
        "lead over the best baseline,\nin percent of its figure"
    )  # centred in the figure, not over the cells
    picture = axes.imshow(values, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    for (line, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(column, line, f"{value:+.0%}", ha="center", va="center", color=colour)
    axes.set(xticks=range(len(archs)), xticklabels=archs, yticks=range(len(rows)), yticklabels=list(rows))
    axes.tick_params("x", labelrotation=30)
    figure.colorbar(picture, ax=axes, format=PercentFormatter(xmax=1, decimals=0))
    plots.save(figure, path)


def grid(rows: Skills) -> tuple[list[str], np.ndarray]:
    """Returns the architectures, and the skill (rows, architectures), nan where there is none."""
    archs = list(dict.fromkeys(arch for each in rows.values() for arch in each))
    values = [[each.get(arch, np.nan) for arch in archs] for each in rows.values()]
    return archs, np.array(values, dtype=float).reshape(len(rows), len(archs))
