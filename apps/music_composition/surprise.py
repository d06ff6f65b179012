"""Prints and plots how surprising a piece is to the network, bar by bar."""

from pathlib import Path

import numpy as np

from shared import InputError, plots, runs
from shared.data.wording import sized

from . import chorales, output
from .config import APP
from .data import voice_slots
from .options import Score
from .piece import Piece
from .predict import Predictor
from .sources import read_one, said_of


def score(options: Score) -> None:
    """Runs the score command: prints each bar's nats per frame and writes surprise.png to the run's folder."""
    run = runs.find(APP, options.run)
    predictor = Predictor(run)
    piece = find(options.piece, predictor.steps)
    nats = predictor.nats(piece)
    print(output.text(piece))
    starts, surprise = by_bar(piece, nats)
    print(f"\n{sized(len(piece), 'frames')}: {nats.sum() / len(piece):.3f} nats per frame")
    print(
        "by voice: "
        + ", ".join(f"{n} {nats[:, i].mean():.3f}" for i, n in enumerate(voice_slots(predictor.representation)))
    )
    for number, value in enumerate(surprise, 1):
        print(f"bar {number:3}  {value:6.2f}  {'#' * round(4 * value)}")
    most = int(np.argmax(surprise))
    print(f"Most surprising: bar {most + 1} ({surprise[most]:.2f} nats per frame)")
    path = run.file("surprise.png")
    picture(piece, starts, surprise, path)
    print(f"Picture: {path}")


def find(name: str, steps: int) -> Piece:
    """Returns the piece given by a path or the number of a chorale."""
    if Path(name).exists():
        return read_one(name, steps)
    piece = chorales.find(name, steps)
    if piece is None:
        raise InputError(f"Expected a file of music or the number of a chorale, such as bwv66.6. Received: {name}")
    return said_of([piece], name)[0]


def by_bar(piece: Piece, nats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the starts of the bars, including an upbeat, and the mean nats per frame in each."""
    starts = np.union1d([0], np.flatnonzero(piece.position == 0))
    ends = np.append(starts[1:], len(piece))
    return starts, np.array([nats[a:b].sum() / (b - a) for a, b in zip(starts, ends, strict=True)])


def picture(piece: Piece, starts: np.ndarray, surprise: np.ndarray, path: Path) -> None:
    """Plots the nats per frame of each bar."""
    figure, axes = plots.new_figure(f"Surprise of {piece.name}", size=(9, 3))
    axes.bar(np.arange(1, len(starts) + 1), surprise, color="tab:purple")
    axes.set(xlabel="bar", ylabel="nats per frame")
    plots.save(figure, path)
