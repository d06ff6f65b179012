"""Evaluates a run against the baselines: discrimination, calibration, and the performance of its alarm."""

import functools
from pathlib import Path

import numpy as np

from shared import paired, plots, results, runs, trials

from .config import APP, Config
from .data import Data, load, tested_on
from .metrics import BINARY, DIRECTIONS, NOT_DRAWN, binary_baselines, risk
from .options import Evaluate
from .parts import Part
from .predict import WARNING, Predictor, at_time, threshold_of
from .survival import survival_figures

HEADLINE = ("auroc", "c_index_td")
PUBLISHED = {("physionet2012", 48.0, "auroc"): {"name": "GRU-D (Che et al. 2018)", "value": 0.8424}}
PICTURE = "calibration.png"
GROUPS = 10  # number of groups of similar risk in the calibration plot


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate command: evaluates a saved run on its own test patients or on others."""
    run = runs.find(APP, options.run)
    config, picture = run.settings(Config), PICTURE
    data = load(config)
    run.check(data.info)
    if options.data:
        data = tested_on(data, options.data, options.outcomes or "", config)
        picture = f"calibration-{Path(options.data).stem}.png"
        run = run.tested_on(options.data)
    records = measure(Predictor(run), data, picture)
    report(records)
    if options.record:
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data, picture: str = PICTURE) -> list[dict]:
    """Evaluates the predictions for the test patients; plots the calibration if the outcomes have no times.

    Args:
        predictor: the run to evaluate.
        data: the run's data, possibly with other test patients.
        picture: file name of the plot in the run's folder.
    """
    config, test = predictor.run.config, data.test
    chances = predictor.chances(test.steps)
    if test.outcomes.until is None:
        happened = test.outcomes.label == 1
        ours, theirs = test.steps.at_last(risk(chances)), binary_baselines(data.train, test)
        figures = {metric: binary(metric, happened, ours, theirs) for metric in BINARY}
        draw(happened, {"network": ours} | theirs, predictor.run.picture(picture))
    else:
        figures = survival_figures(data.train, test, chances, data.info["interval"])
    figure = functools.partial(results.record, predictor.run, predictor.model, split="test")
    records = [
        figure(
            metric=metric,
            **found,
            published=PUBLISHED.get((config["data"], config["window"], metric)),
            details=alarms(predictor, test, risk(chances)) if metric in HEADLINE else None,
        )
        for metric, found in figures.items()
    ]
    return results.headed(records, HEADLINE)


def binary(metric: str, happened: np.ndarray, ours: np.ndarray, theirs: dict[str, np.ndarray]) -> dict:
    """Returns a metric of the network's and the baselines' risks (patients,), as `shared.paired.compared` does."""
    score, direction = BINARY[metric], DIRECTIONS[metric]
    if metric in NOT_DRAWN:
        baselines = {name: score(happened, risks) for name, risks in theirs.items()}
        return {"value": score(happened, ours), "baselines": baselines, "direction": direction}
    return paired.compared(lambda risks, rows: score(happened[rows], risks[rows]), ours, theirs, len(ours), direction)


def alarms(predictor: Predictor, part: Part, risks: np.ndarray) -> dict:
    """Returns the alarm threshold and its performance on patients with risks (patients, steps).

    false_alarms is the share of patients without the outcome whose risk reaches the threshold at any step, and found
    that of patients with it; median_time is the median time of the latter alarms, or None if there are none.
    """
    raised, happened = predictor.alarms(part.steps, risks), part.outcomes.label == 1
    alarmed = ~np.isnan(raised)
    found = raised[alarmed & happened]
    return predictor.alarm | {
        "false_alarms": float(alarmed[~happened].mean()),
        "found": float(alarmed[happened].mean()),
        "median_time": float(np.median(found)) if len(found) else None,
        "time_unit": predictor.info["time_unit"],
    }


def report(records: list[dict]) -> None:
    """Prints the metrics and the alarm's performance."""
    results.report(records)
    print(f"  {_said(records[0]['details'])}\n{WARNING}", flush=True)


def _said(alarm: dict) -> str:
    if not alarm["stated"]:
        return threshold_of(alarm)
    when = "" if alarm["median_time"] is None else f", half of them by {at_time(alarm['median_time'], alarm)}"
    return (
        f"{threshold_of(alarm)}, chosen on validation patients for {alarm['stated']:.0%} false alarms\n"
        f"  on test it raises an alarm for {alarm['false_alarms']:.0%} of the patients without the outcome and "
        f"{alarm['found']:.0%} of those with it{when}"
    )


def draw(happened: np.ndarray, risks: dict[str, np.ndarray], path: Path) -> None:
    """Plots the calibration curve: the outcome's frequency over its predicted risk, in groups of similar risk."""
    figure, axes = plots.new_figure("calibration on test patients", size=(5.0, 5.0))
    axes.plot([0, 1], [0, 1], "k:", label="perfect calibration")
    for name, values in risks.items():
        groups = np.array_split(np.argsort(values, kind="stable"), min(GROUPS, len(values)))
        means, shares = (np.array([array[rows].mean() for rows in groups]) for array in (values, happened))
        if name == "network":
            plots.observed_shares(axes, means, shares, [len(rows) for rows in groups], "network, 95 % interval")
        else:
            axes.plot(means, shares, marker="o", alpha=0.5, label=name)
    axes.set(xlabel="predicted risk", ylabel="share of patients with the outcome")
    axes.grid(alpha=0.3)
    axes.legend()
    plots.save(figure, path)
