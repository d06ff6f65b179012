"""Trains networks side by side, measures their mean beside simple methods, saves it with an alarm."""

import dataclasses

import keras
import numpy as np

from shared import plots, runs
from shared.data.sequences import ArrayBatches
from shared.fit import fit

from .config import APP, Config, Train
from .data import Data, load
from .evaluate import all_folds, mean, measure, report, show
from .metrics import at_last, risk
from .model import BATCH, Nats, answers, build

NEXT_STEPS = """
Now try, with a test patient's measurements:
  python -m {package} predict {example} --run {name}
  python -m {package} monitor {example} --run {name}
  python -m {package} train --data {data} --arch grud"""


def train(options: Train) -> None:
    """The train verb: one run, or one for each fold and their mean."""
    config = options.config
    folds = range(config.folds) if options.all_folds else [config.fold]
    for fold in folds:
        chosen = dataclasses.replace(config, fold=fold)
        name = f"{options.run}-fold{fold}" if options.run and options.all_folds else options.run
        run = train_one(chosen, name, options.fresh)
    if options.all_folds:
        print(f"\nMean over {config.folds} folds:")
        show(mean(all_folds(config)))
    example = run.file("example.csv")
    print(NEXT_STEPS.format(package=__package__, name=run.path.name, example=example, data=config.data))


def train_one(config: Config, name: str | None = None, fresh: bool = False) -> runs.Run:
    """Trains (or goes on training) one run, measures it and reports."""
    data = load(config)
    run = runs.start(APP, dataclasses.asdict(config), name, fresh)
    run.save_info(data.info)
    keras.utils.set_random_seed(config.seed)
    model, used = build(config, data.info)
    print(
        f"{run.path}: {config.members} x {config.arch}, {used.count_params():,} parameters\n"
        f"{config.data}, {data.info['split']} patients; {len(data.info['variables'])} variables, "
        f"{data.train.inputs.shape[1]} steps",
        flush=True,
    )
    # Every batch is full: another shape would be compiled anew.
    size = min(config.batch_size, len(data.train.patients))
    batches = ArrayBatches(data.train.arrays(), size, config.seed, drop_last=True)
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * batches.steps)
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm),
        loss=Nats(),
        weighted_metrics=[keras.metrics.MeanMetricWrapper(Nats().call, name="nats")],  # the loss without the penalty
        jit_compile="auto",  # the layers are compiled already: Keras compiles the rest on JAX, or on a GPU
    )
    history = fit(
        model,
        batches,
        ArrayBatches(data.valid.arrays(), BATCH, seed=0, shuffle=False),
        run,
        epochs=config.epochs,
        monitor="val_nats",
        patience=config.patience or None,
        deploy=lambda: used,
    )
    plots.learning_curves(history, run.file("learning_curves.png"), "nats", "nats per known interval")
    report(run, measure(run, data))
    write_example(run, data, run.load_model())
    return run


def write_example(run: runs.Run, data: Data, used: keras.Model) -> None:
    """Keeps the measurements of one test patient, who had the outcome and whose risk is in the middle of theirs."""
    risks = at_last(data.test, risk(answers(used, data.test.inputs, data.test.summary)))
    had = np.flatnonzero(data.test.outcomes.label == 1)
    patient = data.test.patients[had[np.argsort(risks[had])[len(had) // 2]]]
    rows = data.table.of(data.table.patients.index(patient))
    lines = [f"{t:g},{rows.variables[v]},{x:g}" for t, v, x in zip(rows.when, rows.what, rows.value, strict=True)]
    runs.write_text(run.file("example.csv"), "\n".join(["time,variable,value", *lines]) + "\n")
