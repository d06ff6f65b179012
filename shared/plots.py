"""Plots of data and of a training run, drawn without a display."""

import collections
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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
FEWEST_BINS, BINS = 10, 40
TITLE = 62  # characters of a title that fit on a panel
LABEL = 50  # characters of a line of its axis
MOST_BARS = 20  # labels drawn; the rarer ones are left out
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue
NORMAL_95 = 1.96  # standard deviations within which a normal distribution has 95 % of its probability


def learning_curves(history: list[dict[str, float]], path: Path, metric: str, title: str, mode: str = "min") -> None:
    """Plots `metric` against the epoch for training and validation, and marks the best validation value.

    Args:
        history: the rows that `shared.fit.fit` returns, with "epoch", `metric` and optionally "val_" + `metric`.
        path: the output file; its suffix chooses the format (.png, .svg, .pdf).
        metric: a key of the rows without "val_", e.g. "loss"; also the axis label.
        title: title of the plot, one line.
        mode: "min" or "max": whether the lowest or the highest validation value is best.

    Raises:
        InputError: if there are no epochs yet or `metric` is not in the rows.
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


def observed_shares(axes: Any, predicted: Any, shares: Any, counts: Any, label: str) -> None:
    """Draws the points of a reliability diagram, each with its 95 % interval, which is wide where there are few rows.

    Args:
        axes: of `new_figure`. predicted: (points,) mean predicted probability of the rows of each point.
        shares: (points,) their observed share, in [0, 1]. counts: (points,) their number. label: in the legend.
    """
    shares = np.asarray(shares, float)
    low, high = share_interval(shares, counts)
    bars = np.maximum([shares - low, high - shares], 0)  # rounding makes some negative
    axes.errorbar(predicted, shares, bars, marker="o", capsize=3, label=label)


def share_interval(shares: Any, counts: Any) -> tuple[Any, Any]:
    """Returns the ends of the 95 % score interval of shares observed in `counts` rows: Wilson (1927).

    Unlike a standard error it is no point where the share is 0 or 1. doi:10.1080/01621459.1927.10502953
    """
    shares, counts = np.asarray(shares, float), np.asarray(counts, float)
    more = NORMAL_95**2 / counts
    centre = (shares + more / 2) / (1 + more)
    reach = NORMAL_95 / (1 + more) * np.sqrt(shares * (1 - shares) / counts + more / counts / 4)
    return centre - reach, centre + reach


def text_heat_map(tokens: list[str], values: Any, path: Path, unit: str, width: int = 80) -> None:
    """Draws a text with each token on a background coloured by its value, for example its surprisal.

    Args:
        tokens: characters or words; a line end starts a new line. At most `HEAT_MAP_ROWS` lines are drawn.
        values: (len(tokens),) nonnegative numbers; the colour scale ends at the 99th percentile.
        path: the output file. unit: label of the colour bar. width: characters per line.
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
    """Wraps the tokens into lines of (column, token as displayed, index of the token)."""
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


class Panel(NamedTuple):
    """A distribution to draw: of numbers, as histograms, or of labels, as bars; one for each split.

    label: of the numbers' axis. values: split -> numbers or labels. limit: a number to mark, described by `limit_name`.
    """

    title: str
    label: str
    values: Mapping[str, Sequence[Any]]
    limit: float | None = None
    limit_name: str = ""


def distributions(panels: Sequence[Panel], path: Path, title: str) -> None:
    """Draws distributions side by side, as shares of each split, so that splits of any size can be compared."""
    figure = Figure(figsize=(5.0 * max(1, len(panels)), 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    room = TITLE * max(1, len(panels))
    figure.suptitle(plain(title if len(title) <= room else title[: room - 3] + "..."), size=10)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        values = {part: some for part, some in panel.values.items() if len(some)}
        if any(isinstance(some[0], str) for some in values.values()):
            _bars(axes, values)
        else:
            _histograms(axes, values, panel)
        axes.set_title(plain(panel.title), size=10)
        axes.legend(fontsize=8)
    save(figure, path)


def _bars(axes: Any, values: Mapping[str, Sequence[str]]) -> None:
    """Draws the share of each label, the most frequent on top."""
    counts = {part: collections.Counter(some) for part, some in values.items()}
    total: collections.Counter = sum(counts.values(), collections.Counter())
    labels = [label for label, _ in total.most_common(MOST_BARS)]
    height = 0.8 / len(values)
    for number, (part, found) in enumerate(counts.items()):
        places = np.arange(len(labels)) + (number - (len(values) - 1) / 2) * height
        axes.barh(places, [100 * found[label] / len(values[part]) for label in labels], height, label=part)
    shown = [label if len(label) <= 24 else label[:21] + "..." for label in labels]
    axes.set_yticks(range(len(labels)), [plain(label) for label in shown], size=8)
    axes.invert_yaxis()
    left_out = len(total) - len(labels)
    axes.set_xlabel("% of the split" + (f" ({left_out} rarer labels not shown)" if left_out else ""))
    axes.grid(axis="x", alpha=0.3)


def _histograms(axes: Any, values: Mapping[str, Sequence[float]], panel: Panel) -> None:
    """Draws histograms; the highest half per cent of the numbers is added to the last bar, the lowest to the first."""
    every = np.concatenate([np.asarray(some, float) for some in values.values()])
    every = every[np.isfinite(every)]
    low, high = np.quantile(every, [0.005, 0.995]) if len(every) else (0.0, 1.0)
    bins = int(np.clip(np.sqrt(min(map(len, values.values()))), FEWEST_BINS, BINS))
    if len(every) and (every == np.round(every)).all():  # every bar has the same number of whole numbers
        width = int(np.ceil((high - low + 1) / bins)) if high - low >= BINS else 1
        edges = np.arange(np.floor(low) - 0.5, np.ceil(high) + width, width)
    else:
        edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    beyond = (
        "\n(the outermost bars include all values beyond)"
        if len(every) and (every.min() < edges[0] or every.max() > edges[-1])
        else ""
    )
    for part, some in values.items():
        known = np.clip(np.asarray(some, float), edges[0], edges[-1])
        known = known[np.isfinite(known)]
        shares = np.full(len(known), 100 / max(1, len(known)))
        axes.hist(known, edges, weights=shares, histtype="step", linewidth=1.5, label=part)
    if panel.limit is not None and edges[0] <= panel.limit <= edges[-1]:
        axes.axvline(panel.limit, color="black", linestyle=":", label=panel.limit_name)
    axes.set(xlabel=textwrap.fill(panel.label, LABEL) + beyond, ylabel="% of the split")
    axes.grid(alpha=0.3)


def plain(text: str) -> str:
    """Escapes dollar signs in the user's text, so that Matplotlib does not typeset it as mathematics."""
    return text.replace("$", r"\$")


def new_figure(title: str, size: tuple[float, float] = (7.0, 4.0)) -> tuple[Figure, Any]:
    """Returns a new figure of `size` inches and its axes, without pyplot, which keeps every figure in a global list.

    The title is drawn literally, without mathematics.
    """
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(plain(title))
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    """Writes the figure to a file, atomically."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
