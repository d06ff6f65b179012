"""Trains a network, compares it with Markov chains, saves it, and composes."""

import dataclasses
import shlex
from typing import Any

import keras
from keras import ops

from shared import plots, settings, trials
from shared.data import wording
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from .compose import example
from .config import APP, RECIPES, Config
from .data import Data, Frames, load, parts_of
from .evaluate import PIECES, measure, report, report_music
from .model import build
from .options import Train
from .predict import Predictor
from .tokens import PAD, VOCABULARY

NEXT_STEPS = """
Now try:
  python -m {package} compose --run {name} --bars 16 --key "G major" --temperature 0.9
  python -m {package} harmonise {melody} --run {name}
  python -m {package} score {piece} --run {name}
  {other}"""


def train(options: Train) -> None:
    """Runs the train command: one run per seed; reports mean and standard deviation over several."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(summary := trials.summary(done))
        report_music(summary)
    print(next_steps(options.config, done[-1]))


def next_steps(config: Config, run: Run) -> str:
    """Returns commands to try next: with the piece just composed, and with one of the user's own."""
    another = dataclasses.replace(config, arch="lstm" if config.arch == "gru" else "gru")
    return NEXT_STEPS.format(
        package=__package__,
        name=run.path.name,
        melody=shlex.quote(str(run.file("chorale.musicxml"))),
        piece=shlex.quote(run.info()["example"]),
        other=settings.command(APP, another, RECIPES),
    )


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    print(f"{run.path}: {config.layers} x {config.arch} of {config.units} units, {model.count_params():,} parameters")
    counts = ", ".join(
        f"{part} {wording.sized(n, 'pieces')} of {t:,} frames" for part, (n, t) in data.info["counts"].items()
    )
    print(f"{data.info['source']} ({data.info['split']}): {counts}", flush=True)
    train, valid = batches(config, data)

    steps = config.epochs * train.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 50, warmup_target=config.learning_rate, warmup_steps=steps // 50
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=config.clip_norm),
        loss=FrameNats(),
        weighted_metrics=[keras.metrics.MeanMetricWrapper(frame_nats, name="nats")],  # exact for unequal batches
        jit_compile="auto",  # the layers compile themselves; Keras compiles the rest on JAX or on a GPU
    )
    history = fit(model, train, valid, run, epochs=config.epochs, monitor="val_nats", patience=config.patience or None)
    plots.learning_curves(history, run.file("learning_curves.png"), "nats", "nats per frame")
    predictor = Predictor(run)
    records = measure(predictor, data, min(PIECES, config.max_examples or PIECES))
    report(records)
    example(predictor)
    report_music(records)
    run.save_metrics(records)
    return records


def batches(config: Config, data: Data) -> tuple[Frames, Frames]:
    """Returns training batches of parts of pieces, randomly transposed, and validation batches of whole pieces."""
    parts = [part for piece in data.train for part in parts_of(piece, config.longest)]
    ranges = data.info["ranges"] if config.transpose else None
    train = Frames(parts, config.representation, config.batch_size, config.seed, ranges)
    return train, Frames(data.valid, config.representation, config.batch_size, 0)


def frame_nats(tokens: Any, logits: Any) -> Any:
    """Tokens (batch, time, slots) and logits (..., vocabulary) -> nats of each frame (batch, time)."""
    targets = ops.minimum(tokens, VOCABULARY - 1)
    nats = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return ops.sum(nats * ops.cast(tokens < PAD, nats.dtype), axis=-1)


class FrameNats(keras.losses.Loss):
    """Mean nats per frame, summed over its voices."""

    def __init__(self) -> None:
        super().__init__(name="nats", reduction="mean_with_sample_weight")

    def call(self, tokens: Any, logits: Any) -> Any:
        """See `frame_nats`."""
        return frame_nats(tokens, logits)
