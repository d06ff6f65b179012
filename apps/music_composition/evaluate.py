"""How good a run is: surprise and harmonies beside Markov chains, new pieces beside the corpus."""

import datetime
import sys
from pathlib import Path

import numpy as np

from shared import results, runs

from . import comparison
from .baselines import ORDERS, Markov
from .config import APP, Config, Evaluate, command
from .data import Data, load, voice_slots
from .piece import SLOTS, VOICES, Piece
from .tokens import decode, slots
from .writer import Writer, force, free_tokens, measured

HERE = Path(__file__).parent
MUSIC_BEGIN, MUSIC_END = "<!-- music: begin (generated) -->", "<!-- music: end -->"
PUBLISHED = {"jsb_chorales": {"name": "RNN-NADE; LSTM 8.45, TCN 8.10", "value": 5.56}}


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what lies on disk."""
    run = runs.find(APP, options.run)
    records = measure(run, load(run.settings(Config)), options.pieces, options.melodies)
    report(run, records)
    if options.record:
        results.record(HERE / "results.json", records)
        results.render(HERE / "README.md", HERE / "results.json")
        render_music(records)
        print(f"Recorded in {HERE / 'results.json'}")


def measure(run: runs.Run, data: Data, pieces: int = 20, melodies: int = 24) -> list[dict]:
    """Measures the saved model on validation and test and keeps the records in the run.

    Args:
        pieces: how many are composed and laid beside the corpus. melodies: test melodies to harmonise; 0 = all.
    """
    writer = Writer(run)
    form = run.config["form"]
    markov = best_markov(data, form)
    records = []
    for split, part in (("valid", data.valid), ("test", data.test)):
        each, right = measured(writer.model, part, form)
        frames = sum(map(len, part))
        simple, simple_right = markov.measure(part)
        published = PUBLISHED.get(run.config["data"]) if form == "roll" and split == "test" else None
        records.append(
            _record(
                run, writer, split, "nll_per_frame", "lower", sum(e.sum() for e in each) / frames, markov.name, simple
            )
            | {
                "published": published,
                "accuracy": dict(zip(voice_slots(form), np.round(right, 4).tolist(), strict=True)),
                "accuracy_markov": dict(zip(voice_slots(form), np.round(simple_right, 4).tolist(), strict=True)),
            }
        )
    if form == "voices":
        records += harmonies(run, writer, data, melodies)
    records[0]["music"] = comparison.table(writer, data, pieces)
    run.save_metrics(records)
    return records


def best_markov(data: Data, form: str) -> Markov:
    """Of chains of order 1 to 3, with and without the voices before in the frame, the best on validation."""
    tried = [Markov(order, within).fit(data.train, form) for order in ORDERS for within in (0, slots(form) - 1)]
    return min(tried, key=lambda chain: chain.measure(data.valid)[0])


def harmonies(run: runs.Run, writer: Writer, data: Data, melodies: int) -> list[dict]:
    """How often alto, tenor and bass under the test melodies are Bach's own pitch, frame by frame."""
    pieces = [piece for piece in data.test if piece.pitches[:, 0].any()][: melodies or None]
    allowed = free_tokens(writer, pieces, ranges=True)
    for one, piece in zip(allowed, pieces, strict=True):
        force(one, piece, writer.form, slice(None), slice(1))
    ours = writer.write(pieces, allowed, temperature=0.0, top_p=1.0, seed=0, free=True)
    chains = [Markov(order, within).fit(data.train, writer.form) for order in ORDERS for within in (1, SLOTS - 1)]
    theirs = {chain.name: [decode(chain.harmonise(p), writer.form)[0] for p in pieces] for chain in chains}
    records = []
    for voice in range(1, SLOTS):
        found = {name: agreement(made, pieces, voice) for name, made in theirs.items()}
        name = max(found, key=lambda n: found[n])
        value = agreement([piece.pitches for piece in ours], pieces, voice)
        metric = f"harmonisation_accuracy_{VOICES[voice]}"
        records.append(_record(run, writer, "test", metric, "higher", value, name, found[name]))
    return records


def agreement(made: list[np.ndarray], pieces: list[Piece], voice: int) -> float:
    """The share of frames in which the voice has the piece's own pitch."""
    same = [m[:, voice] == p.pitches[:, voice] for m, p in zip(made, pieces, strict=True)]
    return float(np.concatenate(same).mean())


def _record(
    run, writer, split: str, metric: str, direction: str, value: float, simple: str, simple_value: float
) -> dict:
    config = run.config
    return {
        "data": config["data"]
        if config["data"] == "builtin" or config["form"] == "voices"
        else f"{config['data']} roll",
        "split": split,
        "metric": metric,
        "direction": direction,
        "arch": config["arch"],
        "params": writer.model.count_params(),
        "value": round(float(value), 5),
        "std": None,
        "seeds": 1,
        "baseline": {"name": simple, "value": round(float(simple_value), 5)},
        "published": None,
        "minutes": round(run.seconds() / 60, 1),
        "command": command(Config(**config)),
        "hardware": runs.hardware(),
        "versions": runs.versions(),
        "date": datetime.date.today().isoformat(),
    }


def report(run: runs.Run, records: list[dict]) -> None:
    """Prints the figures beside the Markov chain's and says which wins; then the new pieces beside the corpus."""
    print(f"\n{run.path}: {records[0]['minutes']} minutes of training")
    for record in records:
        value, simple = record["value"], record["baseline"]
        published = (
            f"; published {record['published']['value']} {record['published']['name']}" if record["published"] else ""
        )
        simply = f"{simple['name']} {simple['value']:.4f}"
        print(
            f"  {record['split']:5} {record['metric']:29} {value:8.4f}   {simply}: {results.winner(record)}{published}"
        )
        if "accuracy" in record:
            said = ", ".join(f"{n} {a:.1%} ({record['accuracy_markov'][n]:.1%})" for n, a in record["accuracy"].items())
            print(f"        likeliest token right (Markov): {said}")
    print("\n" + comparison.shown(records[0]["music"]))
    sys.stdout.flush()


def render_music(records: list[dict]) -> None:
    """Puts the table of new pieces beside the corpus into the README, for the built-in chorales."""
    if records[0]["data"] != "builtin":
        return
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(MUSIC_BEGIN)[0], text.split(MUSIC_END)[1]
    table = comparison.markdown(records[0]["music"])
    runs.write_text(readme, f"{before}{MUSIC_BEGIN}\n{table}\n{MUSIC_END}{after}")
