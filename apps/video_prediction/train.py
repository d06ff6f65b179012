"""Trains a network, compares it with the baselines, and saves it."""

import dataclasses
import os
import shlex
from pathlib import Path

import keras

from shared import plots, trials
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from . import clips
from .config import APP, RECIPES, Config
from .data import Fixed, Videos, load
from .evaluate import measure, report
from .model import FrameLoss, MSEPerFrame, build, with_teacher
from .options import Train
from .predict import Predictor
from .sources import MADE

NEXT_STEPS = """
The predictions of some test sequences: {picture}
Now try, also with videos of your own:
  python -m {package} predict {clip} --run {name}
  python -m {package} stream {frames} --run {name}
  python -m {package} evaluate --data {folder} --run {name}
  python -m {package} train --data {folder}"""
EXAMPLES = Path(__file__).parent / "examples"


def train(options: Train) -> None:
    """Runs the train command: one run per seed; reports mean and standard deviation over several."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    print(next_steps(options.config, done[-1]))


def next_steps(config: Config, run: Run) -> str:
    """Returns commands to try next: on the examples, or on your last clip, which is not trained on."""
    folder = os.path.relpath(EXAMPLES / "clips")
    clip, frames = sorted(str(path) for path in Path(folder).iterdir())[0], os.path.relpath(EXAMPLES / "frames")
    if config.data not in MADE and Path(config.data).exists():
        own = clips.find(config.data)[-1].path
        clip = shlex.quote(str(own))
        frames = clip if own.is_dir() else frames
    shown = {"picture": run.path / "test.png", "clip": clip, "frames": frames, "folder": folder}
    return NEXT_STEPS.format(package=__package__, name=run.path.name, **shown)


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    print(
        f"{run.path}: {config.layers} x {config.arch} of {config.units} channels, {model.count_params():,} parameters"
    )
    print(f"{data.info['source']}: {data.info['split']}", flush=True)
    train, valid = Videos(data.train, config), Fixed(data.valid, config)

    steps = config.epochs * train.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 20, warmup_target=config.learning_rate, warmup_steps=steps // 20
    )
    optimizer = keras.optimizers.Adam(
        rate,
        global_clipnorm=config.clip_norm,
        use_ema=config.ema_momentum > 0,  # the averaged weights are evaluated and saved
        ema_momentum=config.ema_momentum or 0.99,
    )
    taught = with_teacher(model, config)
    parts, begin = phases(config), 0
    print("loss: " + ", then ".join(f"{loss_of(phase)} up to epoch {until}" for until, phase in parts), flush=True)
    for until, phase in parts:
        taught.compile(
            optimizer=optimizer,
            loss=FrameLoss(phase),
            metrics=[MSEPerFrame(config.past)],
            # On CPU, XLA's convolutions are about 27 times slower than TensorFlow's own; JAX has no alternative to XLA.
            jit_compile="auto" if keras.backend.backend() == "jax" else False,
        )
        history = fit(
            taught,
            train,
            valid,
            run,
            epochs=until,
            begin=begin,
            of=config.epochs,
            monitor="val_mse",  # comparable between the two losses
            patience=phase.patience or None,
            deploy=lambda: model,
        )
        begin = until
    plots.learning_curves(history, run.file("learning_curves.png"), "mse", "squared error of a predicted frame")
    records = measure(Predictor(run), data)
    report(records)
    run.save_metrics(records)
    return records


def phases(config: Config) -> list[tuple[int, Config]]:
    """Returns the last epoch of each phase of the training, and the settings of its loss, see `Config.first`."""
    first = round(config.first * config.epochs)
    alone = dataclasses.replace(config, mse=0.0, l1=0.0, bce=1.0, ssim=0.0)
    if first == config.epochs:
        return [(first, alone)]
    alone = dataclasses.replace(alone, patience=0)
    return [(first, alone), (config.epochs, config)] if first else [(config.epochs, config)]


def loss_of(config: Config) -> str:
    """Returns the terms of the loss in words."""
    terms = {
        "squared error": config.mse,
        "absolute error": config.l1,
        "cross-entropy": config.bce,
        "(1 - SSIM)": config.ssim,
    }
    return " + ".join(f"{weight:g} x {name}" for name, weight in terms.items() if weight)
