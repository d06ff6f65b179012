"""Trains an ensemble of networks, compares it with the baselines, and saves it with an alarm threshold."""

import csv
import dataclasses
import io
import shlex

import keras
import numpy as np

from shared import files, plots, runs, settings, trials
from shared.data.sequences import ArrayBatches
from shared.fit import fit
from shared.layers.budget import sized

from .config import APP, RECIPES, Config
from .data import Data, load
from .evaluate import measure, report
from .metrics import risk
from .model import BATCH, Nats, averaged, build
from .options import Train
from .predict import REASONS, Predictor, describe
from .reading import MEASUREMENTS
from .records import Table

NEXT_STEPS = """
Now try, with the measurements of a test patient:
  python -m {package} predict {example} --run {name}
  python -m {package} stream {example} --run {name}
  {other}"""


def train(options: Train) -> None:
    """Runs the train command: one run per seed and fold; reports mean and standard deviation over several."""
    # With a separate test file there is only one split, and no folds.
    folds = 1 if options.config.test else options.config.fold_count
    planned = trials.plan(APP, options.config, RECIPES, options.trials, folds)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    name, example = done[-1].path.name, shlex.quote(str(done[-1].file("example.csv")))
    another = dataclasses.replace(options.config, arch="gru" if options.config.arch == "grud" else "grud")
    other = settings.command(APP, another, RECIPES)
    print(NEXT_STEPS.format(package=__package__, name=name, example=example, other=other))


def train_one(config: Config, run: runs.Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    used = averaged(model)
    print(
        f"{run.path}: {config.ensemble_size} network(s) of {config.layers} x {config.arch}, {config.units} units, "
        f"{used.count_params():,} parameters\n"
        f"{data.info['source']}: {data.info['split']} patients; {len(data.info['variables'])} variables, "
        f"{data.train.steps.times.shape[1]} steps",
        flush=True,
    )
    # Drop the last, partial batch: another shape would be compiled separately.
    size = min(config.batch_size, len(data.train.patients))
    batches = ArrayBatches(data.train.arrays(), size, config.seed, drop_last=True)
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * batches.steps)
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm),
        loss=Nats(),
        weighted_metrics=[keras.metrics.MeanMetricWrapper(Nats().call, name="nats")],  # the loss without the penalty
        jit_compile="auto",  # the layers compile themselves; Keras compiles the rest on JAX or on a GPU
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
    predictor = Predictor(run)
    predictor.choose_threshold(data.valid, config.false_alarm_rate)
    records = measure(predictor, data)
    report(records)
    show_example(predictor, data)
    run.save_metrics(records)
    return records


def show_example(predictor: Predictor, data: Data) -> None:
    """Describes the test patient of median risk among those with the outcome, and saves their measurements."""
    risks = data.test.steps.at_last(risk(predictor.chances(data.test.steps)))
    had = np.flatnonzero(data.test.outcomes.label == 1)
    patient = data.test.patients[had[np.argsort(risks[had])[len(had) // 2]]]
    found = data.test.table.among(np.array([data.test.patients.index(patient)]))
    files.write_text(predictor.run.file("example.csv"), measured(found))
    print(f"\n{describe(predictor, found, next(predictor.predictions(found)), REASONS)}")


def measured(found: Table) -> str:
    """Formats one patient's measurements as CSV."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(MEASUREMENTS[1:])
    for when, variable, value in zip(found.when, found.what, found.value, strict=True):
        rows.writerow([f"{when:.10g}", found.variables[variable], f"{value:.10g}"])
    return text.getvalue()
