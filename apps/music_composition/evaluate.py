"""How good a run is: likelihood and harmonies compared with Markov chains, new pieces compared with the corpus."""

import functools
from pathlib import Path

import numpy as np

from shared import results, runs, trials

from . import comparison
from .baselines import ORDERS, Markov
from .config import APP, Config
from .data import Data, load, voice_slots
from .options import Evaluate
from .piece import SLOTS, VOICES, Piece
from .predict import Predictor, force, free_tokens, measured
from .tokens import decode, slots

HERE = Path(__file__).parent
HEADLINE = ("nll_per_frame",)
PIECES, MELODIES = 20, 24  # composed, and harmonised, at the end of a training
MUSIC_BEGIN, MUSIC_END = "<!-- music: begin (generated) -->", "<!-- music: end -->"
PUBLISHED = {"jsb_chorales": {"name": "RNN-NADE; LSTM 8.45, TCN 8.10", "value": 5.56}}


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what is stored in its folder."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    records = measure(Predictor(run), data, options.pieces, options.melodies)
    report(records)
    if options.record:
        kept = trials.summary(trials.siblings(run)) if run.finished() else records
        results.keep(kept, HERE)
        if kept[0]["data"] == "builtin":
            music = comparison.markdown(kept[0]["details"]["music"])
            results.replace(HERE / "README.md", music, MUSIC_BEGIN, MUSIC_END)


def measure(predictor: Predictor, data: Data, pieces: int = PIECES, melodies: int = MELODIES) -> list[dict]:
    """Measures the validation and test pieces.

    Args:
        pieces: how many are composed and compared with the corpus. melodies: test melodies to harmonise; 0 = all.
    """
    representation = predictor.representation
    markov = best_markov(data, representation)
    figure = functools.partial(
        results.record, predictor.run, predictor.model.count_params(), task={"representation": representation}
    )
    records = []
    for split, part in (("test", data.test), ("valid", data.valid)):
        each, right = measured(predictor.model, part, representation)
        nats, markov_right = markov.measure(part)
        names = voice_slots(representation)
        found = {
            "accuracy": dict(zip(names, np.round(right, 4).tolist(), strict=True)),
            "accuracy_markov": dict(zip(names, np.round(markov_right, 4).tolist(), strict=True)),
        }
        published = (
            PUBLISHED.get(predictor.run.config["data"]) if representation == "roll" and split == "test" else None
        )
        records.append(
            figure(
                split=split,
                metric="nll_per_frame",
                value=float(sum(e.sum() for e in each) / sum(map(len, part))),
                direction="lower",
                baselines={markov.name: nats},
                published=published,
                details=found | ({"music": comparison.table(predictor, data, pieces)} if split == "test" else {}),
            )
        )
    if representation == "voices":
        for voice, (ours, chains) in harmonies(predictor, data, melodies).items():
            metric = "harmonisation_accuracy"
            records.append(figure(split="test", metric=metric, value=ours, options={"voice": voice}, baselines=chains))
    return results.headed(records, HEADLINE)


def best_markov(data: Data, representation: str) -> Markov:
    """Of chains of order 1 to 3, with and without the voices before in the frame, the best on validation."""
    last = slots(representation) - 1
    tried = [Markov(order, within).fit(data.train, representation) for order in ORDERS for within in (0, last)]
    return min(tried, key=lambda chain: chain.measure(data.valid)[0])


def harmonies(predictor: Predictor, data: Data, melodies: int) -> dict[str, tuple[float, dict[str, float]]]:
    """The share of frames in which alto, tenor and bass under a test melody are Bach's own: ours, the chains'."""
    pieces = [piece for piece in data.test if piece.pitches[:, 0].any()][: melodies or None]
    allowed = free_tokens(predictor, pieces, ranges=True)
    for one, piece in zip(allowed, pieces, strict=True):
        force(one, piece, predictor.representation, slice(None), slice(1))
    ours = predictor.write(pieces, allowed, temperature=0.0, top_p=1.0, seed=0, free=True)
    within = (1, SLOTS - 1)
    chains = [Markov(order, seen).fit(data.train, predictor.representation) for order in ORDERS for seen in within]
    theirs = {c.name: [decode(c.harmonise(p), predictor.representation)[0] for p in pieces] for c in chains}
    return {
        VOICES[voice]: (
            agreement([piece.pitches for piece in ours], pieces, voice),
            {name: agreement(made, pieces, voice) for name, made in theirs.items()},
        )
        for voice in range(1, SLOTS)
    }


def agreement(made: list[np.ndarray], pieces: list[Piece], voice: int) -> float:
    """The share of frames in which the voice has the piece's own pitch."""
    same = [m[:, voice] == p.pitches[:, voice] for m, p in zip(made, pieces, strict=True)]
    return float(np.concatenate(same).mean())


def report(records: list[dict]) -> None:
    """Prints the figures, how often the most probable token is right, and the new pieces compared with the corpus."""
    results.report(records)
    for r in records:
        if "accuracy" in (found := r.get("details", {})):
            each = (f"{n} {a:.1%} ({found['accuracy_markov'][n]:.1%})" for n, a in found["accuracy"].items())
            print(f"  {r['split']:5} most probable token right (Markov chain): {', '.join(each)}")
    print("\n" + comparison.shown(records[0]["details"]["music"]), flush=True)
