"""Trains a network for each test period, walk-forward, compares it with the baselines, and saves it."""

import shlex

import keras
import numpy as np

from shared import files, plots, runs, trials
from shared.data import wording
from shared.fit import fit
from shared.layers.budget import sized

from . import linear
from .batches import AllDays, Chunks
from .config import APP, HORIZONS, RECIPES, WARNING, Config
from .data import Data, Refit, load
from .evaluate import measure, report
from .model import Losses, averaged, build, goals, log_variances, one_day_qlike, outputs, shrunk
from .options import Train
from .predict import EXAMPLE, REFITS, SHARES, Predictor, model_of, part_of, show_example

STEPS = np.linspace(0, 1, 21)

NEXT_STEPS = """
Now try:
  python -m {package} forecast {example} --run {name}
  python -m {package} backtest --run {name} --cost-bps 10
  python -m {package} evaluate --run {name}
{warning}"""


def train(options: Train) -> None:
    """Runs the train command: one run per seed; reports mean and standard deviation over several."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    example = shlex.quote(str(done[-1].file(EXAMPLE)))
    print(NEXT_STEPS.format(package=__package__, name=done[-1].path.name, example=example, warning=WARNING))


def train_one(config: Config, run: runs.Run) -> list[dict]:
    """Trains one run, or resumes it, period by period, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    print(f"{run.path}\n{data.info['source']}: {data.split}; {len(data.info['inputs'])} inputs", flush=True)
    for refit in data.refits:
        part = part_of(run, refit.number)
        if not part.file(SHARES).exists():
            train_refit(config, part, data, refit)
            keras.utils.clear_session()
        run.save_model(model_of(run, refit.number))
        files.write_json(run.file(REFITS), {"trained": refit.number + 1})
        seconds = sum(part_of(run, other.number).seconds() for other in data.refits[: refit.number + 1])
        files.write_json(run.file("timing.json"), {"seconds": round(seconds, 3)})
    predictor = Predictor(run)
    predictor.calibrate(data)
    records = measure(predictor, data)
    report(records)
    show_example(predictor, data)
    run.save_metrics(records)
    return records


def train_refit(config: Config, part: runs.Run, data: Data, refit: Refit) -> None:
    """Trains the network for one test period; its folder in the run has the model, history and checkpoint."""
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    inputs = data.scaled(refit.number)
    learned, checked = data.train(refit), data.valid(refit)
    if config.skip:
        model.get_layer("linear").set_weights(start(inputs, data, learned))
    batches = Chunks(inputs, _goals(data, learned), learned[0].astype(np.float32), config)
    scale = data.info["refits"][refit.number]
    print(
        f"\nrefit {refit.number + 1} of {len(data.refits)}, tested {scale['from']} to {scale['until']}: "
        f"{wording.sized(config.ensemble_size, 'networks')} of {config.layers} x {config.arch}, {config.units} units, "
        f"{model.count_params():,} parameters",
        flush=True,
    )
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * batches.steps)
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm),
        loss=Losses(config.return_weight, config.direction_weight),
        weighted_metrics=[keras.metrics.MeanMetricWrapper(one_day_qlike, name="qlike")],
        jit_compile="auto",  # the layers compile themselves; Keras compiles the rest on JAX or on a GPU
    )
    used = averaged(model)
    history = fit(
        model,
        batches,
        AllDays(inputs, _goals(data, checked), checked[0].astype(np.float32)),
        part,
        epochs=config.epochs,
        monitor="val_qlike",
        patience=config.patience or None,
        deploy=lambda: used,
    )
    plots.learning_curves(history, part.file("learning_curves.png"), "qlike", f"one-day QLIKE, test {scale['from']}")
    shares = best_shares(part, inputs, data, refit) if config.skip else [1.0] * len(HORIZONS)
    files.write_json(part.file(SHARES), {"shares": shares})  # written last: it marks the refit as finished


def _goals(data: Data, chosen: np.ndarray) -> np.ndarray:
    """Returns the loss targets of the chosen examples (horizons, tickers, days)."""
    variance = np.where(chosen, data.targets.variance, np.nan)
    return goals(variance, np.where(chosen[0], data.targets.returns, np.nan))


def start(inputs: np.ndarray, data: Data, learned: np.ndarray) -> list[np.ndarray]:
    """Fits the linear models of all horizons on the training days; returns their kernel and bias."""
    found = [
        linear.fit(inputs[learned[place]], data.targets.variance[place][learned[place]], linear.RIDGE * horizon)
        for place, horizon in enumerate(HORIZONS)
    ]
    return [np.stack([w[:-1] for w in found], axis=1), np.array([w[-1] for w in found])]


def best_shares(part: runs.Run, inputs: np.ndarray, data: Data, refit: Refit) -> list[float]:
    """Returns, for each horizon, the share of the network's correction that has the lowest validation loss.

    A share of 0 is the linear model, so the network is never worse than it on validation.
    """
    model = part.load_model()
    whole = np.moveaxis(log_variances(outputs(model, inputs)), -1, 0)
    shrunk(model, [0.0] * len(HORIZONS))
    plain = np.moveaxis(log_variances(outputs(model, inputs)), -1, 0)
    valid, shares = data.valid(refit), []
    for place, chosen in enumerate(valid):
        variance = data.targets.variance[place][chosen]
        start, added = plain[place][chosen], (whole - plain)[place][chosen]

        def loss(
            share: float, variance: np.ndarray = variance, z: np.ndarray = start, more: np.ndarray = added
        ) -> float:
            """QLIKE with its optimal factor, up to a constant."""
            return float(np.log((variance * np.exp(-z - share * more)).mean()) + (z + share * more).mean())

        shares.append(float(min(STEPS, key=loss)))
    return shares
