"""The backtest command: simulates trading on the test part, and deflates the Sharpe ratio for the number of trials."""

import sys
from collections.abc import Mapping

import numpy as np

from shared import InputError, runs

from . import baselines, pictures, trading
from .config import APP, WARNING, Config
from .data import Data, load
from .evaluate import joined, strategies
from .options import Backtest
from .predict import Predictor, variances

PICTURE = "backtest.png"


def backtest(options: Backtest) -> None:
    """Runs the backtest command."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    predictor = Predictor(run)
    found = {refit.number: predictor.outputs(data, refit.number) for refit in data.refits}
    ours = baselines.walked(lambda data, refit: variances(found[refit.number]), data)
    terms = trading.Terms(
        options.cost_bps, options.slippage_bps, options.target_volatility, options.leverage, data.bars.per_year
    )
    earned = strategies(data, ours, joined(found, data), terms)
    tried = [*trials_of(run), *new_trials(run, earned, terms)]
    describe(data, terms)
    for name, returns in earned.items():
        print(row(name, returns, tried, terms.per_year))
    best = trading.expected_best(float(np.std(tried, ddof=1)) if len(tried) > 1 else 0.0, len(tried))
    picture = run.file(PICTURE)
    pictures.growth(earned, trading.result_days(data), picture)
    print(
        f"deflated: the probability that the true Sharpe ratio is above {best:.2f}, which the best of the "
        f"{len(tried)} trials on the same data would have by chance: those of the finished runs in "
        f"{run.path.parent}, and these if their terms are new\nPicture: {picture}\n{WARNING}"
    )


def describe(data: Data, terms: trading.Terms) -> None:
    """Prints the test part, the terms and the heading of the table."""
    print(
        f"{data.info['source']}: {data.split}\ncosts {terms.cost_bps:g} + {terms.slippage_bps:g} basis points "
        "of turnover; decided at the Close, traded at the next Open; no interest on cash\n"
        f"target volatility {terms.target_volatility:g} % a year of {terms.per_year} bars, positions of at most "
        f"{terms.leverage:g} times the capital\n"
        f"{'':20} {'return a year':>13} {'volatility':>10} {'drawdown':>9} {'Sharpe (95 % interval)':>25}  deflated"
    )


def row(name: str, returns: np.ndarray, tried: list[float], per_year: int) -> str:
    """Formats the figures of a strategy; buying and holding is no trial."""
    ratio, (low, high) = trading.sharpe(returns, per_year), trading.sharpe_interval(returns, per_year)
    growth = (1 + returns).prod() ** (per_year / len(returns)) - 1
    volatility = returns.std() * per_year**0.5
    deflated = "" if name == "buy_and_hold" else f"{trading.deflated(returns, tried, per_year):9.3f}"
    said = f"{ratio:.2f} ({low:+.2f} to {high:+.2f})"
    return f"{name:20} {growth:13.1%} {volatility:10.1%} {trading.drawdown(returns):9.1%} {said:>25} {deflated}"


def trials_of(run: runs.Run) -> list[float]:
    """Returns the Sharpe ratio of every strategy of every finished run on the same data: each of them was a trial.

    Runs are on the same data if its fingerprint is the same, whatever its path.
    """
    found = []
    for path in sorted(run.path.parent.glob("[!.]*/metrics.json")):
        try:
            other = runs.find(run.app, path.parent.name)
            if other.info()["fingerprint"] == run.info()["fingerprint"]:
                found += [record["value"] for record in other.metrics() if record["metric"] == "sharpe"]
        except InputError as error:
            print(f"{path.parent.name} is not counted among the trials: {error}", file=sys.stderr)
    return found


def new_trials(run: runs.Run, earned: Mapping[str, np.ndarray], terms: trading.Terms) -> list[float]:
    """Returns the Sharpe ratios of the strategies unless the run's own metrics have them, under the default terms."""
    if run.finished() and terms == trading.Terms(per_year=terms.per_year):
        return []
    return [trading.sharpe(returns, terms.per_year) for name, returns in earned.items() if name != "buy_and_hold"]
