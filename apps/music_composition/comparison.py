"""Compares newly composed pieces of a run with the corpus, statistic by statistic."""

import functools

import numpy as np

from .compose import composed
from .data import Data
from .music_statistics import Copies, distance, figures, intervals, pitch_classes

BARS, SEED = 16, 1
COPIED = "copied_sonorities"
LEFT_OUT = ("repeated_bars", "leaps", "notes_per_bar")  # left out of the model card, but printed


def table(predictor, data: Data, count: int) -> dict:
    """Composes `count` pieces of 16 bars; returns means of all statistics, and 5th to 95th percentiles of the corpus.

    The corpus is valid and test, which the network has not seen either; copies are searched for in train.
    """
    composing = functools.partial(composed, predictor, count, BARS, seed=SEED, any_ending=True)  # as the network ends
    new, free = composing(), [figures(piece) for piece in composing(free=True)]
    corpus = [*data.valid, *data.test]
    copies = Copies(data.train)
    ours = [figures(piece) | {COPIED: copies.longest(piece)[0]} for piece in new]
    theirs = [figures(piece) | {COPIED: copies.longest(piece)[0]} for piece in corpus]
    rows = {}
    for name in ours[0]:
        mine, bach = (np.array([each[name] for each in found], float) for found in (ours, theirs))
        low, high = np.percentile(bach, [5, 95])
        rows[name] = {
            "mean": round(float(mine.mean()), 4),
            "most": round(float(mine.max()), 4),
            "corpus_mean": round(float(bach.mean()), 4),
            "corpus_5": round(float(low), 4),
            "corpus_95": round(float(high), 4),
            "inside": round(float(((mine >= low) & (mine <= high)).mean()), 3),
        }
    lengths = {
        "pitch_class_distance": (
            pitch_classes(new),
            pitch_classes(corpus),
            pitch_classes(data.valid),
            pitch_classes(data.test),
        ),
        "interval_distance": (intervals(new), intervals(corpus), intervals(data.valid), intervals(data.test)),
    }
    between = {
        name: {"new_to_corpus": round(distance(a, b), 4), "valid_to_test": round(distance(c, d), 4)}
        for name, (a, b, c, d) in lengths.items()
    }
    rules = ("parallels_per_bar", "crossings_per_bar")
    loose = {name: round(float(np.mean([each[name] for each in free])), 4) for name in rules}
    return {
        "free": loose,
        "pieces": count,
        "bars": BARS,
        "corpus_pieces": len(corpus),
        "figures": rows,
        "distances": between,
    }


def _rows(music: dict) -> list[tuple[str, ...]]:
    found = []
    for name, r in music["figures"].items():
        spread = f"{r['corpus_5']:.3g} to {r['corpus_95']:.3g}"
        numbers = (f"{r['mean']:.3g}", f"{r['most']:.3g}", f"{r['corpus_mean']:.3g}", spread)
        found.append((name, *numbers, _inside(name, r), f"{r['inside']:.0%}"))
    return found


def _inside(name: str, r: dict[str, float]) -> str:
    """Says whether the new pieces' mean is within the corpus's 5th to 95th percentile and, if not, what that means."""
    if r["corpus_5"] <= r["mean"] <= r["corpus_95"]:
        return "yes"
    lower, higher = ("less copied", "more copied") if name == COPIED else ("lower", "higher")
    return f"no: {lower if r['mean'] < r['corpus_5'] else higher}"


HEADS = ("figure", "new, mean", "new, most", "corpus, mean", "corpus, 5-95 %", "mean inside", "pieces inside")


def shown(music: dict) -> str:
    """Formats the table as text."""
    lines = [
        f"{music['pieces']} new pieces of {music['bars']} bars compared with {music['corpus_pieces']} of the corpus"
    ]
    lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, (21, 9, 9, 12, 16, 15, 13), strict=True))
              for row in (HEADS, *_rows(music))]  # fmt: skip
    for name, d in music["distances"].items():
        lines.append(
            f"  {name} {d['new_to_corpus']:.3f} to the corpus (its valid to its test: {d['valid_to_test']:.3f})"
        )
    lines.append(f"  {_loosely(music)}")
    lines.append(f"  {COPIED}: chords in the longest passage that a piece shares with a training piece, in any key")
    return "\n".join(line.rstrip() for line in lines)


def _loosely(music: dict) -> str:
    """Formats the results without the constraints on parallels and crossings."""
    return "with --free: " + ", ".join(f"{name} {value:.3g}" for name, value in music["free"].items())


def markdown(music: dict) -> str:
    """Formats the table for the model card."""
    rows = [HEADS, ("---",) * len(HEADS), *(row for row in _rows(music) if row[0] not in LEFT_OUT)]
    said = "; ".join(
        f"{name.replace('_', ' ')} {d['new_to_corpus']:.3f} (valid to test {d['valid_to_test']:.3f})"
        for name, d in music["distances"].items()
    )
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines[1] = lines[1].replace(" ", "")
    return "\n".join([*lines, "", f"{music['pieces']} pieces of {music['bars']} bars; {said}; {_loosely(music)}."])
