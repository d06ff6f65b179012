"""Evaluates a run against the baselines: recall, accuracy, calibration, abstention, speed."""

import functools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, calibration, lines, paired, plots, results, runs, trials
from shared.data.wording import sized

from . import baselines
from .config import APP, Config
from .data import Data, Part, load, other
from .options import Evaluate
from .predict import Predictor, ready

HEADLINE = ("accuracy", "macro_recall")  # the run's goal determines which one comes first
SCORES = {"macro_recall": baselines.macro_recall, "accuracy": baselines.accuracy}
SAME_SENTENCES = {"builtin", "mr_polarity"}  # the former includes film reviews of the latter
TIMED = 50  # number of texts to time individually
PUBLISHED = {
    ("tweeteval", "macro_recall"): {"name": "BiLSTM (Barbieri et al. 2020)", "value": 0.583},
    ("mr_polarity", "accuracy"): {"name": "CNN-rand (Kim 2014)", "value": 0.761},
}


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate command: evaluates a saved run on its own test texts or on others."""
    run = runs.find(APP, options.run)
    config = run.settings(Config)
    if {config.data, options.data} == SAME_SENTENCES:
        raise InputError(f"--data: {options.data} shares sentences with {config.data}, which {run.path} was trained on")
    if options.data:
        part = other(config, run.info(), options.data)
        print(f"{sized(len(part.texts), 'texts')} of {options.data}")
        report(figures(ready(run.tested_on(options.data)), part, published={}))
        return
    data = load(config)
    run.check(data.info)
    records = measure(ready(run), data)
    report(records)
    if options.record:
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data) -> list[dict]:
    """Evaluates the test texts; plots the reliability diagram."""
    config = predictor.run.config
    temperature = predictor.calibration["temperature"]
    title = f"{results.plain_name(config['data'])}, test, T = {temperature:.2f}"
    draw(predictor.probabilities(data.test.encoded), data.test.labels, predictor.run.picture("reliability.png"), title)
    return figures(predictor, data.test, {} if config["labels"] else PUBLISHED)


def figures(predictor: Predictor, part: Part, published: dict) -> list[dict]:
    """Returns the records of labelled texts, compared with the baselines fitted in training."""
    config, labels = predictor.run.config, part.labels
    chances = predictor.probabilities(part.encoded)
    others = baselines.answers(baselines.load(predictor.run), part, predictor.run.info())
    figure = functools.partial(
        results.record,
        predictor.run,
        predictor.model,
        split="test",
        task={"labels": list(config["labels"])} if config["labels"] else {},
    )
    records = []
    for metric, score in SCORES.items():
        records.append(
            figure(
                metric=metric,
                **compared(score, chances, others, labels),
                published=published.get((config["data"], metric)),
                details=_details(predictor, part, chances) if metric == config["goal"] else None,
            )
        )
    linear = {"tfidf_logreg": calibration.probabilities(others["tfidf_logreg"])}
    error = calibration.expected_calibration_error
    records.append(figure(metric="ece", **compared(error, chances, linear, labels, "lower")))
    return results.headed(records, (config["goal"],))


def compared(
    score: Callable[[np.ndarray, np.ndarray], float],
    ours: np.ndarray,
    theirs: Mapping[str, np.ndarray],
    labels: np.ndarray,
    direction: str = "higher",
) -> dict[str, Any]:
    """Compares a metric of the scores (rows, labels) of model and baselines on the same texts, see `shared.paired`."""
    return paired.compared(lambda scores, rows: score(scores[rows], labels[rows]), ours, theirs, len(labels), direction)


def _details(predictor: Predictor, part: Part, chances: np.ndarray) -> dict[str, Any]:
    """Returns the effect of each model, the abstention rate, the accuracy on the rest, and the speed."""
    score = SCORES[predictor.run.config["goal"]]
    answered = predictor.sure(part.encoded, chances)
    right = (chances.argmax(axis=1) == part.labels)[answered]
    counts = {"right": int(right.sum()), "wrong": int((~right).sum()), "not sure": int((~answered).sum())}
    predictor.warm_up()
    started = time.perf_counter()
    predictor.logits(part.encoded)
    many = len(part.encoded) / (time.perf_counter() - started)
    alone, _ = lines.timed(lambda text: predictor.logits([text]), part.encoded[:TIMED])
    return {
        "network_alone": round(score(predictor.network(part.encoded), part.labels), 4),
        "linear_share": round(predictor.stack.share, 4),
        "abstained": round(float(1 - answered.mean()), 4),
        "accuracy_of_answers": round(float(right.mean()), 4) if len(right) else 0.0,
        "answers": counts,
        **({"by_kind": by_kind(part, chances, score)} if any(part.kinds) else {}),
        "texts_per_s": round(many),
        "ms_per_text": round(alone, 2),
    }


def by_kind(part: Part, chances: np.ndarray, score: Callable) -> dict[str, dict[str, float]]:
    """Returns the metric, the expected calibration error and the number of texts for each kind."""
    kinds, found = np.array(part.kinds), {}
    for kind in sorted(set(part.kinds)):
        rows, labels = chances[kinds == kind], part.labels[kinds == kind]
        error = calibration.expected_calibration_error(rows, labels)
        found[kind] = {"score": round(score(rows, labels), 4), "ece": round(error, 4), "texts": len(rows)}
    return found


def report(records: list[dict]) -> None:
    """Prints the metrics, the effect of the linear model, the abstention rate, and the speed."""
    results.report(records)
    found = records[0]["details"]
    print(
        f"  weight of the linear model {found['linear_share']:.0%}; "
        f"{records[0]['metric']} of the network alone: {found['network_alone']:.4f}"
    )
    rest = f"; accuracy on the rest {found['accuracy_of_answers']:.1%}" if found["abstained"] < 1 else ""
    counts = ", ".join(f"{round(count):,} {name}" for name, count in found["answers"].items())
    print(f"  abstains on {found['abstained']:.1%}{rest} ({counts})")
    for kind, each in found.get("by_kind", {}).items():
        score = f"{records[0]['metric']} {each['score']:.4f}"
        print(f"  {kind:8} {score}, ece {each['ece']:.4f} ({sized(round(each['texts']), 'texts')})")
    print(f"  {found['texts_per_s']:,.0f} texts/s in batches, {found['ms_per_text']:.1f} ms for one text", flush=True)


def draw(probability: np.ndarray, labels: np.ndarray, path: Path, title: str) -> None:
    """Plots the reliability diagram: accuracy over confidence, which are equal on the diagonal."""
    figure, axes = plots.new_figure(title, size=(5.0, 4.5))
    confidence, right, share = np.array(calibration.bins(probability, labels)).T
    axes.plot([0, 1], [0, 1], "k--", label="perfect calibration")
    axes.bar(confidence, share, width=0.5 / calibration.BINS, color="lightgrey", label="share of the texts")
    plots.observed_shares(axes, confidence, right, share * len(labels), "accuracy, 95 % interval")
    axes.set(xlabel="confidence", ylabel="share", xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    plots.save(figure, path)
