"""Trains a network that understands requests, compares it with the baselines, and saves it."""

import dataclasses
import os
import shlex
from pathlib import Path
from typing import Any

import keras
from keras import ops

from shared import files, plots, settings, trials
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from .config import APP, RECIPES, Config
from .crf import CRF, TagLoss, best_path, exact
from .data import RequestBatches, load
from .evaluate import measure, report
from .model import build
from .options import Train
from .predict import Predictor
from .skills import known

EXAMPLES = {
    "builtin": (
        "What time is it in Tokyo?",
        "how much is 12 times 7",
        "convert 5 miles to kilometres, please",
        "set a timer for ten minutes",
        "remind me to call Anna tomorrow at 9",
        "I have never liked rainy Sundays.",
    ),
    "snips": (
        "play some jazz by miles davis",
        "book a table for two in rome tonight",
        "will it snow in oslo on friday",
    ),
    "atis": ("show me flights from boston to denver on monday morning", "what is the cheapest fare to dallas"),
}
EVERYDAY = Path(__file__).parent / "examples" / "everyday.jsonl"
ACTS = "python -m {package} chat --run {name} --debug"
NEXT_STEPS = """
Now try:
  python -m {package} understand --run {name} {example}
  python -m {package} evaluate --run {name}{more}
  {again}"""
MOST_OF_EPOCH = 0.75
SHOWN = 3  # number of validation requests shown after training on your own data


def train(options: Train) -> None:
    """Runs the train command: one run per seed; reports mean and standard deviation over several."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    print(next_steps(done[-1], options.config))


def next_steps(run: Run, config: Config) -> str:
    """Returns commands to try next, with the options of this training."""
    if config.data == "builtin":
        again = f"python -m {__package__} train-talk --data dailydialog"
    else:
        again = settings.command(APP, dataclasses.replace(config, skip=not config.skip), RECIPES)
    name, example = run.path.name, min(examples(config), key=len)
    more = f" --data {os.path.relpath(EVERYDAY)}" if config.data == "builtin" else ""
    steps = NEXT_STEPS.format(package=__package__, name=name, example=shlex.quote(example), more=more, again=again)
    acts = known(config.skills).keys() & set(run.info()["intents"])
    return steps + ("\n  " + ACTS.format(package=__package__, name=name) if acts else "")


def examples(config: Config) -> list[str]:
    """Returns requests to show: fixed ones for known data, else validation requests with different intents."""
    if config.data in EXAMPLES:
        return list(EXAMPLES[config.data])
    first = {request.intent: request for request in reversed(load(config).valid.requests)}
    return [request.said() for request in first.values()][:SHOWN]


class Learner(keras.Model):
    """The network during training, with a joint metric of both outputs, which selects the best epoch.

    It is the share of requests whose intent and tags are all correct: each output alone may be perfect while the other
    is not.
    """

    def __init__(self, network: keras.Model, crf: CRF) -> None:
        super().__init__(name="learner")
        self.network, self.crf = network, crf
        self.frames = keras.metrics.Mean(name="frame_accuracy")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the network's outputs and the best tags; on JAX, a metric cannot read weights, as the transitions."""
        found = self.network(inputs, training=training)
        return found | {"tags": best_path(found["slots"], inputs[1], self.crf.transitions())}

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Computes the losses of the outputs; the best tags have none."""
        return super().compute_loss(x, y, _answers(y_pred), *args, **kwargs)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict:
        """Adds the joint metric; an intent with weight 0, which is not in the training data, counts as wrong."""
        right = ops.equal(ops.cast(ops.argmax(y_pred["intent"], axis=-1), "int32"), y["intent"])
        right = ops.logical_and(right, sample_weight["intent"] > 0)
        right = ops.logical_and(right, exact(y["slots"], y_pred["tags"]))
        self.frames.update_state(ops.cast(right, "float32"), sample_weight["slots"])
        return super().compute_metrics(x, y, _answers(y_pred), sample_weight)


def _answers(y_pred: Any) -> Any:
    return {name: y_pred[name] for name in ("intent", "slots")}


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    print(
        f"{run.path}: {config.layers} x {config.arch} of {config.units} units, {config.tags}, "
        f"{model.count_params():,} parameters"
    )
    print(f"{data.info['source']}: {data.info['split']}", flush=True)
    train = RequestBatches(data.train, data.info, config.batch_size, config.seed, config.word_dropout)
    valid = RequestBatches(data.valid, data.info, config.batch_size, 0)

    steps = config.epochs * train.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 20, warmup_target=config.learning_rate, warmup_steps=steps // 20
    )
    # Averages over most of an epoch at most: with few data, the average would be dominated by the initial weights.
    momentum = min(config.ema_momentum, max(0.0, 1 - 1 / (MOST_OF_EPOCH * train.steps)))
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        use_ema=momentum > 0,  # the averaged weights are evaluated and saved
        ema_momentum=momentum or 0.99,
    )
    crf = model.get_layer("slots")
    learner = Learner(model, crf)
    intent_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    intent_metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    learner.compile(
        optimizer=optimizer,
        loss={"intent": intent_loss, "slots": TagLoss(crf)},
        loss_weights={"intent": config.intent_weight, "slots": 1.0},
        weighted_metrics={"intent": [intent_metric]},
        jit_compile="auto",  # the layers compile themselves; Keras compiles the rest on JAX or on a GPU
    )
    history = fit(
        learner,
        train,
        valid,
        run,
        epochs=config.epochs,
        monitor="val_frame_accuracy",
        mode="max",
        patience=config.patience or None,
        deploy=lambda: model,
        from_averages=True,
    )
    plots.learning_curves(
        history, run.file("learning_curves.png"), "frame_accuracy", "requests with intent and slots right", "max"
    )
    predictor = Predictor(run)
    if config.skip:
        predictor.add_linear(data.train, data.valid)
    predictor.calibrate(data.valid, config.target_accuracy)
    records = measure(predictor, data)
    report(records)
    samples(predictor, examples(config))
    run.save_metrics(records)
    return records


def samples(predictor: Predictor, texts: list[str]) -> None:
    """Prints the frames of a few requests and saves them to samples.txt."""
    frames = predictor.understand(texts)
    lines = [f"{text}\n  {frame.described()}" for text, frame in zip(texts, frames, strict=True)]
    print("\n" + "\n".join(lines))
    files.write_text(predictor.run.file("samples.txt"), "\n".join(lines) + "\n")
