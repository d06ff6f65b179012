"""How good a run is compared with the baselines: recall, accuracy, calibration, abstention, speed."""

import functools
import time
from pathlib import Path

import numpy as np

from shared import calibration, lines, plots, results, runs, trials

from . import baselines
from .config import APP, Config
from .data import Data, load
from .options import Evaluate
from .predict import Predictor

HEADLINE = ("macro_recall",)
TIMED = 50  # texts classified one by one to see how long one takes
PUBLISHED = {
    ("tweeteval", "macro_recall"): {"name": "BiLSTM (Barbieri et al. 2020)", "value": 0.583},
    ("mr_polarity", "accuracy"): {"name": "CNN-rand (Kim 2014)", "value": 0.761},
}


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what is stored in its folder."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    records = measure(Predictor(run), data)
    report(records)
    if options.record:
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data) -> list[dict]:
    """Measures the test texts; draws the reliability diagram."""
    config = predictor.run.config
    chances, labels = predictor.probabilities(data.test.ids), data.test.labels
    others = baselines.answers(data, config["balance"] > 0)
    figure = functools.partial(
        results.record,
        predictor.run,
        predictor.model.count_params(),
        split="test",
        task={"labels": list(config["labels"])} if config["labels"] else {},
    )
    records = []
    for metric, score in {"macro_recall": baselines.macro_recall, "accuracy": baselines.accuracy}.items():
        records.append(
            figure(
                metric=metric,
                value=score(chances, data.test),
                baselines={name: score(theirs, data.test) for name, theirs in others.items()},
                published=None if config["labels"] else PUBLISHED.get((config["data"], metric)),
                details=_details(predictor, data, chances) if metric in HEADLINE else None,
            )
        )
    error = calibration.expected_calibration_error
    linear = {"tfidf_logreg": error(others["tfidf_logreg"], labels)}
    records.append(figure(metric="ece", value=error(chances, labels), direction="lower", baselines=linear))
    temperature = predictor.calibration["temperature"]
    draw(chances, labels, predictor.run.file("reliability.png"), f"{config['data']}, test, T = {temperature:.2f}")
    return results.headed(records, HEADLINE)


def _details(predictor: Predictor, data: Data, chances: np.ndarray) -> dict[str, float]:
    """How often the model abstains and is right otherwise; texts a second in batches, milliseconds of one alone."""
    answered = chances.max(axis=1) >= predictor.calibration["threshold"]
    right = (chances.argmax(axis=1) == data.test.labels)[answered]
    predictor.warm_up()
    started = time.perf_counter()
    predictor.logits(data.test.ids)
    many = len(data.test.ids) / (time.perf_counter() - started)
    alone, _ = lines.timed(lambda ids: predictor.logits([ids]), data.test.ids[:TIMED])
    return {
        "abstained": round(float(1 - answered.mean()), 4),
        "accuracy_of_answers": round(float(right.mean()), 4) if len(right) else 0.0,
        "texts_per_s": round(many),
        "ms_per_text": round(alone, 2),
    }


def report(records: list[dict]) -> None:
    """Prints the figures, how often the model abstains, and how fast it is."""
    results.report(records)
    found = records[0]["details"]
    print(f"  abstains on {found['abstained']:.1%}; of its other answers {found['accuracy_of_answers']:.1%} are right")
    print(f"  {found['texts_per_s']:,.0f} texts/s in batches, {found['ms_per_text']:.1f} ms for one text", flush=True)


def draw(probability: np.ndarray, labels: np.ndarray, path: Path, title: str) -> None:
    """The reliability diagram: the share of right answers over the confidence; on the diagonal both are equal."""
    figure, axes = plots.new_figure(title, size=(5.0, 4.5))
    confidence, right, share = zip(*calibration.bins(probability, labels), strict=True)
    axes.plot([0, 1], [0, 1], "k--", label="perfect calibration")
    axes.bar(confidence, share, width=0.5 / calibration.BINS, color="lightgrey", label="share of the texts")
    axes.plot(confidence, right, "o-", label="accuracy")
    axes.set(xlabel="confidence", ylabel="share", xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    plots.save(figure, path)
