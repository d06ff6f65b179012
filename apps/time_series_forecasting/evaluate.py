"""Evaluates a run against the baselines, and the coverage of its intervals."""

import dataclasses
import functools
from pathlib import Path

import numpy as np

from shared import paired, results, runs, trials

from . import adapt, baselines
from .classical import classical
from .config import APP, DEFAULT, RECIPES, Config
from .data import Data, load, tested_on
from .metrics import DIRECTIONS, Judge, Sums, blocks, score
from .model import BATCH
from .options import Evaluate
from .predict import WIDE, Answer, Predictor

HEADLINE = ("mse", "mase")
FEWEST_BLOCKS = 5  # minimum for an interval of the difference from the baseline
MOST_NAMED = 20  # maximum number of series whose coverage is recorded individually
MOST_STEPS = 8  # maximum number of forecast steps whose coverage is recorded


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate command: evaluates a saved run on its own test set or on a file."""
    run = runs.find(APP, options.run)
    config = run.settings(Config)
    data = load(config)
    run.check(data.info)
    if options.data:
        data = tested_on(data, options.data, config)
        run = run.tested_on(options.data)
    predictor = Predictor(run)
    records = measure(predictor, data)
    if options.classical:
        records += measure_classical(predictor, data, options.origins)
    report(records)
    if options.record:
        if run.finished() and options.classical:
            run.save_metrics(records)
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data) -> list[dict]:
    """Evaluates the forecasts of all test windows, and those of the baselines."""
    config, block = predictor.config, blocks(data.test, data.info["aligned"])
    ours, coverage = judged(predictor, data, block)
    theirs = {
        name: judged_baseline(baseline, data, block) for name, baseline in baselines.baselines(data, config).items()
    }
    records = compared(predictor, ours, theirs, int(block.max()) + 1)
    for record in records:
        if record["metric"] == "coverage_ratio":
            record["details"] = coverage
    first = "mse" if data.info["aligned"] else "mase"
    published = baselines.published(config)
    if published and predictor.run.config["data"] == config.data:
        records = [r | {"published": published} if r["metric"] == "mse" else r for r in records]
    return results.headed(records, (first, *HEADLINE))


def compared(predictor: Predictor, ours: Sums, theirs: dict[str, Sums], count: int, **options: int) -> list:
    """Returns a record per metric, with a bootstrap interval of the difference from the best baseline over blocks."""
    task = task_of(predictor.config)
    figure = functools.partial(results.record, predictor.run, predictor.model, split="test", task=task, options=options)
    records = []
    for metric, direction in DIRECTIONS.items():
        if metric not in ours:
            continue
        others = {name: sums[metric] for name, sums in theirs.items() if metric in sums}
        found = paired.compared(score, ours[metric], others, count, direction)
        if count < FEWEST_BLOCKS:
            found["ahead"] = None
        records.append(figure(metric=metric, **found))
    return records


def task_of(config: Config) -> dict[str, int]:
    """Returns what defines the task besides the data: the horizon, and the lookback unless it is that of the recipe."""
    reach = RECIPES.get(config.data, DEFAULT).reach
    return {"horizon": config.horizon} | ({} if config.reach == reach else {"lookback": config.reach})


def judged(predictor: Predictor, data: Data, block: np.ndarray) -> tuple[Sums, dict]:
    """Returns the network's metric sums, and the coverage of its adaptive intervals: pooled, by series and by step."""
    test, config, scale = data.test, predictor.config, np.array(data.info["scale"])
    low, high = (np.empty((len(test), config.horizon), np.float32) for _ in range(2))
    judge = Judge(test, block, data.info)
    for rows, answer in predictor.answers(test, scale):
        low[rows], high[rows] = answer.interval(config.coverage)
        judge.add(rows, answer, wide=predictor.intervals(test.among(rows), *answer.interval(WIDE), "wide"))
    split = predictor.intervals(test, low, high)
    ends = adapt.adapted(predictor, test, low, high) if config.adapt_rate else split
    sums = judge.result(config.coverage)
    sums["coverage_ratio"] = covered(data, block, *ends, config.coverage)
    pooled, series, steps = adapt.by_part(test, *ends, data.info["names"])
    fixed, fixed_series, _ = adapt.by_part(test, *split, data.info["names"])
    some = np.unique(np.linspace(0, config.horizon - 1, MOST_STEPS).round().astype(int))
    coverage = {
        "promised": config.coverage,
        "covered": pooled,
        "series_lowest": min(series.values()),
        "series_highest": max(series.values()),
        "steps": {f"step {step + 1}": steps[step] for step in some.tolist() if step in steps},
        "split_conformal": fixed,
        "split_series_lowest": min(fixed_series.values()),
        "split_series_highest": max(fixed_series.values()),
    }
    if len(series) <= MOST_NAMED:
        coverage["series"] = series
    return sums, coverage


def covered(
    data: Data, block: np.ndarray, low: np.ndarray, high: np.ndarray, coverage: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns numerator and denominator per block of the coverage relative to its nominal value."""
    actual, observed = data.test.future(), data.test.observed()
    inside = ((actual >= low) & (actual <= high) & observed).sum(axis=1)
    return np.bincount(block, inside) / coverage, np.bincount(block, observed.sum(axis=1)).astype(float)


def judged_baseline(baseline: baselines.Baseline, data: Data, block: np.ndarray) -> Sums:
    """Returns the metric sums of a baseline, with the quantiles of its validation errors as its quantile forecasts."""
    spread, judge = baselines.spread(baseline, data.valid), Judge(data.test, block, data.info)
    for start in range(0, len(data.test), BATCH):
        rows = np.arange(start, min(start + BATCH, len(data.test)))
        point = baseline(data.test.among(rows))
        judge.add(rows, Answer(point, point[..., None] + spread))
    return judge.result(0.9)


def measure_classical(predictor: Predictor, data: Data, origins: int) -> list[dict]:
    """Compares the network with the classical methods on the same few test windows of each series."""
    rows, answers = classical(data, origins)
    few = dataclasses.replace(data, test=data.test.among(rows))
    block = np.unique(few.test.at if data.info["aligned"] else few.test.who, return_inverse=True)[1]
    ours, _ = judged(predictor, few, block)
    theirs = {}
    for name, answer in answers.items():
        judge = Judge(few.test, block, few.info)
        judge.add(np.arange(len(rows)), answer)
        theirs[name] = judge.result(predictor.config.coverage)
    ours.pop("coverage_ratio")
    return compared(predictor, ours, theirs, int(block.max()) + 1, origins=origins)


def report(records: list[dict]) -> None:
    """Prints the metrics and the coverage of the intervals."""
    results.report(records)
    found = next((r["details"] for r in records if r.get("details", {}).get("promised")), None)
    if found:
        steps = ", ".join(f"{name} {share:.1%}" for name, share in found["steps"].items())
        print(
            f"  {found['promised']:.0%} intervals covered {found['covered']:.1%} of the test values, by series "
            f"{found['series_lowest']:.1%} to {found['series_highest']:.1%}; {steps}\n"
            f"  without adapting (split conformal) {found['split_conformal']:.1%}, by series "
            f"{found['split_series_lowest']:.1%} to {found['split_series_highest']:.1%}",
            flush=True,
        )
