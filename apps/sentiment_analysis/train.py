"""Trains a network, measures it beside the simple methods, saves it."""

import dataclasses
import functools

import keras

from shared import InputError, plots, runs
from shared.fit import fit

from . import vectors
from .config import APP, FOLDS, Config, Train
from .data import Data, Weighted, load
from .evaluate import measure, report, summary
from .model import build
from .predict import examples

NEXT_STEPS = """
Now try:
  python -m {package} predict --run {name} "the food was not bad, but the waiter was rude"
  python -m {package} explain --run {name} "the food was not bad, but the waiter was rude"
  python -m {package} stream --run {name}
  python -m {package} train --data your_texts.csv --arch lstm"""


def train(options: Train) -> None:
    """The train verb: one run for each seed and fold; of several, their mean and spread at the end."""
    configs = plan(options)
    done = []
    for each in configs:
        run = runs.start(APP, dataclasses.asdict(each), options.run, options.fresh)
        if len(configs) > 1 and run.file("metrics.json").exists():
            print(f"{run.path} is done")
            done.append(run.metrics())
        else:
            done.append(train_one(each, run))
        keras.utils.clear_session()
    if len(configs) > 1:
        print(f"\nMean and deviation over {options.seeds} seeds, {options.folds} folds")
        report(summary(done, options.seeds, options.folds))
    examples(run)
    print(NEXT_STEPS.format(package=__package__, name=run.path.name))


def plan(options: Train) -> list[Config]:
    """The settings of every run, refused as a whole if one cannot work."""
    config = options.config
    if options.seeds < 1 or options.folds < 1:
        raise InputError(f"--seeds, --folds: expected at least 1; received {options.seeds} and {options.folds}")
    if options.folds > FOLDS - config.fold:
        raise InputError(f"--folds: expected at most {FOLDS - config.fold} from fold {config.fold}")
    configs = [
        dataclasses.replace(config, seed=config.seed + seed, fold=config.fold + fold)
        for fold in range(options.folds)
        for seed in range(options.seeds)
    ]
    if options.run and len(configs) > 1:
        raise InputError("--run: expected with one seed and one fold only; several runs name themselves")
    return configs


@functools.lru_cache(maxsize=1)
def loaded(config: Config) -> Data:
    """The data of settings whose seed is 0: it is the same for every seed."""
    return load(config)


def train_one(config: Config, run: runs.Run) -> list[dict]:
    """Trains (or goes on training) one run and returns its measured records."""
    data = loaded(dataclasses.replace(config, seed=0))
    run.save_info(data.info)
    keras.utils.set_random_seed(config.seed)
    given = vectors.table(config.vectors, data.info["words"]) if config.vectors else None
    model = build(config, data.info, given)
    print(f"{run.path}: {config.layers} x {config.arch}, {model.count_params():,} parameters")
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
        use_ema=config.averaging > 0,  # at each epoch's end Keras puts the averages in the weights' place
        ema_momentum=config.averaging or 0.99,
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
    records = measure(run, data)
    report(records)
    return records
