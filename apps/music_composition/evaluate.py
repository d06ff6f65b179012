"""Evaluates a run: likelihood and harmonisation against Markov chains, composed pieces against the corpus."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared import paired, results, runs, tables, trials

from . import comparison
from .baselines import ORDERS, Markov
from .config import APP, Config
from .data import Data, load, tested_on, voice_slots
from .options import Evaluate
from .piece import SLOTS, VOICES, Piece
from .predict import Predictor, force, free_tokens, measured
from .tokens import decode, slots

HERE = Path(__file__).parent
PARTS = ("test", "valid")
HEADLINE = ("nll_per_frame",)
PIECES, MELODIES = 20, 24  # number composed and harmonised at the end of training
MUSIC_BEGIN, MUSIC_END = "<!-- music: begin (generated) -->", "<!-- music: end -->"
PUBLISHED = {"jsb_chorales": {"name": "RNN-NADE; LSTM 8.45, TCN 8.10", "value": 5.56}}


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate command: evaluates a saved run on its own pieces or on others."""
    run, parts, pieces = runs.find(APP, options.run), PARTS, options.pieces
    data = load(run.settings(Config))
    run.check(data.info)
    if options.data:
        data, parts, pieces = tested_on(data, options.data), ("test",), 0
        run = run.tested_on(options.data)
    records = measure(Predictor(run), data, pieces, options.melodies, parts)
    report(records)
    report_music(records)
    if options.record:
        kept = trials.summary(trials.siblings(run)) if run.finished() else records
        results.keep(kept, HERE)
        if kept[0]["data"] == "builtin":
            music = comparison.markdown(kept[0]["details"]["music"])
            tables.replace(HERE / "README.md", music, MUSIC_BEGIN, MUSIC_END)


def measure(
    predictor: Predictor,
    data: Data,
    pieces: int = PIECES,
    melodies: int = MELODIES,
    parts: Sequence[str] = PARTS,
) -> list[dict]:
    """Evaluates the run on test and validation pieces.

    Args:
        predictor: the run to evaluate.
        data: the run's data, possibly with other test pieces.
        pieces: number of pieces to compose and compare with the corpus; 0 = none.
        melodies: number of test melodies to harmonise; 0 = all.
        parts: splits to evaluate on.
    """
    representation = predictor.representation
    markov = best_markov(data, representation)
    figure = functools.partial(results.record, predictor.run, predictor.model, task={"representation": representation})
    records = []
    for split in parts:
        part = getattr(data, split)
        each, right = measured(predictor.model, part, representation)
        theirs, markov_right = markov.measure(part)
        names = voice_slots(representation)
        found = {
            "accuracy": dict(zip(names, np.round(right, 4).tolist(), strict=True)),
            "accuracy_markov": dict(zip(names, np.round(markov_right, 4).tolist(), strict=True)),
        }
        if split == "test" and pieces:
            found["music"] = comparison.table(predictor, data, pieces)
        published = (
            PUBLISHED.get(predictor.run.config["data"]) if representation == "roll" and split == "test" else None
        )
        compared = per_frame([e.sum() for e in each], {markov.name: theirs}, part, "lower")
        records.append(figure(split=split, metric="nll_per_frame", **compared, published=published, details=found))
    if representation == "voices" and any(piece.pitches[:, 0].any() for piece in data.test):
        for voice, compared in harmonies(predictor, data, melodies).items():
            records.append(figure(split="test", metric="harmonisation_accuracy", **compared, options={"voice": voice}))
    return results.headed(records, HEADLINE)


def per_frame(
    ours: Sequence[float], theirs: dict[str, Sequence[float]], pieces: list[Piece], direction: str
) -> dict[str, Any]:
    """Averages per-piece sums over all frames, and compares as `shared.paired.compared` does."""
    frames = np.array([len(piece) for piece in pieces])
    sums = {name: np.array(values, float) for name, values in theirs.items()}

    def score(values: np.ndarray, rows: np.ndarray) -> float:
        return float(values[rows].sum() / frames[rows].sum())

    return paired.compared(score, np.array(ours, float), sums, len(pieces), direction)


def best_markov(data: Data, representation: str) -> Markov:
    """Returns the best Markov chain on validation, of order 1 to 3, with and without the frame's earlier voices."""
    last = slots(representation) - 1
    tried = [Markov(order, within).fit(data.train, representation) for order in ORDERS for within in (0, last)]
    return min(tried, key=lambda chain: chain.measure(data.valid)[0].sum())


def harmonies(predictor: Predictor, data: Data, melodies: int) -> dict[str, dict[str, Any]]:
    """Returns the accuracy of alto, tenor and bass under given test melodies, per frame, compared with the chains'."""
    pieces = [piece for piece in data.test if piece.pitches[:, 0].any()][: melodies or None]
    allowed = free_tokens(predictor, pieces, ranges=True)
    for one, piece in zip(allowed, pieces, strict=True):
        force(one, piece, predictor.representation, slice(None), slice(1))
    ours = predictor.write(pieces, allowed, temperature=0.0, top_p=1.0, seed=0, free=True)
    within = (1, SLOTS - 1)
    chains = [Markov(order, seen).fit(data.train, predictor.representation) for order in ORDERS for seen in within]
    theirs = {c.name: [decode(c.harmonise(p), predictor.representation)[0] for p in pieces] for c in chains}
    return {
        VOICES[voice]: per_frame(
            agreement([piece.pitches for piece in ours], pieces, voice),
            {name: agreement(made, pieces, voice) for name, made in theirs.items()},
            pieces,
            "higher",
        )
        for voice in range(1, SLOTS)
    }


def agreement(made: list[np.ndarray], pieces: list[Piece], voice: int) -> list[int]:
    """Returns the number of frames of each piece in which the voice has the piece's own pitch."""
    return [int((m[:, voice] == p.pitches[:, voice]).sum()) for m, p in zip(made, pieces, strict=True)]


def report(records: list[dict]) -> None:
    """Prints the metrics and the top-1 accuracies."""
    results.report(records)
    for r in records:
        if "accuracy" in (found := r.get("details", {})):
            each = (f"{n} {a:.1%} ({found['accuracy_markov'][n]:.1%})" for n, a in found["accuracy"].items())
            print(f"  {r['split']:5} most probable token right (Markov chain): {', '.join(each)}")


def report_music(records: list[dict]) -> None:
    """Prints the comparison of new pieces with the corpus, if any were composed."""
    if music := records[0]["details"].get("music"):
        print("\n" + comparison.shown(music), flush=True)
