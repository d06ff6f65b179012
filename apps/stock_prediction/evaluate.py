"""Evaluates a run against the baselines: QLIKE of variances, accuracy of the direction, and a backtest."""

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.special import expit

from shared import paired, results, runs, trials, verdicts
from shared.data.wording import sized

from . import baselines, intervals, pictures, significance, trading
from .cautions import cautions
from .config import APP, HORIZONS, WARNING, Config
from .data import Data, load, say, tested_on
from .model import MEAN, UP
from .options import Evaluate
from .predict import Predictor, variances
from .variance import qlike, qlike_of_square

HEADLINE = ("qlike",)
BAND = 1.96  # half-width of a 95 % interval, in standard errors


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate command: evaluates a saved run on its own test set or on other bars."""
    run = runs.find(APP, options.run)
    config = run.settings(Config)
    data = load(config)
    run.check(data.info)
    pictured = ""
    if options.data:
        data, pictured = tested_on(data, options.data, config, run.path.name), f"-{Path(options.data).stem}"
        say(options.data, cautions(data, run.info()))
        run = run.tested_on(options.data)
    records = measure(Predictor(run), data, pictured)
    report(records)
    if options.record:
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data, pictured: str = "") -> list[dict]:
    """Evaluates the forecasts of the test days; plots them, and the misleading price forecast of many tutorials.

    Args:
        predictor: the run to evaluate. data: the run's data, or other bars.
        pictured: suffix of the plots' file names.
    """
    found = {refit.number: predictor.outputs(data, refit.number) for refit in data.refits}
    raw = {number: variances(outputs) for number, outputs in found.items()}
    said = joined(found, data)
    figure = functools.partial(results.record, predictor.run, predictor.model, split="test")
    ours = baselines.walked(lambda data, refit: raw[refit.number], data)
    theirs = baselines.forecasts(data)
    records = [
        figure(metric="qlike", options={"horizon_days": horizon}, **variance_figures(data, ours, theirs, place))
        for place, horizon in enumerate(HORIZONS)
    ]
    records[0]["details"]["coverage_90"] = coverage(data, said)
    for record, share in zip(records, intervals.coverage(data, raw), strict=True):
        record["details"]["interval_coverage_90"] = results.rounded(share)
    on_squares = (
        baselines.walked(lambda data, refit: raw[refit.number], data, "squares"),
        baselines.forecasts(data, "squares"),
    )
    records.append(figure(metric="qlike_squared_returns", **variance_figures(data, *on_squares, 0, "squares")))
    records.append(figure(metric="directional_accuracy", **direction_figures(data, said)))
    records += [figure(metric="sharpe", **figures) for figures in trading_figures(data, ours, said)]
    run = predictor.run
    pictures.forecast(data, ours, theirs, run.picture(f"forecast{pictured}.png"))
    pictures.trick(data, said[..., MEAN], run.picture(f"trick{pictured}.png"))
    return results.headed(records, HEADLINE)


def joined(found: Mapping[int, np.ndarray], data: Data) -> np.ndarray:
    """(tickers, days, outputs): for each test day the outputs of the network of its refit; NaN on other days."""
    said = np.full(next(iter(found.values())).shape, np.nan)
    for refit in data.refits:
        asked = data.asked(refit)
        said[asked] = found[refit.number][asked]
    return said


def variance_figures(
    data: Data, ours: np.ndarray, theirs: Mapping[str, np.ndarray], place: int, proxy: str = "variance"
) -> dict:
    """Returns the metrics of one horizon for `shared.results.record`, with all methods evaluated on the same days.

    details: dm (Diebold-Mariano t and p against each baseline, and on how many tickers the network is better),
    confidence_set, by_ticker.
    """
    target = getattr(data.targets, proxy)[place]
    score = qlike if proxy == "variance" else qlike_of_square
    forecasts = {"network": ours[place]} | {name: forecast[place] for name, forecast in theirs.items()}
    tested = np.all([np.isfinite(forecast) for forecast in forecasts.values()], axis=0)
    tested &= data.tested()[place] & np.isfinite(target)
    with np.errstate(invalid="ignore", divide="ignore"):
        losses = {name: np.where(tested, score(target, forecast), 0.0) for name, forecast in forecasts.items()}
    daily = {name: significance.daily(loss, tested) for name, loss in losses.items()}
    means = {name: float(loss[tested].mean()) for name, loss in losses.items()}
    network = means.pop("network")
    best = paired.best(means, "lower")
    against = {name: compared(data, losses, daily, tested, name, HORIZONS[place]) for name in means}
    ahead = -against[best]["difference"]
    width = BAND * against[best].pop("error")
    return {
        "value": network,
        "direction": "lower",
        "baselines": means,
        "ahead": (ahead - width, ahead + width),
        "details": {
            "days": int(tested.any(axis=0).sum()),
            "dm": against,
            "confidence_set": significance.confidence_set(daily),
            "by_ticker": by_ticker(data, losses, tested),
        },
    }


def compared(data: Data, losses: Mapping, daily: Mapping, tested: np.ndarray, name: str, horizon: int) -> dict:
    """Compares the network with one baseline: on daily means over the tickers, and for each ticker separately."""
    found = significance.diebold_mariano(daily["network"], daily[name], horizon)
    better, for_sure, count = 0, 0, 0
    for number in range(len(data.bars.tickers)):
        days = tested[number]
        if days.sum() > 2:
            one = significance.diebold_mariano(losses["network"][number, days], losses[name][number, days], horizon)
            better, count = better + (one["difference"] < 0), count + 1
            for_sure += one["difference"] < 0 and one["p"] < 0.05
    return found | {"tickers": count, "better_on": better, "significantly_on": for_sure}


def by_ticker(data: Data, losses: Mapping[str, np.ndarray], tested: np.ndarray) -> dict:
    """Returns the mean loss of each method on each ticker."""
    return {
        ticker: {name: results.rounded(float(loss[number, tested[number]].mean())) for name, loss in losses.items()}
        for number, ticker in enumerate(data.bars.tickers)
        if tested[number].any()
    }


def coverage(data: Data, said: np.ndarray) -> float:
    """Returns the share of next-day returns inside their 90 % interval."""
    tested = data.tested()[0] & np.isfinite(data.targets.returns)
    low, high = intervals.of_return(said[tested])
    returns = data.targets.returns[tested]
    return results.rounded(float(((low <= returns) & (returns <= high)).mean()))


def direction_figures(data: Data, said: np.ndarray) -> dict:
    """Returns the accuracy of the next return's sign versus always predicting a rise, with bootstrap intervals."""
    tested = data.tested()[0] & np.isfinite(data.targets.returns)
    rose = data.targets.returns > 0
    right = significance.daily(np.where(tested, (said[..., UP] > 0) == rose, 0.0), tested)
    up = significance.daily(np.where(tested, rose, 0.0), tested)
    count = tested.sum(axis=0)[tested.any(axis=0)]

    def share(values: np.ndarray, rows: np.ndarray) -> float:
        return float((values[rows] * count[rows]).sum() / count[rows].sum())

    every = np.arange(len(count))
    ahead = significance.interval(lambda rows: share(right, rows) - share(up, rows), len(count))
    chances = np.where(rose, expit(said[..., UP]), 1 - expit(said[..., UP]))[tested]
    return {
        "value": share(right, every),
        "direction": "higher",
        "baselines": {"always_up": share(up, every)},
        "ahead": ahead,
        "details": {
            "interval": list(significance.interval(lambda rows: share(right, rows), len(count))),
            "nats": results.rounded(float(-np.log(chances).mean())),
        },
    }


def trading_figures(data: Data, ours: np.ndarray, said: np.ndarray) -> list[dict]:
    """Returns the Sharpe ratio of each strategy under the default terms, compared with buy and hold."""
    found = strategies(data, ours, said, trading.Terms(per_year=data.bars.per_year))
    held = found.pop("buy_and_hold")
    sharpe = functools.partial(trading.sharpe, per_year=data.bars.per_year)
    figures = []
    for name, returns in found.items():

        def lead(rows: np.ndarray, returns: np.ndarray = returns) -> float:
            return sharpe(returns[rows]) - sharpe(held[rows])

        figures.append(
            {
                "value": sharpe(returns),
                "direction": "higher",
                "options": {"strategy": name},
                "baselines": {"buy_and_hold": sharpe(held)},
                "ahead": significance.interval(lead, len(held)),
            }
        )
    return figures


def strategies(data: Data, ours: np.ndarray, said: np.ndarray, terms: trading.Terms) -> dict[str, np.ndarray]:
    """Returns the daily returns of each strategy. The 5-day variance sizes positions, since it changes less from day to
    day than the 1-day variance, and trading costs money."""
    positions = {
        "volatility_target": trading.volatility_target(ours[1], terms),
        "direction": trading.direction(expit(said[..., UP]), terms),
        "buy_and_hold": np.ones(ours[1].shape),
    }
    return {name: trading.earned(values, data, terms) for name, values in positions.items()}


def report(records: list[dict]) -> None:
    """Prints the metrics, the significance tests, and an assessment of the directional accuracy."""
    results.report(records)
    measured = [r for r in records if r["metric"] == "qlike"]
    for record in measured:
        details, horizon = record["details"], record["options"]["horizon_days"]
        print(f"    {horizon}-day QLIKE, network minus baseline, on {details['days']:g} days (Diebold-Mariano):")
        strongest = paired.best(record["baselines"], "lower")
        for name, found in details["dm"].items():
            if horizon > 1 and name != strongest:
                continue
            print(
                f"      {name:24} {found['difference']:+.4f}, t {found['t']:+.2f}, p {found['p']:.2g}; better on "
                f"{found['better_on']:g} of {sized(round(found['tickers']), 'tickers')}"
            )
        print(f"      90 % model confidence set: {', '.join(details['confidence_set'])}")
    held = ", ".join(
        f"{r['details']['interval_coverage_90']:.1%} ({r['options']['horizon_days']}-day)".replace("%", " %")
        for r in measured
        if "interval_coverage_90" in r["details"]
    )
    if held:  # runs of earlier versions did not measure it
        print(f"    The {100 * intervals.LEVEL:.0f} % intervals of the volatility hold on {held} of the test days.")
    (side,) = (r for r in records if r["metric"] == "directional_accuracy")
    print(f"    {sentence(side)}\n{WARNING}", flush=True)


def sentence(side: dict) -> str:
    """Returns a sentence that puts the directional accuracy into perspective, with the verdict of `results.report`."""
    low, high = side["details"]["interval"]
    said = {
        "the network wins": "better than always up on these days, before costs",
        "always_up wins": "worse than always up",
    }
    return (
        f"Accuracy of the next day's direction {side['value']:.3f} ({low:.3f} to {high:.3f}), always up "
        f"{side['baselines']['always_up']:.3f}: {said.get(verdicts.winner(side), 'no better than always up')}."
    )
