"""How good a run is on its test patients, beside simple methods; what its alarm does; the mean over all folds."""

import datetime
import json
import operator
import re
import statistics
import sys
from pathlib import Path

import numpy as np

from shared import plots, results, runs

from .config import APP, Config, Evaluate, command
from .data import Data, Part, load
from .metrics import (
    DIRECTIONS,
    at_last,
    binary_baselines,
    binary_figures,
    risk,
    survival_figures,
)
from .model import answers

HERE = Path(__file__).parent
WARNING = "Not a medical device: for study and demonstration, never for decisions about patients."
GROUPS = 10  # of patients with about equal risk, in the calibration picture

PUBLISHED = {
    ("physionet2012", "auroc"): {"name": "GRU-D (Che et al. 2018)", "value": 0.8424},
}


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what lies on disk."""
    run = runs.find(APP, options.run)
    records = measure(run, load(run.settings(Config)))
    report(run, records)
    folds = all_folds(run.settings(Config))
    if folds:
        records = mean(folds)
        show(records)
    if options.record:
        keep([{key: value for key, value in r.items() if key != "simple"} for r in records])


def keep(records: list[dict]) -> None:
    """Writes records into results.json and the README, in place of older ones of the same data and network."""
    path, cell = HERE / "results.json", operator.itemgetter("data", "split", "metric", "arch")
    new = {cell(record) for record in records}
    old = runs.read_json(path, list) if path.exists() else []
    runs.write_json(path, [record for record in old if cell(record) not in new])
    results.record(path, records)
    results.render(HERE / "README.md", path)
    print(f"Recorded in {path}")


def measure(run: runs.Run, data: Data) -> list[dict]:
    """Measures the saved model on the test patients, sets the alarm, keeps both in the run; records of each figure."""
    model = run.load_model()
    valid, test = (answers(model, part.inputs, part.summary) for part in (data.valid, data.test))
    if data.test.outcomes.until is None:
        happened = data.test.outcomes.label == 1
        risks = {"network": at_last(data.test, risk(test))} | binary_baselines(data.train, data.test)
        figures = {name: binary_figures(happened, values) for name, values in risks.items()}
        calibration_picture(happened, risks, run.file("calibration.png"))
    else:
        figures = survival_figures(data.train, data.test, test, data.info["interval"])
    runs.write_json(run.file("alarm.json"), alarm(data, risk(valid), risk(test), run.config["false_alarms"]))
    ours = figures.pop("network")
    records = [record(run, model.count_params(), metric, ours[metric], figures) for metric in ours]
    run.save_metrics(records)
    return records


def best(metric: str, simple: dict[str, float]) -> dict:
    """The simple method that does best by this figure."""
    name = max(simple, key=lambda name: goodness(metric, simple[name]))
    return {"name": name, "value": round(simple[name], 5)}


def goodness(metric: str, value: float) -> float:
    """The value so that more is better."""
    return {"higher": value, "lower": -value, "to 1": -abs(value - 1)}[DIRECTIONS[metric]]


def record(run: runs.Run, params: int, metric: str, value: float, figures: dict[str, dict[str, float]]) -> dict:
    """One measured figure in the form of results.json; "simple" has that of every simple method."""
    config = run.config
    simple = {name: round(theirs[metric], 5) for name, theirs in figures.items()}
    return {
        "data": config["data"],
        "split": f"fold {config['fold']} of {config['folds']}",
        "metric": metric,
        "direction": DIRECTIONS[metric],
        "arch": config["arch"],
        "params": params,
        "value": round(value, 5),
        "std": None,
        "seeds": 1,
        "baseline": best(metric, simple),
        "simple": simple,
        "published": PUBLISHED.get((config["data"], metric)),
        "minutes": round(run.seconds() / 60, 1),
        "command": command(Config(**config)),
        "hardware": runs.hardware(),
        "versions": runs.versions(),
        "date": datetime.date.today().isoformat(),
    }


def all_folds(config: Config) -> list[list[dict]]:
    """The records of all runs that differ in the fold alone; none if a fold is missing."""
    wanted = json.loads(json.dumps({**vars(config), "fold": None}))  # as it lies on disk: a tuple became a list
    found = {}
    for path in sorted((runs.root() / APP).glob("*/metrics.json")):
        run = runs.find(APP, path.parent.name)
        if {**run.config, "fold": None} == wanted:
            found[run.config["fold"]] = run.metrics()
    return [found[fold] for fold in sorted(found)] if len(found) == config.folds else []


def mean(folds: list[list[dict]]) -> list[dict]:
    """Mean and standard deviation over the folds, as records."""
    merged = []
    for same in zip(*folds, strict=True):
        first, values = same[0], [r["value"] for r in same]
        simple = {name: statistics.mean(r["simple"][name] for r in same) for name in first["simple"]}
        merged.append(
            first
            | {
                "split": f"{len(folds)} folds",
                "value": round(statistics.mean(values), 5),
                "std": round(statistics.stdev(values), 5),
                "baseline": best(first["metric"], simple),
                "simple": {name: round(value, 5) for name, value in simple.items()},
                "minutes": round(sum(r["minutes"] for r in same), 1),
                "command": re.sub(r" --fold \d+", "", first["command"]) + " --all-folds",
            }
        )
    return merged


def report(run: runs.Run, records: list[dict]) -> None:
    """Prints the figures beside the simple methods', which wins, and what the alarm does."""
    print(f"\n{run.path}: {records[0]['minutes']} minutes of training")
    show(records)
    line = runs.read_json(run.file("alarm.json"), dict)
    when = f", half of them by {line['median_time']:g}" if line["found"] else ""
    print(
        f"  alarm at a risk of {line['threshold']:.3f}, set on validation patients for "
        f"{line['stated']:.0%} false alarms\n"
        f"  on test {line['false_alarms']:.0%} of the patients without the outcome are alarmed, and "
        f"{line['found']:.0%} of those with it{when}\n{WARNING}"
    )
    sys.stdout.flush()


def show(records: list[dict]) -> None:
    """Prints each figure beside the best simple method's and says which wins."""
    for r in records:
        spread = f" ± {r['std']:.4f}" if r["std"] is not None else ""
        better = {"value": goodness(r["metric"], r["value"]), "direction": "higher"}
        better["baseline"] = r["baseline"] | {"value": goodness(r["metric"], r["baseline"]["value"])}
        simple = "  ".join(f"{name} {value:.4f}" for name, value in r["simple"].items())
        print(f"  {r['split']}  {r['metric']:18} {r['value']:.4f}{spread}   {simple}: {results.winner(better)}")


def alarm(data: Data, valid: np.ndarray, test: np.ndarray, stated: float) -> dict:
    """The line that at most a share `stated` of validation patients without the outcome reach; what it does on test.

    A patient is alarmed whose risk (patients, steps) reaches the line at any real step.
    """
    highest, without = _highest(data.valid, valid), data.valid.outcomes.label != 1
    allowed = int(stated * without.sum())
    threshold = float(np.nextafter(np.sort(highest[without])[-1 - allowed], 1))  # just above the first who is spared
    alarmed, happened = _highest(data.test, test) >= threshold, data.test.outcomes.label == 1
    first = (test >= threshold).argmax(axis=1)
    begin = data.test.times[np.arange(len(first)), first] + data.info["step"]
    found = alarmed & happened
    return {
        "threshold": threshold,
        "stated": stated,
        "false_alarms": float(alarmed[~happened].mean()),
        "found": float(alarmed[happened].mean()),
        "median_time": float(np.median(begin[found])) if found.any() else None,
    }


def _highest(part: Part, risks: np.ndarray) -> np.ndarray:
    real = np.arange(risks.shape[1]) < part.lengths[:, None]
    return np.where(real, risks, 0).max(axis=1)


def calibration_picture(happened: np.ndarray, risks: dict[str, np.ndarray], path: Path) -> None:
    """Draws how often it happened over how likely it was held to be, in groups of about equal risk."""
    figure, axes = plots.new_figure("calibration on test patients", size=(5.0, 5.0))
    axes.plot([0, 1], [0, 1], "k:", label="right")
    for name, values in risks.items():
        groups = np.array_split(np.argsort(values, kind="stable"), GROUPS)
        means, shares = (np.array([array[rows].mean() for rows in groups]) for array in (values, happened))
        bars = np.sqrt(shares * (1 - shares) / np.array([len(rows) for rows in groups]))
        axes.errorbar(means, shares, bars if name == "network" else None, marker="o", capsize=3, label=name)
    axes.set(xlabel="risk foretold", ylabel="share in which it happened")
    axes.grid(alpha=0.3)
    axes.legend()
    plots.save(figure, path)
