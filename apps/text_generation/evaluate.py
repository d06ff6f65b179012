"""How good a run is: its validation and test text read both ways, beside an n-gram model of the same text."""

import datetime
import math
import sys
from pathlib import Path

import numpy as np

from shared import InputError, results, runs
from shared.baselines import NGram
from shared.checkpoint import reset_states

from .config import APP, Config, Evaluate, command
from .data import Data, load
from .model import build

HERE = Path(__file__).parent
WINDOW = 256  # tokens read at a time: nanoGPT's context for tiny Shakespeare
ORDER = {"char": 7, "word": 5}  # of the n-gram model, in tokens

PUBLISHED = {
    ("tinyshakespeare", "nats_per_char_window_256"): {
        "name": "GPT, 10.6 M parameters (nanoGPT)",
        "value": 1.4697,
    },
    ("ptb", "perplexity"): {"name": "LSTM of equal size (Bai et al. 2018)", "value": 78.9},
}


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what lies on disk."""
    run = runs.find(APP, options.run)
    records = measure(run, load(run.settings(Config)))
    report(run, records)
    if options.record:
        results.record(HERE / "results.json", records)
        results.render(HERE / "README.md", HERE / "results.json")
        print(f"Recorded in {HERE / 'results.json'}")


def measure(run: runs.Run, data: Data) -> list[dict]:
    """Measures the saved model, beside the n-gram model, and keeps the records in the run."""
    model = run.load_model()
    reader = reader_of(run, model, data.info)
    ngram = NGram(ORDER[run.config["level"]]).fit(data.train, len(data.info["vocabulary"]))
    records = []
    for split, ids in (("valid", data.valid), ("test", data.test)):
        if ids is None:
            continue
        simple = float(ngram.nats(ids)[1:].mean())
        records.append(_record(run, model, split, carried(reader, ids), simple, windowed=False))
        records.append(_record(run, model, split, _windowed(model, ids), simple, windowed=True))
    run.save_metrics(records)
    return records


def reader_of(run: runs.Run, model, info: dict):
    """The saved network with batch 1, which carries its state from window to window.

    Raises:
        InputError: the settings of the run now build another network than was saved.
    """
    reader = build(run.settings(Config), info, batch_size=1)
    ours, theirs = reader.trainable_variables, model.trainable_variables
    if [tuple(weight.shape) for weight in ours] != [tuple(weight.shape) for weight in theirs]:
        raise InputError(
            f"Expected in {run.file('model.keras')} the network that the run's settings build: {len(ours)} weights, "
            f"{reader.count_params():,} parameters. Found {len(theirs)} weights, {model.count_params():,} parameters, "
            f"saved by another version. {runs.TRAIN_AGAIN}"
        )
    for weight, saved in zip(ours, theirs, strict=True):
        weight.assign(saved)
    return reader


def carried(reader, ids: np.ndarray) -> float:
    """Mean nats of a token where the state goes through the whole text, which is read window by window."""
    reset_states(reader)
    starts = range(0, len(ids) - 1, WINDOW)
    return sum(_nats(reader, ids[None, start : start + WINDOW + 1]) for start in starts) / (len(ids) - 1)


def _windowed(model, ids: np.ndarray) -> float:
    """Mean nats of a token where every window of 256 starts from a zero state."""
    window = min(WINDOW, len(ids) - 1)
    count = (len(ids) - 1) // window
    rows = np.stack([ids[start : start + window + 1] for start in range(0, count * window, window)])
    return sum(_nats(model, some) for some in np.array_split(rows, max(1, count // 32))) / (count * window)


def _nats(model, rows: np.ndarray) -> float:
    """The summed nats of all tokens but the first of each row (batch, time)."""
    logits = np.array(model(rows[:, :-1], training=False), dtype=np.float64)
    picked = np.take_along_axis(logits, rows[:, 1:, None], axis=-1)
    return float(np.logaddexp.reduce(logits, axis=-1).sum() - picked.sum())


def _record(run: runs.Run, model, split: str, nats: float, simple: float, windowed: bool) -> dict:
    config = run.config
    metric, figure = ("nats_per_char", float) if config["level"] == "char" else ("perplexity", math.exp)
    metric += f"_window_{WINDOW}" if windowed else ""
    return {
        "data": config["data"],
        "split": split,
        "metric": metric,
        "direction": "lower",
        "arch": config["arch"],
        "params": model.count_params(),
        "value": round(figure(nats), 6),
        "std": None,
        "seeds": 1,
        "baseline": {"name": f"kneser_ney_{ORDER[config['level']]}_gram", "value": round(figure(simple), 6)},
        "published": PUBLISHED.get((config["data"], metric)),
        "minutes": round(run.seconds() / 60, 1),
        "command": command(Config(**config)),
        "hardware": runs.hardware(),
        "versions": runs.versions(),
        "date": datetime.date.today().isoformat(),
    }


def report(run: runs.Run, records: list[dict]) -> None:
    """Prints the figures beside the n-gram model and says which one wins."""
    print(f"\n{run.path}: {records[0]['minutes']} minutes of training")
    for record in records:
        value, baseline = record["value"], record["baseline"]
        bits = f" ({value / math.log(2):.3f} bits)" if "nats" in record["metric"] else ""
        published = f"; published {record['published']['value']}" if record["published"] else ""
        print(
            f"  {record['split']:5} {record['metric']:25} {value:8.4f}{bits}   "
            f"{baseline['name']} {baseline['value']:.4f}: {results.winner(record)}{published}"
        )
    sys.stdout.flush()
