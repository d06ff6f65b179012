"""Fits the linear forecast, trains a network on its residual, compares both with the baselines, and saves them."""

import csv
import dataclasses
import io
import shlex

import keras
import numpy as np

from shared import files, plots, results, runs, settings, trials
from shared.fit import fit
from shared.layers.budget import sized

from . import heads, ridge
from .config import APP, RECIPES, Config
from .data import Data, load
from .evaluate import measure, report
from .model import BATCH, build, set_gate, set_linear, set_start
from .options import Train
from .pictures import fan
from .predict import DECILES, SHOWN, Predictor
from .windows import WindowBatches

LEAST_WIDTH = 0.01  # lower limit of a series' error width, such as that of a constant series
GATES = np.linspace(0, 1, 11)
SPREAD_ROWS = 5000  # number of training windows used to initialise the head


def train(options: Train) -> None:
    """Runs the train command: one run per seed; reports mean and standard deviation over several."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        results.report(trials.summary(done))
    print(next_steps(options.config, done[-1]))


def next_steps(config: Config, run: runs.Run) -> str:
    """Returns what to try with a trained run; it can only be streamed to without columns whose future is known."""
    name, example = run.path.name, shlex.quote(str(run.file("example.csv")))
    verbs = ("forecast", "backtest") if config.known else ("forecast", "backtest", "stream")
    other = dataclasses.replace(config, arch="lstm" if config.arch == "gru" else "gru")
    commands = [f"python -m {__package__} {verb} {example} --run {name}" for verb in verbs]
    lines = [*commands, settings.command(APP, other, RECIPES)]
    return "\n".join(["\nNow try, with the series up to their last test window:", *(f"  {line}" for line in lines)])


def train_one(config: Config, run: runs.Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    print(
        f"{run.path}: {config.network} of {config.layers} x {config.arch}, {config.units} units, "
        f"{model.count_params():,} parameters\n{data.info['source']}: {len(data.info['names']):,} series; windows: "
        f"{data.info['split']}; {data.info['reach']} steps of the past, {config.horizon} ahead",
        flush=True,
    )
    linear = start_from_ridge(model, data, config)
    batches = batched(data, config)
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * batches.steps)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            rate,
            weight_decay=config.weight_decay,
            global_clipnorm=config.clip_norm,
            use_ema=config.ema_momentum > 0,  # the averaged weights are evaluated and saved
            ema_momentum=config.ema_momentum or 0.99,
        ),
        loss=heads.Loss(config.head, config.absolute),
        weighted_metrics=[],
        jit_compile="auto",
    )
    history = fit(
        model,
        batches,
        batched(data, config, "valid"),
        run,
        epochs=config.epochs,
        patience=config.patience or None,
    )
    plots.learning_curves(history, run.file("learning_curves.png"), "loss", "training loss of the head")
    choose_gate(run, data, config, linear)
    predictor = Predictor(run)
    predictor.calibrate(data.valid)
    records = measure(predictor, data)
    report(records)
    show_example(predictor, data)
    run.save_metrics(records)
    return records


def batched(data: Data, config: Config, part: str = "train") -> WindowBatches:
    """Returns the batches of a split for `fit`; validation batches are large and in order."""
    windows, trained = getattr(data, part), part == "train"
    return WindowBatches(
        windows,
        min(config.batch_size if trained else BATCH, len(windows)),
        config.seed,
        config.lookback,
        len(data.info["names"]),
        np.array(data.info["scale"]) if config.head == "negative_binomial" else None,
        config.steps_per_epoch if trained else 0,
        shuffle=trained,
    )


def start_from_ridge(model: keras.Model, data: Data, config: Config) -> ridge.Ridge | None:
    """Initialises the model with the linear forecast, unless --no-skip, and with the spread of its training errors."""
    found = None
    if config.skip:
        fits = [
            ridge.fit(data.linear, data.valid, length, config.normalise, config.lookback) for length in config.linear
        ]
        found = ridge.mean(fits, config.reach)
        set_linear(model, found.kernel, found.bias)
        strengths = ", ".join(
            f"{length} steps {fit.strength:g}" for length, fit in zip(config.linear, fits, strict=True)
        )
        print(f"linear forecast in closed form; penalty chosen on validation: {strengths}", flush=True)
    some = np.unique(np.linspace(0, len(data.train) - 1, SPREAD_ROWS).round().astype(int))
    x, shift, scale = ridge.normalised(data.train.past(some), config.normalise, config.lookback)
    forecast = found(x) if found else np.zeros((len(some), config.horizon))
    residuals = (data.train.future(some) - shift) / scale - forecast
    width = widths(residuals, data.train.who[some], len(data.info["names"]))
    set_start(model, heads.start(config.head, residuals / width[data.train.who[some]][:, None]), width)
    return found


def widths(residuals: np.ndarray, who: np.ndarray, count: int) -> np.ndarray:
    """(count + 1,): the mean absolute error of each series relative to the overall mean; 1 for unseen series."""
    each, found = np.abs(residuals).mean(axis=1), np.ones(count + 1)
    total, windows = np.bincount(who, each, minlength=count), np.bincount(who, minlength=count)
    seen = windows > 0
    found[:-1][seen] = total[seen] / windows[seen] / max(float(each.mean()), 1e-8)
    return np.maximum(found, LEAST_WIDTH)


def choose_gate(run: runs.Run, data: Data, config: Config, linear: ridge.Ridge | None) -> None:
    """Chooses the network's weight with the lowest validation loss and saves the model; 0 is the linear forecast alone.

    With --no-skip there is no linear forecast to fall back to, and the weight stays 1.
    """
    if linear is None:
        return
    model = run.load_model()
    model.compile(loss=heads.Loss(config.head, config.absolute), jit_compile="auto")
    batches = batched(data, config, "valid")
    losses = []
    for gate in GATES:
        set_gate(model, float(gate))
        losses.append(float(model.evaluate(batches, verbose=0)))
    best = int(np.argmin(losses))
    set_gate(model, float(GATES[best]))
    run.save_model(model)
    print(
        f"validation loss: {losses[0]:.4f} linear forecast alone, {losses[-1]:.4f} with the network, "
        f"{losses[best]:.4f} with {GATES[best]:.0%} of the network (saved)",
        flush=True,
    )


def show_example(predictor: Predictor, data: Data) -> None:
    """Plots forecast and truth of the last test window of the first series; saves the data before it as example.csv."""
    test, info, config = data.test, data.info, predictor.config
    last = [int(np.flatnonzero(test.who == number)[-1]) for number in range(min(SHOWN, len(info["names"])))]
    windows = test.among(np.array(last))
    scale, shift = (np.array(info[name])[:, None] for name in ("scale", "shift"))
    answer = predictor.said(windows, predictor.numbers(windows), scale[:, 0])
    low, high = predictor.intervals(windows, *answer.interval(config.coverage))
    charts = []
    for number, series in enumerate(data.panel.series[: len(last)]):

        def plain(values: np.ndarray, number: int = number) -> np.ndarray:
            return values * info["scale"][number] + info["shift"][number]

        before = series.until(len(series) - config.horizon)
        charts.append(
            {
                "name": series.name,
                "past": before.values,
                "point": plain(answer.point[number]),
                "interval": (plain(low[number]), plain(high[number])),
                "deciles": plain(heads.between(answer.quantiles[number], DECILES)),
                "coverage": config.coverage,
                "first": series.first,
                "clock": series.clock,
                "actual": series.values[len(before) :],
            }
        )
    fan(charts, predictor.run.file("forecast.png"))
    save_example(predictor, data)


def save_example(predictor: Predictor, data: Data) -> None:
    """Saves the first series, without their last horizon, as a CSV file in long format."""
    first = data.panel.series[0]
    alike = [series for series in data.panel.series if series.clock == first.clock][:SHOWN]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["unique_id", "ds", "y", *data.panel.known, *data.panel.static])
    for series in alike:
        end = len(series) - predictor.config.horizon
        for step in range(len(series) if data.panel.known else end):
            value = f"{series.values[step]:.10g}" if step < end and series.observed[step] else ""
            cells = [f"{value:.10g}" for value in series.known[step]]
            rows.writerow([series.name, series.clock.text(series.first + step), value, *cells, *series.static])
    files.write_text(predictor.run.file("example.csv"), text.getvalue())
