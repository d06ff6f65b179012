"""Evaluates a run against the baselines: intents, slots, frames, abstention, speed."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from shared import calibration, lines, paired, results, runs, trials

from . import baselines, tags
from .config import APP, Config
from .data import NONE, Data, Part, load, other_part
from .options import Evaluate
from .predict import Predictor
from .sources import Request

HEADLINE = ("frame_accuracy", "intent_accuracy")  # the latter if there are no slots
TIMED = 200  # number of requests to time individually
OUT_OF_SCOPE = "out_of_scope"
BASELINES = {
    "intent_accuracy": "tfidf_logreg",
    "slot_f1": "linear_tagger",
    "frame_accuracy": "tfidf_logreg + linear_tagger",
}
TASK = ("more", "skills", "valid", "test")  # settings that change the task
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
    """Runs the evaluate command: evaluates a saved run."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    if options.data:
        data = dataclasses.replace(data, test=other_part(options.data, data.info))
        run = run.tested_on(options.data)
    records = measure(Predictor(run), data)
    report(records)
    if options.record:
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data) -> list[dict]:
    """Evaluates the test requests, the run's own or those of another file."""
    run, requests = predictor.run, data.test.requests
    logits, _, found_tags = predictor.scores([request.tokens for request in requests])
    ours = frames([data.info["intents"][best] for best in logits.argmax(axis=1)], found_tags, requests)
    theirs = frames(*baselines.answers(data), requests)
    task = {name: results.plain_name(run.config[name]) for name in TASK if run.config[name]}
    own = not task and not run.trained_on
    details = _details(predictor, data.test, logits, found_tags)
    records = [
        results.record(
            run,
            predictor.model,
            split="test",
            metric=metric,
            task=task,
            published=PUBLISHED.get((run.config["data"], metric)) if own else None,
            details=details if metric in HEADLINE else None,
            **paired.compared(score, ours, {BASELINES[metric]: theirs}, len(requests)),
        )
        for metric, score in figures(data).items()
    ]
    return results.headed(records, HEADLINE)


@dataclasses.dataclass(frozen=True)
class Frames:
    """For each request, whether its intent and all tags are correct; its numbers of correct, found and true slots."""

    intent: np.ndarray  # (rows,) bool
    exact: np.ndarray  # (rows,) bool
    slots: np.ndarray  # (rows, 3)


def frames(intents: list[str], found_tags: list[list[str]], requests: list[Request]) -> Frames:
    """Compares predicted intents and tags with those of the requests."""
    pairs = [(set(tags.spans(row)), set(tags.spans(r.tags))) for row, r in zip(found_tags, requests, strict=True)]
    return Frames(
        np.array([intent == r.intent for intent, r in zip(intents, requests, strict=True)]),
        np.array([row == r.tags for row, r in zip(found_tags, requests, strict=True)]),
        np.array([(len(found & wanted), len(found), len(wanted)) for found, wanted in pairs]),
    )


def figures(data: Data) -> dict[str, Callable[[Frames, np.ndarray], float]]:
    """Returns the metrics, as functions of frames and row indices; those of slots only if the data has any."""
    found: dict[str, Callable] = {"intent_accuracy": lambda frames, rows: float(frames.intent[rows].mean())}
    if data.info["tags"] != [tags.OUTSIDE] or any(tags.spans(request.tags) for request in data.test.requests):
        found |= {"slot_f1": slot_f1, "frame_accuracy": frame_accuracy}
    return found


def slot_f1(frames: Frames, rows: np.ndarray) -> float:
    """F1 of slots as in CoNLL-2000: name, first and last word must be correct. 1 if there are none."""
    right, found, wanted = frames.slots[rows].sum(axis=0)
    return float(2 * right / (found + wanted)) if found + wanted else 1.0


def frame_accuracy(frames: Frames, rows: np.ndarray) -> float:
    """Returns the share of requests whose intent and slots are all correct."""
    return float((frames.intent & frames.exact)[rows].mean())


def _details(predictor: Predictor, test: Part, logits: np.ndarray, found_tags: list[list[str]]) -> dict[str, float]:
    """Returns abstention rate, accuracy of answers, rejection rates, and p50 and p99 latency of a request."""
    chances = calibration.probabilities(logits, predictor.calibration["temperature"])
    answered = predictor.sure(chances, [request.tokens for request in test.requests], found_tags)
    right = chances.argmax(axis=1) == test.intents
    found = {
        "abstained": float(1 - answered.mean()),
        "accuracy_of_answers": float(right[answered].mean()) if answered.any() else 0.0,
    }
    number = predictor.intents.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in predictor.intents else NONE
    outside = (test.intents == number) | (test.intents == NONE)
    refused = ~answered | (chances.argmax(axis=1) == number)
    if outside.any():
        found["refused_out_of_scope"] = float(refused[outside].mean())
        found["refused_in_scope"] = float(refused[~outside].mean()) if not outside.all() else 0.0
        found["unknown_intents"] = float((test.intents == NONE).mean())
    if predictor.linear is not None:
        found["linear_share"] = predictor.stack.share
    predictor.warm_up()
    texts = [request.said() for request in test.requests[:TIMED]]
    p50, p99 = lines.timed(lambda text: predictor.understand([text]), texts)
    return {name: round(float(value), 4) for name, value in found.items()} | {
        "ms_p50": round(p50, 1),
        "ms_p99": round(p99, 1),
    }


def report(records: list[dict]) -> None:
    """Prints the metrics, the weight of the linear model, abstention and rejection rates, and the latency."""
    results.report(records)
    found = records[0]["details"]
    if "linear_share" in found:
        share = found["linear_share"]
        print(f"  intents: weight of the network {1 - share:.0%}, of the linear model {share:.0%} (from validation)")
    if found.get("unknown_intents"):
        print(f"  {found['unknown_intents']:.1%} have an intent that is not in training and count as errors")
    rest = f"; intent accuracy on the rest {found['accuracy_of_answers']:.1%}" if found["abstained"] < 1 else ""
    print(f"  abstains on {found['abstained']:.1%}{rest}")
    if "refused_in_scope" in found:
        print(
            f"  refuses {found['refused_out_of_scope']:.1%} of the out-of-scope requests, "
            f"{found['refused_in_scope']:.1%} of the others"
        )
    print(f"  one request takes {found['ms_p50']:.1f} ms (p50), {found['ms_p99']:.1f} ms (p99)", flush=True)
