"""Trains the small talk, compares it with the baselines, and saves it."""

import keras
import numpy as np

from shared import plots, trials
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from ..options import TrainTalk
from .config import TALK, TALK_APP, TALK_RECIPES, TalkConfig
from .data import PairBatches, load, sentence
from .evaluate import measure, report
from .model import build, set_frequencies
from .predict import Predictor

MESSAGES = (
    "How are you today?",
    "I have just lost my job.",
    "Shall we go to the cinema tonight?",
    "Where do you live?",
)
NEXT_STEPS = """
Now try:
  python -m {package} chat --talk {name}   (after python -m {package} train, which learns requests)
  python -m {package} evaluate-talk --run {name}"""


def train(options: TrainTalk) -> None:
    """Runs the train-talk command: one run per seed; reports mean and standard deviation over several."""
    planned = trials.plan(TALK_APP, options.config, TALK_RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    print(NEXT_STEPS.format(package=__package__.rpartition(".")[0], name=done[-1].path.name))


def train_one(config: TalkConfig, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    words = np.concatenate([reply for _, reply in data.train.ids])
    set_frequencies(model, np.bincount(words, minlength=len(data.info["words"])))
    print(f"{run.path}: {config.arch} of {config.units} units, {model.count_params():,} parameters")
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
        jit_compile="auto",  # the layers compile themselves; Keras compiles the rest on JAX or on a GPU
    )
    history = fit(model, train, valid, run, epochs=config.epochs)
    plots.learning_curves(history, run.file("learning_curves.png"), "loss", "surprise of a word of the reply in nats")
    predictor = Predictor(run, seed=0)
    records = measure(predictor, data)
    report(records)
    print()
    own = config.data != TALK.data
    for message in [sentence(said) for said in data.valid.said[: len(MESSAGES)]] if own else MESSAGES:
        print(f"{message}\n  {predictor.reply([message])}")
    run.save_metrics(records)
    return records
