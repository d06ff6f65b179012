"""Trains a network of the given number of parameters, reports whether it solves the task, saves it."""

import dataclasses
from typing import Any

import keras
from keras import ops

from shared import plots, settings, trials
from shared.data.sequences import ArrayBatches
from shared.fit import fit
from shared.runs import Run

from .config import APP, RECIPES, Config
from .data import load
from .evaluate import measure, report
from .model import build, width
from .options import Train
from .predict import BATCH, Predictor, samples
from .tasks import TASKS

NEXT_STEPS = """
Now try:
  python -m {package} predict --run {name} --seed 5
  python -m {package} reach --run {name}
  {longer}
  {sweep}"""

LARGEST = 1e15  # the squares of 10 ** 8 such numbers add up to what float32 holds


class Adam(keras.optimizers.Adam):
    """Adam that also clips gradients whose squares exceed the range of float32.

    Through hundreds of steps a gradient can grow to 1e22. Keras then takes its norm for infinite and makes every
    weight NaN; scaled down to `LARGEST` first, it keeps its direction and is clipped like any other. Inf and NaN stay.
    """

    def apply(self, grads: list, trainable_variables: Any = None) -> None:
        """One step."""
        largest = ops.max(ops.stack([ops.max(ops.abs(gradient)) for gradient in grads]))
        scale = ops.minimum(1.0, LARGEST / largest)
        super().apply([gradient * scale for gradient in grads], trainable_variables)


def train(options: Train) -> None:
    """The train command: one run for each seed; reports mean and standard deviation over several."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    config = options.config
    longer = settings.command(APP, dataclasses.replace(config, length=2 * config.length), RECIPES)
    # The sweep chooses architectures and lengths itself.
    sweep = settings.command(
        APP, config, RECIPES, "sweep", leave_out=("arch", "length"), archs=("gru", "lstm", "elman")
    )
    print(NEXT_STEPS.format(package=__package__, name=done[-1].path.name, longer=longer, sweep=sweep))


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains (or resumes) one run and returns its records."""
    data = load(config)
    info = data.info | {"units": width(config)}
    run.begin(info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, info)
    print(
        f"{run.path}: {config.data}, length {config.length}; {config.layers} x {config.arch} of {info['units']} units, "
        f"{model.count_params():,} parameters\n{info['source']}: {info['split']}",
        flush=True,
    )
    task = TASKS[config.data]
    regression = task.outputs == 1
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * data.train.steps)
    model.compile(
        optimizer=Adam(rate, global_clipnorm=config.clip_norm),
        loss="mean_squared_error" if regression else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[] if regression else [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        jit_compile="auto",  # the layers are compiled already: Keras compiles the rest on JAX, or on a GPU
    )
    mode = "min" if regression else "max"
    history = fit(
        model,
        data.train,
        ArrayBatches(data.valid, BATCH, seed=0, shuffle=False),
        run,
        epochs=config.epochs,
        monitor="val_loss" if regression else "val_accuracy",
        mode=mode,
        patience=config.patience or None,
        target=task.stop_at,
    )
    metric, title = ("loss", "mean squared error; always 1 gives 0.167") if regression else ("accuracy", "accuracy")
    plots.learning_curves(history, run.file("learning_curves.png"), metric, f"{config.data}: {title}", mode)
    predictor = Predictor(run)
    records = measure(predictor, data)
    report(records)
    samples(predictor)
    run.save_metrics(records)
    return records
