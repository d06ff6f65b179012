"""How good a run is, beside the simple methods: recall, accuracy, how far its confidence can be believed, speed."""

import datetime
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from shared import results, runs

from . import baselines, calibrate
from .config import APP, Config, Evaluate, command
from .data import Data, load
from .predict import CALIBRATION, Judge

HERE = Path(__file__).parent
TIMED = 50  # texts judged one by one to see how long one takes

PUBLISHED = {
    ("tweeteval", "macro_recall"): {"name": "BiLSTM (Barbieri et al. 2020)", "value": 0.583},
    ("mr_polarity", "accuracy"): {"name": "CNN-rand (Kim 2014)", "value": 0.761},
}


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what lies on disk."""
    run = runs.find(APP, options.run)
    records = measure(run, load(run.settings(Config)))
    report(records)
    if options.record:
        done, seeds, folds = siblings(run)
        keep(summary(done, seeds, folds))


def measure(run: runs.Run, data: Data) -> list[dict]:
    """Chooses temperature and least confidence on validation, measures test, keeps records, pictures and figures."""
    judge, config = Judge(run), run.config
    valid, test = judge.logits(data.valid.ids), judge.logits(data.test.ids)
    temperature = calibrate.temperature(valid, data.valid.labels)
    chances = calibrate.probabilities(valid, temperature)
    least = calibrate.least_confidence(chances, data.valid.labels, config["sure"])
    runs.write_json(run.file(CALIBRATION), {"temperature": temperature, "confidence": least})
    title = f"{config['data']}, test, temperature {temperature:.2f}"
    chances = calibrate.probabilities(test, temperature)
    calibrate.picture(chances, data.test.labels, run.file("reliability.png"), title)
    simple = baselines.answers(data, config["balance"] > 0)
    figures = {
        "macro_recall": (baselines.macro_recall(chances, data.test), _best(simple, baselines.macro_recall, data)),
        "accuracy": (baselines.accuracy(chances, data.test), _best(simple, baselines.accuracy, data)),
        "ece": (
            calibrate.expected_calibration_error(chances, data.test.labels),
            {"tfidf_logreg": calibrate.expected_calibration_error(simple["tfidf_logreg"], data.test.labels)},
        ),
    }
    records = [_record(run, judge, metric, value, others) for metric, (value, others) in figures.items()]
    records[0] |= {"not_sure": _unsure(chances, data, least), "speed": speed(judge, data)}
    run.save_metrics(records)
    return records


def _best(simple: dict[str, np.ndarray], figure, data: Data) -> dict[str, float]:
    """The figure of each simple method, the best first."""
    found = {name: figure(scores, data.test) for name, scores in simple.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _record(run: runs.Run, judge: Judge, metric: str, value: float, others: dict[str, float]) -> dict:
    config = run.config
    name = next(iter(others))
    return {
        "data": " ".join([config["data"], *config["labels"]]),
        "split": "test",
        "metric": metric,
        "direction": "lower" if metric == "ece" else "higher",
        "arch": config["arch"],
        "params": judge.model.count_params(),
        "value": round(value, 5),
        "std": None,
        "seeds": 1,
        "baseline": {"name": name, "value": round(others[name], 5)},
        "baselines": {name: round(value, 5) for name, value in others.items()},
        "published": None if config["labels"] else PUBLISHED.get((config["data"], metric)),
        "minutes": round(run.seconds() / 60, 1),
        "command": command(Config(**config)),
        "hardware": runs.hardware(),
        "versions": runs.versions(),
        "date": datetime.date.today().isoformat(),
    }


def _unsure(chances: np.ndarray, data: Data, least: float) -> dict[str, float]:
    """Below the least confidence it is not sure: of how many texts, and how often it is right about the others."""
    answered = chances.max(axis=1) >= least
    right = (chances.argmax(axis=1) == data.test.labels)[answered]
    return {"share": round(1 - answered.mean(), 4), "accuracy_of_others": round(right.mean(), 4) if len(right) else 0}


def speed(judge: Judge, data: Data) -> dict[str, float]:
    """Texts a second in batches, and milliseconds of one alone; all that must be compiled is compiled before."""
    judge.warm_up()
    started = time.perf_counter()
    judge.logits(data.test.ids)
    many = len(data.test.ids) / (time.perf_counter() - started)
    alone = []
    for ids in data.test.ids[:TIMED]:
        started = time.perf_counter()
        judge.logits([ids])
        alone.append(1000 * (time.perf_counter() - started))
    return {"texts_per_s": round(many), "ms_alone": round(statistics.median(alone), 2)}


def report(records: list[dict]) -> None:
    """Prints the figures beside those of the simple methods and says which one wins."""
    print(f"\n{records[0]['data']}, {records[0]['arch']}: {records[0]['minutes']} minutes of training")
    for record in records:
        winner = results.winner(record)
        spread = f" ± {record['std']:.4f}" if record["std"] is not None else ""
        published = f"; published {record['published']['value']}" if record["published"] else ""
        others = ", ".join(f"{name} {other:.4f}" for name, other in record["baselines"].items())
        print(
            f"  {record['split']} {record['metric']:13} {record['value']:.4f}{spread}   {others}: {winner}{published}"
        )
    unsure, fast = records[0]["not_sure"], records[0]["speed"]
    print(f"  not sure of {unsure['share']:.1%}; of the others {unsure['accuracy_of_others']:.1%} are right")
    print(f"  {fast['texts_per_s']:,.0f} texts a second in batches, {fast['ms_alone']:.1f} ms for one alone")
    sys.stdout.flush()


def siblings(run: runs.Run) -> tuple[list[list[dict]], int, int]:
    """The records of all measured runs that differ from this one in seed or fold alone; how many seeds and folds."""
    chance = ("seed", "fold")
    found = {}
    for path in sorted(run.path.parent.glob("[!.]*/metrics.json")):
        other = runs.find(APP, path.parent.name)
        if all(other.config.get(key) == value for key, value in run.config.items() if key not in chance):
            found[other.config["seed"], other.config["fold"]] = other.metrics()
    return [found[key] for key in sorted(found)], len({seed for seed, _ in found}), len({fold for _, fold in found})


def summary(done: list[list[dict]], seeds: int, folds: int) -> list[dict]:
    """Each figure as one record over all runs; minutes are those of one training."""
    records = []
    for same in zip(*done, strict=True):
        values = [record["value"] for record in same]
        simple = _mean([record["baselines"] for record in same])
        sign = -1 if same[0]["direction"] == "higher" else 1
        simple = dict(sorted(simple.items(), key=lambda item: sign * item[1]))
        name = next(iter(simple))
        more = [f"--{flag} {count}" for flag, count in (("seeds", seeds), ("folds", folds)) if count > 1]
        also = {key: _mean([r[key] for r in same]) for key in ("not_sure", "speed") if key in same[0]}
        records.append(
            same[0]
            | also
            | {
                "data": same[0]["data"] + (f" {folds} folds" if folds > 1 else ""),
                "value": round(statistics.mean(values), 5),
                "std": round(statistics.stdev(values), 5) if len(values) > 1 else None,
                "seeds": seeds,
                "baseline": {"name": name, "value": simple[name]},
                "baselines": simple,
                "minutes": round(statistics.mean(record["minutes"] for record in same), 1),
                "command": " ".join([same[0]["command"], *more]),
            }
        )
    return records


def _mean(figures: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.mean(each[name] for each in figures), 5) for name in figures[0]}


def keep(records: list[dict]) -> None:
    """Writes records into results.json and the README, in place of older ones of the same data and network."""
    path = HERE / "results.json"
    new = {_cell(record) for record in records}
    old = runs.read_json(path, list) if path.exists() else []
    runs.write_json(path, [record for record in old if _cell(record) not in new])
    results.record(path, records)
    results.render(HERE / "README.md", path)
    print(f"Recorded in {path}")


def _cell(record: dict) -> tuple:
    """What is measured, whatever the command: a figure over more seeds replaces one over fewer."""
    return tuple(record[key] for key in ("data", "split", "metric", "arch"))
