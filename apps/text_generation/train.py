"""Trains a network, compares it with the n-gram model, and saves it."""

import dataclasses
import shlex

import keras

from shared import plots, settings, trials
from shared.data.sequences import StreamBatches
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from .config import APP, LEVELS, RECIPES, Config
from .data import load, prompt
from .evaluate import measure, report
from .model import build
from .options import Train
from .predict import Predictor, samples


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
    """Returns commands to try next, with this text and these settings."""
    example, name = run.info()["example"], f"--run {run.path.name}"
    another = dataclasses.replace(config, arch="lstm" if config.arch == "gru" else "gru")
    commands = [
        f"python -m {__package__} predict {name} {shlex.quote(prompt(example))}",
        f"python -m {__package__} predict {name} --interactive",
        *([f"python -m {__package__} score {name} {shlex.quote(example)}"] if example else []),
        settings.command(APP, another, RECIPES),
    ]
    return "\n  ".join(["\nNow try:", *commands])


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    reader = build(config, data.info, config.batch_size)  # carries its state from window to window
    model = build(config, data.info)  # the same network for inference: any batch size, stateless
    train = StreamBatches(data.train, config.batch_size, config.window, config.seed)
    valid_window = min(config.window, (len(data.valid) - 1) // config.batch_size)
    valid = StreamBatches(data.valid, config.batch_size, valid_window, jitter=False)
    print(f"{run.path}: {config.layers} x {config.arch} of {config.units} units, {model.count_params():,} parameters")
    source, split = data.info["source"], data.info["split"]
    print(f"{source} ({split}): {len(data.train):,} {LEVELS[config.level]} to train on", flush=True)

    steps = config.epochs * train.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 50, warmup_target=config.learning_rate, warmup_steps=steps // 50
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm)
    if config.tied:  # the bias holds the log frequencies, which weight decay would erase
        optimizer.exclude_from_weight_decay(var_list=reader.get_layer("bias").trainable_variables)
    reader.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),  # nats per token
        jit_compile=True,  # measured: a sixth faster than compiled layers in an ordinary graph
    )

    def deployed() -> keras.Model:
        for ours, theirs in zip(model.trainable_variables, reader.trainable_variables, strict=True):
            ours.assign(theirs)
        return model

    history = fit(
        reader,
        train,
        valid,
        run,
        epochs=config.epochs,
        monitor="val_loss",
        patience=config.patience or None,
        deploy=deployed,
    )
    plots.learning_curves(history, run.file("learning_curves.png"), "loss", "loss in nats per token")
    predictor = Predictor(run)
    records = measure(predictor, data)
    report(records)
    samples(predictor)
    run.save_metrics(records)
    return records
