"""Trains a network, compares it with the baselines, and saves it."""

import os
import shlex
from pathlib import Path

import keras

from shared import plots, trials
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from . import folder
from .config import APP, PUBLIC, RECIPES, Config
from .data import Data, Spoken, load
from .evaluate import measure, report, together
from .model import CTC, build
from .options import Train
from .predict import Predictor

SHOWN = 5  # number of test utterances to print

EXAMPLES = Path(__file__).parent / "examples"
NEXT_STEPS = """
Now try, also with recordings of your own:
  python -m {package} transcribe --run {name} {recording}
  python -m {package} """
STREAM, STREAMING = "stream --run {name} {feed}", "train --data {data} --streaming   # for live audio"
PEOPLE = "\n  python -m {package} train --data fsdd   # of people's voices; the run above knows synthetic ones only"


def train(options: Train) -> None:
    """Runs the train verb: one run per seed and fold, then the mean and standard deviation over several runs."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials, options.config.fold_count)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(together(done))
    print(next_steps(options.config, done[-1]))


def next_steps(config: Config, run: Run) -> str:
    """Returns commands to try next: on an example or, with your own data, on a recording of its validation part."""
    recording, feed = (os.path.relpath(EXAMPLES / name) for name in ("recordings/anna1.ogg", "feed.raw"))
    if config.data != "builtin":
        own = config.data not in PUBLIC and Path(config.data).exists()
        recording, feed = str(folder.held_out(config)) if own else "my.wav", "feed.raw"
    shown = NEXT_STEPS + (STREAM if config.streaming else STREAMING) + (PEOPLE if config.data == "builtin" else "")
    quoted = {"data": config.data, "recording": recording, "feed": feed, "name": run.path.name}
    return shown.format(package=__package__, **{name: shlex.quote(value) for name, value in quoted.items()})


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    print(f"{run.path}: {config.layers} x {config.arch} of {config.units} units, {model.count_params():,} parameters")
    print(f"{data.info['source']}: {data.info['split']}", flush=True)
    train = Spoken(data.train, config, data.info, config.batch_size, config.seed, augment=True)
    valid = Spoken(data.valid, config, data.info, config.batch_size, 0, augment=False)

    steps = config.epochs * train.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 20, warmup_target=config.learning_rate, warmup_steps=steps // 20
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        use_ema=config.ema_momentum > 0,  # the averaged weights are evaluated and saved
        ema_momentum=config.ema_momentum or 0.99,
    )
    model.compile(
        optimizer=optimizer,
        loss=CTC(),
        jit_compile="auto",  # the layers compile themselves; Keras compiles the rest on JAX or on a GPU
    )
    history = fit(model, train, valid, run, epochs=config.epochs, patience=config.patience or None)
    plots.learning_curves(history, run.file("learning_curves.png"), "loss", "nats per symbol")
    predictor = Predictor(run)
    predictor.calibrate(data.valid.utterances)
    records = measure(predictor, data)
    report(records)
    samples(predictor, data)
    run.save_metrics(records)
    return records


def samples(predictor: Predictor, data: Data) -> None:
    """Prints the reference and recognised transcripts of a few test utterances."""
    some = data.test.utterances[:: max(1, len(data.test.utterances) // SHOWN)][:SHOWN]
    for utterance, found in zip(some, predictor.log_probabilities([u.raw for u in some]), strict=True):
        print(f"said:  {utterance.text}\nheard: {predictor.transcripts(found, None, 0)[0].text}")
