"""Evaluates a run on test sequences, compared with a memoryless baseline."""

import csv
from pathlib import Path

import numpy as np

from shared import paired, results, runs, trials

from .config import APP, Config
from .data import Data, load
from .options import Evaluate
from .predict import Predictor
from .tasks import ALPHABET, TASKS

HEADLINE = ("mse", "accuracy")


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate command: evaluates a saved run."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    records = measure(Predictor(run), data)
    report(records)
    if options.record:
        done = trials.summary(trials.siblings(run)) if run.finished() else records
        # Only the main metric: the README has one column per task and length.
        results.keep([record for record in done if record["headline"]], Path(__file__).parent)


def measure(predictor: Predictor, data: Data) -> list[dict]:
    """Evaluates the answers to the test sequences."""
    run, (inputs, targets) = predictor.run, data.test
    baseline, theirs = baseline_figures(data, run.config["data"])
    records = [
        results.record(
            run,
            predictor.model,
            split="test",
            metric=metric,
            **paired.compared(_mean, ours, {baseline: theirs[metric]}, len(ours), direction(metric)),
            task={"length": run.config["length"]},
            details={"sequences": sequences_seen(run, data)} if metric in HEADLINE else None,
        )
        for metric, ours in figures(predictor.answers(inputs), targets).items()
    ]
    return results.headed(records, HEADLINE)


def _mean(figures: np.ndarray, rows: np.ndarray) -> float:
    return float(figures[rows].mean())


def figures(answers: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    """Returns metrics (rows,) of the answers (rows, answers, outputs), the main one first; for targets see `Data`."""
    answers = answers.astype(np.float64)
    if answers.shape[-1] == 1:
        return {"mse": np.square(answers - targets).mean(axis=(1, 2))}
    nats = np.logaddexp.reduce(answers, axis=-1) - np.take_along_axis(answers, targets[..., None], axis=-1)[..., 0]
    right = answers.argmax(axis=-1) == targets
    return {"accuracy": right.mean(axis=1), "nats_per_answer": nats.mean(axis=1)}


def direction(metric: str) -> str:
    """Returns which values of a metric are better, "higher" or "lower"."""
    return "higher" if metric == "accuracy" else "lower"


def baseline_figures(data: Data, task: str) -> tuple[str, dict[str, np.ndarray]]:
    """Returns the name of the baseline, which has no memory over time, and its metrics for each test sequence."""
    if task == "adding":
        targets = data.test[1]
        return "always_1", figures(np.ones_like(targets), targets)
    if task == "copy":
        shares = np.full(len(data.test[0]), 1 / len(ALPHABET))
        return "guess", {"accuracy": shares, "nats_per_answer": -np.log(shares)}
    from sklearn.linear_model import LogisticRegression

    (inputs, targets), (test, expected) = data.train.arrays, data.test
    fitted = LogisticRegression(max_iter=2_000).fit(inputs[..., 0], targets[:, 0])
    return "logistic_regression", figures(fitted.predict_log_proba(test[..., 0])[:, None], expected)


def sequences_seen(run: runs.Run, data: Data) -> int:
    """Returns the number of sequences the run was trained on, including repetitions."""
    with run.file("history.csv").open(newline="") as file:
        epochs = sum(1 for _ in csv.DictReader(file))
    return epochs * data.train.steps * run.config["batch_size"]


def report(records: list[dict]) -> None:
    """Prints the metrics, and whether the task is solved."""
    results.report(records)
    print(f"  {verdict(records[0])}", flush=True)


def verdict(record: dict) -> str:
    """Formats whether the task is solved, and after how many sequences (averaged over several runs)."""
    threshold = TASKS[record["data"]].solved_at
    seen = f"{record['details']['sequences']:,.0f} sequences"
    if threshold is None:
        return f"trained on {seen}"
    side = "above" if record["direction"] == "higher" else "below"
    if solved(record):
        return f"solved after {seen}: {record['metric']} is {side} {threshold}"
    return f"not solved after {seen}: {record['metric']} is not {side} {threshold}"


def solved(record: dict) -> bool:
    """Returns whether the main metric is better than the task's threshold; False if it has none."""
    threshold = TASKS[record["data"]].solved_at
    if threshold is None:
        return False
    return paired.goodness(record["value"], record["direction"]) > paired.goodness(threshold, record["direction"])
