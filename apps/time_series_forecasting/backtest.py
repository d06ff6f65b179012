"""Forecasts from many past origins, each with the data available at the time, compared with the true values."""

import csv
import dataclasses
import io
import shlex
from pathlib import Path

import numpy as np

from shared import InputError, files, paired, runs, verdicts
from shared.data.wording import sized

from . import adapt, ridge
from .baselines import repeated
from .config import APP, Config
from .data import Mine, as_read, read_for
from .early import csv_out
from .evaluate import FEWEST_BLOCKS
from .heads import LEVELS
from .metrics import DIRECTIONS, Judge, Sums, blocks, score
from .model import set_linear
from .options import Backtest
from .panel import warn
from .predict import Answer, Predictor
from .step_check import other_steps
from .windows import Windows

POINT, INTERVAL = ("mse", "mae", "mase", "smape"), ("weighted_quantile_loss", "msis")
LEAST_ROWS = 50  # minimum number of past windows for a refit of the linear part
COLUMNS = ("unique_id", "origin", "ds", "y", "forecast", "low", "high")


def backtest(options: Backtest) -> None:
    """Runs the backtest command: writes all forecasts with the true values, and compares the metrics with baselines."""
    run = runs.find(APP, options.run)
    config = run.settings(Config)
    out = csv_out(options.out, options.series, run.file(f"backtest-{Path(options.series).stem}.csv"))
    panel = read_for(options.series, run.info(), config)
    warn(other_steps(panel.clocks, options.series, run.info()))
    ends = []
    for series in panel.series:
        needed = config.horizon + (options.origins - 1) * options.stride + 1
        if len(series) < needed:
            raise InputError(
                f"{options.series}: expected {needed} steps of {series.name} or more for {options.origins} origins, "
                f"{sized(options.stride, 'steps')} apart, and --horizon {config.horizon} of the run; received "
                f"{len(series)}"
            )
        ends.append(len(series) - needed + 1)
    predictor = Predictor(run)
    mine = as_read(panel, predictor.info, config, ends)
    windows = origins(mine, config, options)
    answer = forecasts(predictor, mine, windows, options.refit)
    low, high = answer.interval(config.coverage)
    if options.stride == 1 and config.adapt_rate:
        low, high = adapt.adapted(predictor, windows, low, high)
    else:
        low, high = predictor.intervals(windows, low, high)
    low, high = predictor.counted(windows, answer, low, high, np.array(mine.info["scale"]))
    files.write_text(out, table(mine, windows, answer, low, high))
    show(mine, windows, answer, (low, high), config)
    print(f"Written to {shlex.quote(str(out))}")


def origins(mine: Mine, config: Config, options: Backtest) -> Windows:
    """Returns the windows at the last origins of each series whose future is known, in chronological order."""
    steps = options.stride * np.arange(options.origins - 1, -1, -1)
    at = [
        len(series) + more - config.horizon - steps for series, more in zip(mine.panel.series, mine.padded, strict=True)
    ]
    who = np.repeat(np.arange(len(at)), options.origins)
    return Windows(mine.store, who, np.concatenate(at), mine.code, config.reach, config.horizon)


def forecasts(predictor: Predictor, mine: Mine, windows: Windows, refit: int) -> Answer:
    """Forecasts the windows, refitting the linear part at every `refit`-th origin on the data available then."""
    scale = np.array(mine.info["scale"])
    if not refit:
        return predictor.said(windows, predictor.numbers(windows), scale)
    if not predictor.config.skip:
        raise InputError("--refit: expected a run with the linear forecast; this one was trained with --no-skip")
    count = int((windows.who == 0).sum())
    found: list[tuple[np.ndarray, Answer]] = []
    for start in range(0, count, refit):
        # Origins with the same index in every series
        rows = np.flatnonzero(np.arange(len(windows)) % count // refit == start // refit)
        some = windows.among(rows)
        refitted(predictor, mine, some)
        found.append((rows, predictor.said(some, predictor.numbers(some), scale)))
    order = np.argsort(np.concatenate([rows for rows, _ in found]))
    return Answer(
        np.concatenate([answer.point for _, answer in found])[order],
        np.concatenate([answer.quantiles for _, answer in found])[order],
    )


def refitted(predictor: Predictor, mine: Mine, windows: Windows) -> None:
    """Refits the linear part on all windows, of all series, whose future ends before the first of these origins."""
    config, known = predictor.config, []
    for number, more in enumerate(mine.padded):
        first = int(windows.at[windows.who == number].min())
        known.append(np.arange(config.reach + more, first - config.horizon + 1))
    who = np.concatenate([np.full(len(at), number) for number, at in enumerate(known)])
    past = dataclasses.replace(windows, who=who, at=np.concatenate(known))
    if len(past) < LEAST_ROWS:
        raise InputError(
            f"--refit: expected {LEAST_ROWS} windows of {config.reach} + {config.horizon} steps or more before the "
            f"first origin; received {len(past)}. Give a longer file, or fewer --origins."
        )
    last = max(1, len(past) // 5)
    order = np.argsort(past.at, kind="stable")
    train, valid = past.among(order[:-last]), past.among(order[-last:])
    fits = [ridge.fit(train, valid, length, config.normalise, config.lookback) for length in config.linear]
    linear = ridge.mean(fits, config.reach)
    set_linear(predictor.model, linear.kernel, linear.bias)


def show(mine: Mine, windows: Windows, answer: Answer, ends: tuple[np.ndarray, np.ndarray], config: Config) -> None:
    """Prints the metrics of the network and of the naive forecasts, which have no intervals, and which of them wins."""
    block = blocks(windows, mine.info["aligned"])

    def judged(each: Answer, usual: tuple[np.ndarray, np.ndarray] | None = None) -> Sums:
        judge = Judge(windows, block, mine.info)
        judge.add(np.arange(len(windows)), each, usual)
        return judge.result(config.coverage)

    ours, store = judged(answer, ends), mine.store
    naive = {"last_value": np.ones_like(store.season), "seasonal_naive": store.season}
    points = {name: repeated(windows, steps)[..., None] for name, steps in naive.items()}
    theirs = {name: judged(Answer(point[..., 0], point + np.zeros(len(LEVELS)))) for name, point in points.items()}
    count = len(windows) // len(mine.panel.series)
    print(f"{len(mine.panel.series):,} series, {sized(count, 'origins')}, {sized(config.horizon, 'steps')} each")
    for metric in POINT:
        print(f"  {metric:22} {compared(metric, ours, theirs, int(block.max()) + 1)}")
    for metric in INTERVAL:
        print(f"  {metric:22} network {score(ours[metric], np.arange(int(block.max()) + 1)):.4g}")
    covered = score(ours["coverage_ratio"], np.arange(int(block.max()) + 1)) * config.coverage
    print(f"  {'coverage':22} {covered:.1%} of the values in {config.coverage:.0%} intervals")


def compared(metric: str, ours: Sums, theirs: dict[str, Sums], count: int) -> str:
    """Returns a metric of all forecasts, and which of them wins, see `evaluate.compared`."""
    others = {name: sums[metric] for name, sums in theirs.items()}
    found = paired.compared(score, ours[metric], others, count, DIRECTIONS[metric]) | {"std": None}
    if count < FEWEST_BLOCKS:
        found["ahead"] = None
    figures = {"network": found["value"], **found["baselines"]}
    return f"{', '.join(f'{name} {value:.4g}' for name, value in figures.items())}: {verdicts.winner(found)}"


def table(mine: Mine, windows: Windows, answer: Answer, low: np.ndarray, high: np.ndarray) -> str:
    """Formats all forecasts and true values as CSV, in the data's units; unobserved values are empty."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    observed = windows.observed()
    for row, (who, at) in enumerate(zip(windows.who.tolist(), windows.at.tolist(), strict=True)):
        series, scale, shift = mine.panel.series[who], mine.info["scale"][who], mine.info["shift"][who]
        first = series.first + at - mine.padded[who]
        for step in range(windows.horizon):
            values = [answer.point[row, step], low[row, step], high[row, step]]
            cells = [f"{value * scale + shift:.8g}" for value in values]
            came = f"{series.values[at - mine.padded[who] + step]:.10g}" if observed[row, step] else ""
            rows.writerow([series.name, series.clock.text(first - 1), series.clock.text(first + step), came, *cells])
    return text.getvalue()
