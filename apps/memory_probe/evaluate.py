"""How well a run remembers: its answers to test sequences, beside a simple method without memory."""

import csv
import datetime
import sys
from pathlib import Path
from typing import Any

import numpy as np

from shared import results, runs

from .config import APP, Config, Evaluate, command
from .data import Data, load
from .tasks import ALPHABET, TASKS

HERE = Path(__file__).parent
BATCH = 40  # divides what is measured, 1,000 sequences or 360 digits: one shape to compile


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what lies on disk."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    records = measure(run, data)
    report(run, records, data)
    if options.record:
        keep(records[:1])


def measure(run: runs.Run, data: Data) -> list[dict]:
    """Measures the saved model on test, keeps the records in the run; the first is the task's own figure."""
    model = run.load_model()
    inputs, targets = data.test
    ours = figures(model.predict(inputs, batch_size=BATCH, verbose=0), targets)
    name, simple = baseline(data)
    config = run.config
    records = [
        {
            "data": f"{config['data']} T={config['length']}",
            "split": "test",
            "metric": metric,
            "direction": "higher" if metric == "accuracy" else "lower",
            "arch": config["arch"],
            "params": model.count_params(),
            "value": round(value, 5),
            "std": None,
            "seeds": 1,
            "baseline": {"name": name, "value": round(simple[metric], 5)},
            "published": None,
            "minutes": round(run.seconds() / 60, 1),
            "command": command(Config(**config)),
            "hardware": runs.hardware(),
            "versions": runs.versions(),
            "date": datetime.date.today().isoformat(),
        }
        for metric, value in ours.items()
    ]
    run.save_metrics(records)
    return records


def figures(answers: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """The figures of answers (rows, answers, outputs), the task's own first; see `Data` for the targets."""
    answers = answers.astype(np.float64)
    if answers.shape[-1] == 1:
        return {"mse": float(np.square(answers - targets).mean())}
    nats = np.logaddexp.reduce(answers, axis=-1) - np.take_along_axis(answers, targets[..., None], axis=-1)[..., 0]
    right = answers.argmax(axis=-1) == targets
    return {"accuracy": float(right.mean()), "nats_per_answer": float(nats.mean())}


def baseline(data: Data) -> tuple[str, dict[str, float]]:
    """The name of the simple method and its figures on test: what can be had without remembering over time."""
    task = data.info["task"]
    if task == "adding":
        targets = data.test[1]
        return "always_1", figures(np.ones_like(targets), targets)
    if task == "copy":
        share = 1 / len(ALPHABET)
        return "guess", {"accuracy": share, "nats_per_answer": -float(np.log(share))}
    from sklearn.linear_model import LogisticRegression

    (inputs, targets), (test, expected) = data.train.arrays, data.test
    fitted = LogisticRegression(max_iter=2_000).fit(inputs[..., 0], targets[:, 0])
    return "logistic_regression", figures(fitted.predict_log_proba(test[..., 0])[:, None], expected)


def report(run: runs.Run, records: list[dict], data: Data) -> None:
    """Prints the figures beside the simple method's, and what the network was worth."""
    with run.file("history.csv").open(newline="") as file:
        epochs = list(csv.DictReader(file))
    seen = len(epochs) * data.train.steps * run.config["batch_size"]
    print(f"\n{run.path}: {seen:,} sequences, {records[0]['minutes']} minutes of training")
    for record in records:
        value, simple = record["value"], record["baseline"]
        print(f"  {record['split']} {record['metric']:22} {value:8.4f}   {simple['name']} {simple['value']:.4f}")
    print(f"  {verdict(records[0], seen)}")
    sys.stdout.flush()


def verdict(record: dict, seen: int) -> str:
    """Whether the task is solved, or if that is not a question of yes and no, which one wins."""
    line = TASKS[record["data"].split()[0]].solved
    if line is None:
        return results.winner(record)
    sign = 1 if record["direction"] == "higher" else -1
    side = "above" if sign > 0 else "below"
    if sign * record["value"] > sign * line:
        return f"solved after {seen:,} sequences: {record['metric']} is {side} {line}"
    return f"not solved: {record['metric']} is not {side} {line}; {results.winner(record)}"


def keep(records: list[dict[str, Any]]) -> None:
    """Writes records into results.json and the README, in place of older ones of the same task and network."""
    path = HERE / "results.json"
    new = {_cell(record) for record in records}
    old = runs.read_json(path, list) if path.exists() else []
    runs.write_json(path, [record for record in old if _cell(record) not in new])
    results.record(path, records)
    results.render(HERE / "README.md", path)
    print(f"Recorded in {path}")


def _cell(record: dict) -> tuple:
    """What is measured, whatever the command: a figure over more seeds replaces one over fewer."""
    return tuple(record[key] for key in ("data", "split", "metric", "arch", "params"))
