"""Trains the small talk, measures it beside simple methods, saves it."""

import dataclasses

import keras
import numpy as np

from shared import InputError, plots, runs
from shared.fit import fit

from .. import figures
from ..config import APP
from .config import TalkConfig, TrainTalk
from .data import Data, PairBatches, load
from .evaluate import measure
from .model import build, set_frequencies
from .reply import Talker

MESSAGES = (
    "How are you today?",
    "I have just lost my job.",
    "Shall we go to the cinema tonight?",
    "Where do you live?",
)
NEXT_STEPS = """
Now try:
  python -m {package} chat --talk {name}
  python -m {package} evaluate --run {name}"""


def train(options: TrainTalk) -> None:
    """The train verb for dialogues: one run for each seed; of several, their mean and spread at the end."""
    if options.seeds < 1 or (options.run and options.seeds > 1):
        raise InputError("--seeds, --run: expected at least 1 seed, and a name for one run only")
    data, done = load(options.config), []
    for number in range(options.seeds):
        config = dataclasses.replace(options.config, seed=options.config.seed + number)
        run = runs.start(APP, dataclasses.asdict(config), options.run, options.fresh)
        if options.seeds > 1 and run.file("metrics.json").exists():
            print(f"{run.path} is done")
            done.append(run.metrics())
        else:
            done.append(train_one(config, run, data))
    if options.seeds > 1:
        print(f"\nMean and deviation over {options.seeds} seeds")
        figures.report(figures.summary(done))
    if options.record:
        figures.keep(figures.summary(done))
    talker = Talker(run, seed=0)
    print()
    for message in MESSAGES:
        print(f"{message}\n  {talker.reply([message])}")
    print(NEXT_STEPS.format(package=__package__.rpartition(".")[0], name=run.path.name))


def train_one(config: TalkConfig, run: runs.Run, data: Data) -> list[dict]:
    """Trains (or goes on training) one run and returns its measured records."""
    run.save_info(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    set_frequencies(
        model, np.bincount(np.concatenate([r for _, r in data.train.ids]), minlength=len(data.info["words"]))
    )
    print(f"{run.path}: {config.arch}, {model.count_params():,} parameters")
    print(f"{data.info['source']}: {data.info['split']}", flush=True)
    train = PairBatches(data.train, data.info, config.batch_size, config.seed, config.silence)
    valid = PairBatches(data.valid, data.info, config.batch_size, 0)

    steps = config.epochs * train.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 20, warmup_target=config.learning_rate, warmup_steps=steps // 20
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm)
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight"),
        jit_compile="auto",  # the layers are compiled already: Keras compiles the rest on JAX, or on a GPU
    )
    history = fit(model, train, valid, run, epochs=config.epochs)
    plots.learning_curves(history, run.file("learning_curves.png"), "loss", "surprise of a word of the reply in nats")
    records = measure(run, data)
    figures.report(records)
    return records
