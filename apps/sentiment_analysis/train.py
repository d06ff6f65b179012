"""Trains a network, compares it with the baselines, and saves it."""

import dataclasses
import shlex
import textwrap

import keras

from shared import plots, settings, trials
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from . import baselines, vectors
from .config import APP, FOLDS, RECIPES, Config
from .data import Weighted, load, settled
from .evaluate import measure, report
from .model import build
from .options import Train
from .predict import EXAMPLES, Predictor, samples
from .sources import reachable

NEXT_STEPS = """
Now try:
  python -m {package} predict --run {name} {text}
  python -m {package} explain --run {name} {text}
  python -m {package} stream --run {name}
  {again}"""
AXES = {"accuracy": "share of right answers", "macro_recall": "mean recall of the labels"}
ABOUT_GRAMMAR = """This model was trained on generated opinions, to try out the app. For real texts:
  python -m {package} train --data your_texts.csv"""
SHOWN = 200  # maximum characters of a text in the suggested commands


def train(options: Train) -> None:
    """Runs the train command: one run per seed and fold; reports mean and standard deviation over several."""
    wanted = reachable(options.config)
    planned = trials.plan(APP, wanted, RECIPES, options.trials, FOLDS)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    next_steps(wanted, done[-1])


def next_steps(config: Config, run: Run) -> None:
    """Prints commands to try with this run: on its own texts, and training with another architecture."""
    text = load(config).valid.texts[0] if config.data != "grammar" else EXAMPLES[1]
    again = settings.command(APP, dataclasses.replace(config, arch="lstm" if config.arch != "lstm" else "gru"), RECIPES)
    print(NEXT_STEPS.format(package=__package__, name=run.path.name, text=shlex.quote(shortened(text)), again=again))
    if config.data == "grammar":
        print(ABOUT_GRAMMAR.format(package=__package__))


def shortened(text: str) -> str:
    """Returns the first words of a text, short enough for a command line and without a leading dash.

    A text of nothing but dashes gets a space before them, so that no command takes it for an option.
    """
    return textwrap.shorten(text, SHOWN, placeholder="").lstrip("-") or f" {text[:SHOWN]}"


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    given = vectors.table(config.vectors, data.info["words"]) if config.vectors else None
    config = settled(config, [len(text.words) for text in data.train.encoded])
    config = sized(config, lambda config: build(config, data.info, given))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info, given)
    print(f"{run.path}: {config.layers} x {config.arch} of {config.units} units, {model.count_params():,} parameters")
    print(f"{data.info['source']}: {data.info['split']}", flush=True)
    balanced = config.goal == "macro_recall"
    others = baselines.fitted(data, balanced)
    baselines.save(run, others)
    train = Weighted(data.train, data.info, config.batch_size, config.seed, balanced)
    valid = Weighted(data.valid, data.info, config.batch_size, 0, balanced)  # balanced accuracy is macro recall

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
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight"),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name=config.goal)],
        jit_compile="auto",  # the layers compile themselves; Keras compiles the rest on JAX or on a GPU
    )
    history = fit(
        model,
        train,
        valid,
        run,
        epochs=config.epochs,
        monitor=f"val_{config.goal}",
        mode="max",
        patience=config.patience or None,
        from_averages=True,
    )
    plots.learning_curves(history, run.file("learning_curves.png"), config.goal, AXES[config.goal], "max")
    predictor = Predictor(run)
    predictor.calibrate(data.valid, config.target_accuracy, others if config.skip else {}, balanced)
    records = measure(predictor, data)
    report(records)
    samples(predictor, data.valid)
    run.save_metrics(records)
    return records
