"""Trains a network of the given number of parameters, says whether it remembers, saves it."""

import dataclasses
from typing import Any

import keras
from keras import ops

from shared import plots, runs
from shared.data.sequences import ArrayBatches
from shared.fit import fit

from .config import APP, Config, Train
from .data import load
from .evaluate import BATCH, measure, report
from .model import build, units_for_budget
from .predict import examples
from .tasks import TASKS

NEXT_STEPS = """
Now try:
  python -m {package} predict --run {name} --seed 5
  python -m {package} train --data {task} --length {longer}
  python -m {package} sweep --data {task} --archs gru lstm elman"""

LARGEST = 1e15  # the squares of 10 ** 8 such numbers add up to what float32 holds


class Adam(keras.optimizers.Adam):
    """Adam that also clips gradients whose squares are more than float32 holds.

    Through hundreds of steps a gradient can grow to 1e22. Keras takes its norm for infinite then, and makes every
    weight NaN; brought down to `LARGEST` first, it keeps its direction and is clipped as any other. Inf and NaN stay.
    """

    def apply(self, grads: list, trainable_variables: Any = None) -> None:
        """One step."""
        largest = ops.max(ops.stack([ops.max(ops.abs(gradient)) for gradient in grads]))
        scale = ops.minimum(1.0, LARGEST / largest)
        super().apply([gradient * scale for gradient in grads], trainable_variables)


def train(options: Train) -> None:
    """The train verb: one run for each seed."""
    for seed in range(options.config.seed, options.config.seed + options.seeds):
        config = dataclasses.replace(options.config, seed=seed)
        run = train_one(config, options.run, options.fresh)
    examples(run)
    longer = 2 * options.config.length
    print(NEXT_STEPS.format(package=__package__, name=run.path.name, task=config.data, longer=longer))


def train_one(config: Config, name: str | None = None, fresh: bool = False) -> runs.Run:
    """Trains (or goes on training) one run, measures it and reports."""
    data = load(config)
    info = data.info | {"units": units_for_budget(config, data.info)}
    run = runs.start(APP, dataclasses.asdict(config), name, fresh)
    run.save_info(info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, info)
    task = TASKS[config.data]
    print(
        f"{run.path}: {config.data}, length {config.length}; {config.layers} x {config.arch} of "
        f"{info['units']} units, {model.count_params():,} parameters\n{info['source']}: {info['split']}",
        flush=True,
    )
    value = task.outputs == 1
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * data.train.steps)
    model.compile(
        optimizer=Adam(rate, global_clipnorm=config.clip_norm),
        loss="mean_squared_error" if value else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[] if value else [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        jit_compile="auto",  # the layers are compiled already: Keras compiles the rest on JAX, or on a GPU
    )
    history = fit(
        model,
        data.train,
        ArrayBatches(data.valid, BATCH, seed=0, shuffle=False),
        run,
        epochs=config.epochs,
        monitor="val_loss" if value else "val_accuracy",
        mode="min" if value else "max",
        patience=config.patience or None,
        target=task.enough,
    )
    figure, title = ("loss", "mean squared error; always 1 gives 0.167") if value else ("accuracy", "accuracy")
    plots.learning_curves(history, run.file("learning_curves.png"), figure, f"{config.data}: {title}")
    report(run, measure(run, data), data)
    return run
