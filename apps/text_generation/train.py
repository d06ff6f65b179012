"""Trains a network, measures it beside the n-gram model, saves it."""

import dataclasses

import keras

from shared import plots, runs
from shared.data.sequences import StreamBatches
from shared.fit import fit

from .config import APP, Config, Train
from .data import KINDS, load
from .evaluate import measure, report
from .model import build
from .predict import samples

NEXT_STEPS = """
Now try:
  python -m {package} generate --run {name} --prompt "The " --stream
  python -m {package} generate --run {name} --interactive
  python -m {package} score --run {name} "A sentence of your own."
  python -m {package} train --data your_text.txt --arch gru"""


def train(options: Train) -> None:
    """The train verb: one run for each seed."""
    for seed in range(options.config.seed, options.config.seed + options.seeds):
        config = dataclasses.replace(options.config, seed=seed)
        run = runs.start(APP, dataclasses.asdict(config), options.run, options.fresh)
        train_one(config, run)
    print(NEXT_STEPS.format(package=__package__, name=run.path.name))


def train_one(config: Config, run: runs.Run) -> list[dict]:
    """Trains (or goes on training) one run and returns its measured records."""
    data = load(config)
    run.save_info(data.info)
    keras.utils.set_random_seed(config.seed)
    reader = build(config, data.info, config.batch_size)  # carries its state from window to window
    model = build(config, data.info)  # the same network for users: any batch, no carried state
    train = StreamBatches(data.train, config.batch_size, config.window, config.seed)
    valid_window = min(config.window, (len(data.valid) - 1) // config.batch_size)
    valid = StreamBatches(data.valid, config.batch_size, valid_window, jitter=False)
    print(f"{run.path}: {config.arch}, {model.count_params():,} parameters")
    print(
        f"{data.info['source']} ({data.info['split']}): {len(data.train):,} {KINDS[config.level]} to train on",
        flush=True,
    )

    steps = config.epochs * train.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 50, warmup_target=config.learning_rate, warmup_steps=steps // 50
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm)
    if config.tied:  # decay would forget the frequencies
        optimizer.exclude_from_weight_decay(var_list=reader.get_layer("bias").trainable_variables)
    reader.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),  # nats per token
        jit_compile=True,  # measured: a sixth faster than compiled layers in a plain graph
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
    records = measure(run, data)
    report(run, records)
    samples(run)
    return records
