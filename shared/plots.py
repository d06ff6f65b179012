"""Plots of a training, drawn without a display."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from shared import InputError
from shared.files import replacing

HEAT_MAP_ROWS = 60
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue


def learning_curves(history: list[dict[str, float]], path: Path, metric: str, title: str, mode: str = "min") -> None:
    """Draws `metric` over the epochs, training and validation, the best validation marked.

    Args:
        history: the rows that `shared.fit.fit` returns, with "epoch", `metric` and perhaps "val_" + `metric`.
        path: the picture to write; its suffix chooses the format (.png, .svg, .pdf).
        metric: a key of the rows without "val_", e.g. "loss"; the axis is labelled with it.
        title: one line above the picture.
        mode: "min" or "max", which validation is best.

    Raises:
        InputError: if there is no epoch yet or `metric` is not in the rows.
    """
    if not history or metric not in history[0]:
        keys = ", ".join(history[0]) if history else "no epochs"
        raise InputError(f"Expected to draw one of the figures of the history ({keys}). Received: {metric}")
    figure, axes = new_figure(title)
    epochs = [row["epoch"] for row in history]
    axes.plot(epochs, [row[metric] for row in history], marker=".", label="training")
    if f"val_{metric}" in history[0]:
        valid = [row[f"val_{metric}"] for row in history]
        axes.plot(epochs, valid, marker=".", label="validation")
        best = valid.index(min(valid) if mode == "min" else max(valid))
        axes.scatter([epochs[best]], [valid[best]], marker="o", color="tab:red", zorder=3, label="best validation")
    axes.set(xlabel="epoch", ylabel=metric.replace("_", " "))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, path)


def text_heat_map(tokens: list[str], values: Any, path: Path, unit: str, width: int = 80) -> None:
    """Draws a text with every token on a colour of its value, for example its surprise.

    Args:
        tokens: characters or words; a line end breaks the line. At most `HEAT_MAP_ROWS` lines are drawn.
        values: (len(tokens),) numbers from 0 up; colours end at the 99th percentile.
        path: the picture to write. unit: of the values, for the colour bar. width: characters on a line.
    """
    rows = _laid_out(tokens, width)[:HEAT_MAP_ROWS]
    figure, axes = new_figure("", size=(10, 0.9 + 0.2 * len(rows)))
    top = max(float(np.percentile(values, 99)), 1e-6)
    scale, palette = Normalize(0, top), colormaps["YlOrRd"]
    for line, row in enumerate(rows):
        for column, token, number in row:
            colour = palette(scale(float(values[number])))
            axes.add_patch(Rectangle((column, line), len(token), 1, facecolor=colour, edgecolor="none"))
            text = plain(token if token.isprintable() else "\u21b5")
            axes.text(
                column + len(token) / 2,
                line + 0.5,
                text,
                family="monospace",
                ha="center",
                va="center",
                size=7,
                color="black" if np.dot(colour[:3], LUMINANCE) > 0.5 else "white",
            )
    axes.set(xlim=(0, width), ylim=(len(rows), 0), xticks=[], yticks=[])
    figure.colorbar(ScalarMappable(scale, palette), ax=axes, label=unit)
    save(figure, path)


def _laid_out(tokens: list[str], width: int) -> list[list[tuple[int, str, int]]]:
    """Lines of (column, token as shown, its number);"""
    rows: list[list[tuple[int, str, int]]] = [[]]
    column = 0
    spaced = any(len(token) > 1 for token in tokens)
    for number, token in enumerate(tokens):
        shown = "\n" if token in ("\n", "<eos>") else token
        if column + len(shown) > width:
            rows.append([])
            column = 0
        rows[-1].append((column, shown, number))
        column += len(shown) + spaced
        if shown == "\n":
            rows.append([])
            column = 0
    return rows if rows[-1] else rows[:-1]


def plain(text: str) -> str:
    """A text of the user's as it is drawn letter by letter: between two dollar signs would be mathematics."""
    return text.replace("$", r"\$")


def new_figure(title: str, size: tuple[float, float] = (7.0, 4.0)) -> tuple[Figure, Any]:
    """A figure of `size` inches and its axes; without pyplot, which keeps every figure in a global list.

    The title is drawn as it is, without mathematics.
    """
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(plain(title))
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    """Writes the picture whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
