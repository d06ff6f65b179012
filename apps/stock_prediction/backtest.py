"""The backtest command: simulates trading on the test part, and deflates the Sharpe ratio for the number of trials."""

from pathlib import Path

import numpy as np

from shared import plots, runs

from . import baselines, trading
from .config import APP, WARNING, Config
from .data import load
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
    terms = trading.Terms(options.cost_bps, options.slippage_bps, options.target_volatility, options.leverage)
    earned = strategies(data, ours, joined(found, data), terms)
    tried = trials_of(run)
    print(
        f"{data.info['source']}: {data.info['split']}\ncosts {terms.cost_bps:g} + {terms.slippage_bps:g} basis points "
        "of turnover; decided at the Close, traded at the next Open; no interest on cash\n"
        f"{'':20} {'return a year':>13} {'volatility':>10} {'drawdown':>9} {'Sharpe (95 % interval)':>25}  deflated"
    )
    for name, returns in earned.items():
        ratio, (low, high) = trading.sharpe(returns), trading.sharpe_interval(returns)
        growth = (1 + returns).prod() ** (trading.YEAR / len(returns)) - 1
        volatility = returns.std() * trading.YEAR**0.5
        # The trials comprise all strategies that were tried: those of the runs, and this one with these terms.
        deflated = "" if name == "buy_and_hold" else f"{trading.deflated(returns, [*tried, ratio]):9.3f}"
        said = f"{ratio:.2f} ({low:+.2f} to {high:+.2f})"
        print(f"{name:20} {growth:13.1%} {volatility:10.1%} {trading.drawdown(returns):9.1%} {said:>25} {deflated}")
    best = trading.expected_best(float(np.std(tried, ddof=1)) if len(tried) > 1 else 0.0, len(tried))
    print(
        f"deflated: the probability that the true Sharpe ratio is above {best:.2f}, which the best of the {len(tried)} "
        f"trials in {run.path.parent} would have by chance\n{WARNING}"
    )
    draw(earned, data.bars.days[data.tested()[0].any(axis=0)], run.file(PICTURE))


def trials_of(run: runs.Run) -> list[float]:
    """Returns the Sharpe ratio of every strategy of every finished run on the same data: each of them was a trial."""
    found = []
    for path in sorted(run.path.parent.glob("[!.]*/metrics.json")):
        other = runs.find(run.app, path.parent.name)
        if other.config["data"] == run.config["data"]:
            found += [record["value"] for record in other.metrics() if record["metric"] == "sharpe"]
    return found


def draw(earned: dict, days: list, path: Path) -> None:
    """Plots the growth of one unit of money."""
    figure, axes = plots.new_figure("the test part on paper, after costs", size=(8.0, 4.0))
    for name, returns in earned.items():
        axes.plot(days[-len(returns) :], (1 + returns).cumprod(), label=name.replace("_", " "))
    axes.set(ylabel="wealth", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    plots.save(figure, path)
