"""Trains a network, compares it with the baselines, saves it."""

import keras

from shared import plots, trials
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from . import vectors
from .config import APP, FOLDS, RECIPES, Config
from .data import Weighted, load
from .evaluate import measure, report
from .model import build
from .options import Train
from .predict import Predictor, samples

NEXT_STEPS = """
Now try:
  python -m {package} predict --run {name} "the food was not bad, but the waiter was rude"
  python -m {package} explain --run {name} "the food was not bad, but the waiter was rude"
  python -m {package} stream --run {name}
  python -m {package} train --data your_texts.csv --arch lstm"""


def train(options: Train) -> None:
    """The train verb: one run for each seed and fold; of several, their mean and standard deviation at the end."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials, FOLDS)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    print(NEXT_STEPS.format(package=__package__, name=done[-1].path.name))


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains (or goes on training) one run and returns its measured records."""
    data = load(config)
    given = vectors.table(config.vectors, data.info["words"]) if config.vectors else None
    config = sized(config, lambda config: build(config, data.info, given))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info, given)
    print(f"{run.path}: {config.layers} x {config.arch} of {config.units} units, {model.count_params():,} parameters")
    print(f"{data.info['source']}: {data.info['split']}", flush=True)
    train = Weighted(data.train, data.info, config.batch_size, config.seed, config.balance)
    valid = Weighted(data.valid, data.info, config.batch_size, 0, balance=1.0)  # so that accuracy is macro-recall

    steps = config.epochs * train.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 20, warmup_target=config.learning_rate, warmup_steps=steps // 20
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        use_ema=config.ema_momentum > 0,  # at each epoch's end Keras puts the averages in the weights' place
        ema_momentum=config.ema_momentum or 0.99,
    )
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight"),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="macro_recall")],
        jit_compile="auto",  # the layers are compiled already: Keras compiles the rest on JAX, or on a GPU
    )
    history = fit(
        model,
        train,
        valid,
        run,
        epochs=config.epochs,
        monitor="val_macro_recall",
        mode="max",
        patience=config.patience or None,
    )
    plots.learning_curves(history, run.file("learning_curves.png"), "macro_recall", "mean recall of the labels")
    predictor = Predictor(run)
    predictor.calibrate(data.valid, config.target_accuracy)
    records = measure(predictor, data)
    report(records)
    samples(predictor)
    run.save_metrics(records)
    return records
