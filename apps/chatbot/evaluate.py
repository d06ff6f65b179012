"""How good a run is on its test requests, beside the simple methods: intents, slots, whole frames, doubt, speed."""

import time

import numpy as np

from shared import runs

from . import baselines, confidence, figures
from .config import APP, RECIPES, Config, Evaluate, command
from .data import NONE, Data, load
from .predict import CALIBRATION, Understander

TIMED = 200  # requests understood one by one to see how long one takes
OUT_OF_SCOPE = "out_of_scope"
PUBLISHED = {
    ("snips", "intent_accuracy"): 0.970,
    ("snips", "slot_f1"): 0.888,
    ("snips", "frame_accuracy"): 0.755,
    ("atis", "intent_accuracy"): 0.936,
    ("atis", "slot_f1"): 0.948,
    ("atis", "frame_accuracy"): 0.822,
}


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what lies on disk."""
    run = runs.find(APP, options.run)
    if "context" in run.config:
        from .smalltalk.evaluate import measure_again

        measure_again(run)
    else:
        measure(run, load(run.settings(Config)))
    figures.report(run.metrics())
    if options.record:
        figures.keep(figures.summary(figures.siblings(run)))


def measure(run: runs.Run, data: Data) -> list[dict]:
    """Chooses temperature and threshold on validation, measures test, keeps the records."""
    understander = Understander(run)
    intents = data.info["intents"]
    logits, _, _ = understander.scores(data.valid.ids)
    calibration = calibrate(logits, data.valid.intents, intents, run.config["sure"])
    runs.write_json(run.file(CALIBRATION), calibration)
    understander.calibration = calibration

    logits, _, tags = understander.scores(data.test.ids)
    found = [intents[best] for best in logits.argmax(axis=1)]
    measured = baselines.scores(found, tags, data.test.requests)
    simple_intents, simple_tags = baselines.answers(data)
    simple = baselines.scores(simple_intents, simple_tags, data.test.requests)
    name = {"intent_accuracy": "tfidf_logreg", "slot_f1": "most_frequent_tag", "frame_accuracy": "both"}
    config = run.settings(Config)
    said = command(config, RECIPES.get(config.data, RECIPES["builtin"]))
    records = []
    for metric, value in measured.items():
        known = PUBLISHED.get((config.data, metric))
        published = {"name": "slot-gated (Goo et al. 2018)", "value": known} if known else None
        others = {name[metric]: simple[metric]}
        records.append(figures.record(run, understander.model, said, metric, value, others, published))
    records[0]["said"] = [doubt(logits, data, calibration), speed(understander, data)]
    run.save_metrics(records)
    return records


def calibrate(logits: np.ndarray, wanted: np.ndarray, intents: list[str], sure: float) -> dict[str, float]:
    """The temperature and the least confidence, from validation logits (rows, intents) and intent ids (rows,)."""
    known = wanted != NONE
    temperature = confidence.temperature(logits[known], wanted[known])
    chances = confidence.probabilities(logits, temperature)
    right = chances.argmax(axis=1) == wanted
    return {"temperature": temperature, "confidence": confidence.least_confidence(chances.max(axis=1), right, sure)}


def doubt(logits: np.ndarray, data: Data, calibration: dict[str, float]) -> str:
    """Of how many test requests it is not sure, how often it is right about the others, and about the out of scope."""
    chances = confidence.probabilities(logits, calibration["temperature"])
    answered = chances.max(axis=1) >= calibration["confidence"]
    right = chances.argmax(axis=1) == data.test.intents
    share = right[answered].mean() if answered.any() else 0.0
    line = f"not sure of {1 - answered.mean():.1%}; of the others {share:.1%} of the intents are right"
    if OUT_OF_SCOPE in data.info["intents"]:
        number = data.info["intents"].index(OUT_OF_SCOPE)
        outside = data.test.intents == number
        refused = ~answered | (chances.argmax(axis=1) == number)
        shares = refused[outside].mean(), refused[~outside].mean()
        line += f"; refused {shares[0]:.1%} of what is out of scope, {shares[1]:.1%} of the rest"
    return line


def speed(understander: Understander, data: Data) -> str:
    """Milliseconds to understand one request, from text to frame; all that must be compiled is compiled before."""
    understander.warm_up()
    took = []
    for request in data.test.requests[:TIMED]:
        started = time.perf_counter()
        understander.understand([" ".join(request.tokens)])
        took.append(1000 * (time.perf_counter() - started))
    p50, p99 = np.percentile(took, [50, 99])
    return f"one request is understood in {p50:.1f} ms (p50), {p99:.1f} ms (p99)"
