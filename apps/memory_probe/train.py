"""Trains a network with the given number of parameters, reports whether it solves the task, and saves it."""

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

LARGEST = 1e15  # the sum of 10 ** 8 squares of such numbers is still within the range of float32


class Adam(keras.optimizers.Adam):
    """Adam that can also clip gradients whose squares exceed the range of float32.

    Through hundreds of steps a gradient can grow to 1e22. Keras would compute an infinite norm and set every weight to
    NaN; scaled down to `LARGEST` first, it keeps its direction and is clipped as usual. Inf and NaN are kept.
    """

    def apply(self, grads: list, trainable_variables: Any = None) -> None:
        """Applies one update."""
        largest = ops.max(ops.stack([ops.max(ops.abs(gradient)) for gradient in grads]))
        scale = ops.minimum(1.0, LARGEST / largest)
        super().apply([gradient * scale for gradient in grads], trainable_variables)


def train(options: Train) -> None:
    """Runs the train command: one run per seed; reports mean and standard deviation over several."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    config = options.config
    longer = settings.command(APP, dataclasses.replace(config, length=2 * config.length), RECIPES)
    # A sweep sets architecture and length itself.
    sweep = settings.command(
        APP, config, RECIPES, "sweep", leave_out=("arch", "length"), archs=("gru", "lstm", "elman")
    )
    print(NEXT_STEPS.format(package=__package__, name=done[-1].path.name, longer=longer, sweep=sweep))


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
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
        jit_compile="auto",  # the layers compile themselves; Keras compiles the rest on JAX or on a GPU
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
