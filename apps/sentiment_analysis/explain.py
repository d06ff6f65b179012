"""Shows the contribution of each word to a prediction: how the output changes when the word is left out."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import rich.text

from shared import InputError, lines, plots, runs
from shared.data.text import names_file

from .config import APP
from .data import Encoded
from .options import Explain
from .predict import Predictor, ready

SHOWN = 30  # maximum number of words in the plot, those with the strongest effects
FAINT = 0.15  # relative to the strongest effect; weaker ones are not coloured


def explain(options: Explain) -> None:
    """Runs the explain command: prints the text in colours and writes explanation.png to the run's folder, or JSON."""
    lines.refuse_folder(options.text)
    if options.text == "-" or names_file(options.text):
        raise InputError(f"Expected the text itself; predict reads files and standard input. Received: {options.text}")
    run = runs.find(APP, options.run)
    predictor = ready(run)
    if options.json:
        print(json.dumps(described(predictor, options.text, options.label), ensure_ascii=False))
        return
    text = predictor.encode(options.text)
    (probability,) = predictor.probabilities([text])
    label = label_of(predictor, probability, options.label)
    tokens, effects = occlusion(predictor, text, predictor.labels.index(label))
    print(predictor.answers([text])[0])
    print(f"Evidence for {label} (green) and against it (red), by leaving out each word:")
    rich.console.Console(highlight=False).print(coloured(tokens, effects), soft_wrap=True)
    strongest = np.argsort(-np.abs(effects), kind="stable")[:5]
    print(", ".join(f"{tokens[i]} {effects[i]:+.2f}" for i in strongest))
    picture = run.file("explanation.png")
    draw(tokens, effects, picture, f"{label}: {probability[predictor.labels.index(label)]:.2f}")
    print(f"Picture: {picture}")


def label_of(predictor: Predictor, probability: np.ndarray, label: str | None) -> str:
    """Returns the label to explain, by default the most probable one. Raises InputError if there is no such label."""
    label = label or predictor.labels[int(probability.argmax())]
    if label not in predictor.labels:
        raise InputError(f"--label: expected one of {', '.join(predictor.labels)}; received {label!r}")
    return label


def described(predictor: Predictor, text: str, label: str | None = None) -> dict[str, Any]:
    """Returns a text, the label that is explained, and each word with its effect, see `occlusion`, as plain values."""
    encoded = predictor.encode(text)
    label = label_of(predictor, predictor.probabilities([encoded])[0], label)
    tokens, effects = occlusion(predictor, encoded, predictor.labels.index(label))
    words = [{"word": token, "effect": float(effect)} for token, effect in zip(tokens, effects, strict=True)]
    return {"text": text, "label": label, "words": words}


def occlusion(predictor: Predictor, text: Encoded, label: int) -> tuple[list[str], np.ndarray]:
    """Returns the words that the network reads, and their contributions to the label's log-odds (words,).

    These are the log-odds with the word minus those without it, Li et al. (2016), arXiv:1612.08220; for a one-word text
    the word is replaced with an unknown one. Probabilities are less suitable: near 1 they hardly change.
    """
    places = predictor.encoder.cut(range(len(text.words)))
    without = [Encoded(np.delete(text.ids, n, 0), left_out(text.words, place)) for n, place in enumerate(places)]
    if len(text.words) == 1:
        without = [Encoded(predictor.encoder.encode(["\0"]), [])]
    chances = np.clip(predictor.probabilities([text, *without])[:, label], 1e-9, 1 - 1e-9)
    odds = np.log(chances / (1 - chances))
    return [text.words[place] for place in places], odds[0] - odds[1:]


def left_out(words: list[str], place: int) -> list[str]:
    """Returns the words without the one at this position."""
    return words[:place] + words[place + 1 :]


def coloured(tokens: list[str], effects: np.ndarray) -> rich.text.Text:
    """Colours the words: green for the label, red against it, brighter for stronger effects."""
    text, top = rich.text.Text(), max(float(np.abs(effects).max()), 1e-9)
    for token, effect in zip(tokens, effects, strict=True):
        strength = abs(effect) / top
        level = int(80 + 120 * strength)
        colour = f"rgb(0,{level},0)" if effect > 0 else f"rgb({level},0,0)"
        text.append(token, style=f"white on {colour}" if strength > FAINT else "")
        text.append(" ")
    return text


def draw(tokens: list[str], effects: np.ndarray, path: Path, title: str) -> None:
    """Plots one bar per word in the order of the text; for long texts, only the strongest."""
    kept = np.sort(np.argsort(-np.abs(effects), kind="stable")[:SHOWN])
    figure, axes = plots.new_figure(title, size=(6.0, 1.2 + 0.25 * len(kept)))
    colours = ["tab:green" if effects[i] > 0 else "tab:red" for i in kept]
    axes.barh(range(len(kept)), effects[kept], color=colours)
    axes.set_yticks(range(len(kept)), [plots.plain(tokens[i]) for i in kept])
    axes.invert_yaxis()
    axes.axvline(0, color="k", linewidth=0.8)
    axes.set(xlabel="what the word adds to the log-odds")
    axes.grid(axis="x", alpha=0.3)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the font has no emoji; an empty box is acceptable
        plots.save(figure, path)
