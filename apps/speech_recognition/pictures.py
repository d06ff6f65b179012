"""Plots of the spectrogram with the recognised words, the symbol probabilities, and the word confusions."""

import collections
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from shared import plots

from .features import HOP_S
from .transcript import Transcript

SHOWN = 0.1  # symbols whose probability never reaches this are not drawn
SIZE = (10.0, 5.5)
MOST_WORDS = 30  # that the confusion matrix shows
OUTLINE = [patheffects.withStroke(linewidth=2, foreground="black")]  # of white letters on a bright spectrogram


def alignment(raw: np.ndarray, log_probabilities: np.ndarray, found: Transcript, predictor: Any, path: Path) -> None:
    """Plots raw frames (frames, features), log-probabilities (steps, 1 + symbols) and the transcript."""
    figure = Figure(figsize=SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    seconds = len(raw) * HOP_S
    mel = predictor.info["features"] == "logmel"
    # The first cepstral coefficient is many times larger than the others.
    shown = raw if mel else (raw - raw.mean(axis=0)) / np.maximum(raw.std(axis=0), 1e-6)
    above.imshow(shown.T, origin="lower", aspect="auto", extent=(0, seconds, 0, raw.shape[1]), cmap="magma")
    above.set(ylabel="mel band" if mel else "coefficient", title=plots.plain(found.text or "(no words)"))
    for word in found.words:
        above.axvspan(word.start, word.end, color="white", alpha=0.25)
        label = plots.plain(f"{word.text} {word.confidence:.2f}")
        place = ((word.start + word.end) / 2, 0.96 * raw.shape[1])
        above.text(*place, label, color="white", ha="center", va="top", path_effects=OUTLINE)
    probabilities = np.exp(log_probabilities)
    times = (np.arange(len(probabilities)) + 0.5) * predictor.stride * HOP_S
    below.plot(times, probabilities[:, 0], color="lightgrey", label="blank")
    for number in range(1, probabilities.shape[1]):
        if probabilities[:, number].max() >= SHOWN:
            name = predictor.symbols[number]
            below.plot(times, probabilities[:, number], label="space" if name == " " else plots.plain(name))
    below.set(xlabel="seconds", ylabel="probability", xlim=(0, seconds), ylim=(0, 1.02))
    below.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")
    plots.save(figure, path)


def confusions(counts: dict[tuple[str, str], int], path: Path) -> None:
    """Plots how often each reference word was recognised as each word by greedy decoding; "" stands for no word.

    Of many words, those most often confused are shown.
    """
    words = sorted(most_confused(counts)) + [""]
    table = np.zeros((len(words), len(words)))
    for (said, heard), count in counts.items():
        if {said, heard} <= set(words):
            table[words.index(said), words.index(heard)] = count
    all_words = {word for pair in counts for word in pair} - {""}
    title = "word confusions (greedy decoding)" + (
        f", the {len(words) - 1} most confused words" if len(all_words) >= len(words) else ""
    )
    figure, axes = plots.new_figure(title, size=(1.5 + 0.45 * len(words), 1.2 + 0.4 * len(words)))
    names = [plots.plain(word or "(none)") for word in words]
    shade = np.sqrt(table)
    axes.imshow(shade, cmap="Blues")
    for row, column in zip(*np.nonzero(table), strict=True):
        color = "white" if shade[row, column] > shade.max() / 2 else "black"
        axes.text(column, row, f"{table[row, column]:.0f}", ha="center", va="center", size=7, color=color)
    axes.set(xlabel="recognised", ylabel="spoken", xticks=range(len(names)), yticks=range(len(names)))
    axes.set_xticklabels(names, rotation=90)
    axes.set_yticklabels(names)
    plots.save(figure, path)


def most_confused(counts: dict[tuple[str, str], int]) -> list[str]:
    """Returns the words to show: all, or of more than `MOST_WORDS` those with the most errors."""
    errors: collections.Counter = collections.Counter()
    for (said, heard), count in counts.items():
        for word in {said, heard} - {""}:
            errors[word] += count * (said != heard)
    return [word for word, _ in errors.most_common(MOST_WORDS)]
