"""How good a run is on its test requests compared with the baselines: intents, slots, frames, abstention, speed."""

import functools
from pathlib import Path

import numpy as np

from shared import calibration, lines, results, runs, trials

from . import baselines
from .config import APP, Config
from .data import Data, load
from .options import Evaluate
from .predict import Predictor

HEADLINE = ("frame_accuracy",)
TIMED = 200  # requests understood one by one to see how long one takes
OUT_OF_SCOPE = "out_of_scope"
BASELINES = {"intent_accuracy": "tfidf_logreg", "slot_f1": "most_frequent_tag", "frame_accuracy": "both"}
GOO = "slot-gated (Goo et al. 2018)"
PUBLISHED = {
    ("snips", "intent_accuracy"): {"name": GOO, "value": 0.970},
    ("snips", "slot_f1"): {"name": GOO, "value": 0.888},
    ("snips", "frame_accuracy"): {"name": GOO, "value": 0.755},
    ("atis", "intent_accuracy"): {"name": GOO, "value": 0.936},
    ("atis", "slot_f1"): {"name": GOO, "value": 0.948},
    ("atis", "frame_accuracy"): {"name": GOO, "value": 0.822},
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
    """Measures the test requests."""
    logits, _, tags = predictor.scores(data.test.ids)
    found = [data.info["intents"][best] for best in logits.argmax(axis=1)]
    measured = baselines.scores(found, tags, data.test.requests)
    compared = baselines.scores(*baselines.answers(data), data.test.requests)
    figure = functools.partial(results.record, predictor.run, predictor.model.count_params(), split="test")
    records = [
        figure(
            metric=metric,
            value=value,
            baselines={BASELINES[metric]: compared[metric]},
            published=PUBLISHED.get((predictor.run.config["data"], metric)),
            details=_details(predictor, data, logits) if metric in HEADLINE else None,
        )
        for metric, value in measured.items()
    ]
    return results.headed(records, HEADLINE)


def _details(predictor: Predictor, data: Data, logits: np.ndarray) -> dict[str, float]:
    """How often the model abstains, is right otherwise, refuses what is out of scope; p50 and p99 of one request."""
    chances = calibration.probabilities(logits, predictor.calibration["temperature"])
    answered = chances.max(axis=1) >= predictor.calibration["threshold"]
    right = chances.argmax(axis=1) == data.test.intents
    found = {
        "abstained": float(1 - answered.mean()),
        "accuracy_of_answers": float(right[answered].mean()) if answered.any() else 0.0,
    }
    if OUT_OF_SCOPE in data.info["intents"]:
        number = data.info["intents"].index(OUT_OF_SCOPE)
        outside, refused = data.test.intents == number, ~answered | (chances.argmax(axis=1) == number)
        found |= {"refused_out_of_scope": float(refused[outside].mean()), "refused_in_scope": refused[~outside].mean()}
    predictor.warm_up()
    texts = [" ".join(request.tokens) for request in data.test.requests[:TIMED]]
    p50, p99 = lines.timed(lambda text: predictor.understand([text]), texts)
    return {name: round(float(value), 4) for name, value in found.items()} | {
        "ms_p50": round(p50, 1),
        "ms_p99": round(p99, 1),
    }


def report(records: list[dict]) -> None:
    """Prints the figures, how often the model abstains, what it refuses, and how fast it is."""
    results.report(records)
    found = records[0]["details"]
    print(f"  abstains on {found['abstained']:.1%}; {found['accuracy_of_answers']:.1%} of its other intents are right")
    if "refused_in_scope" in found:
        print(
            f"  refuses {found['refused_out_of_scope']:.1%} of the requests that are out of scope, "
            f"{found['refused_in_scope']:.1%} of the others"
        )
    print(f"  one request takes {found['ms_p50']:.1f} ms (p50), {found['ms_p99']:.1f} ms (p99)", flush=True)
