"""Plots the attention weights of a translation."""

import warnings
from pathlib import Path

import numpy as np

from shared import files, plots


def attention(source: list[str], written: list[str], weights: np.ndarray, path: Path) -> None:
    """Plots weights (written, source), one row per token written. Raises InputError as `check` does."""
    files.check_picture(path, "--picture")
    size = (2.0 + 0.32 * len(source), max(2.6, 1.6 + 0.28 * len(written)))  # room for the label of the colour bar
    figure, axes = plots.new_figure("", size=size)
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(source)), [plots.plain(token) for token in source], rotation=60, ha="right")
    axes.set_yticks(range(len(written)), [plots.plain(token) for token in written])
    axes.set(xlabel="source", ylabel="target")
    figure.colorbar(image, ax=axes, label="attention weight")
    with warnings.catch_warnings():  # the font lacks scripts such as Chinese or Arabic, drawn as empty boxes
        warnings.filterwarnings("ignore", "Glyph")
        plots.save(figure, path)
