"""Trains a network that understands, measures it beside the simple methods, saves it."""

import dataclasses
import functools

import keras

from shared import InputError, plots, runs
from shared.fit import fit

from . import figures
from .config import APP, Config, Train
from .crf import ExactTags, TagLoss
from .data import Data, RequestBatches, load
from .evaluate import measure
from .model import build
from .predict import Understander

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
NEXT_STEPS = """
Now try:
  python -m {package} chat --run {name} --debug
  python -m {package} understand --run {name} "{example}"
  python -m {package} train --data dailydialog
  python -m {package} train --data your_requests.jsonl"""


def train(options: Train) -> None:
    """The train verb: one run for each seed; of several, their mean and spread at the end."""
    done = []
    for config in plan(options):
        run = runs.start(APP, dataclasses.asdict(config), options.run, options.fresh)
        if options.seeds > 1 and run.file("metrics.json").exists():
            print(f"{run.path} is done")
            done.append(run.metrics())
        else:
            done.append(train_one(config, run))
        keras.utils.clear_session()
    if options.seeds > 1:
        print(f"\nMean and deviation over {options.seeds} seeds")
        figures.report(figures.summary(done))
    if options.record:
        figures.keep(figures.summary(done))
    examples = EXAMPLES.get(options.config.data, ())
    if examples:
        show(run, list(examples))
    print(NEXT_STEPS.format(package=__package__, name=run.path.name, example=(examples or ("a request",))[0]))


def plan(options: Train) -> list[Config]:
    """The settings of every run, refused as a whole if one cannot work."""
    if options.seeds < 1:
        raise InputError(f"--seeds: expected at least 1; received {options.seeds}")
    if options.run and options.seeds > 1:
        raise InputError("--run: expected with one seed only; several runs name themselves")
    return [dataclasses.replace(options.config, seed=options.config.seed + n) for n in range(options.seeds)]


@functools.lru_cache(maxsize=1)
def loaded(config: Config) -> Data:
    """The data of settings whose seed is 0: it is the same for every seed."""
    return load(config)


def train_one(config: Config, run: runs.Run) -> list[dict]:
    """Trains (or goes on training) one run and returns its measured records."""
    data = loaded(dataclasses.replace(config, seed=0))
    run.save_info(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    print(f"{run.path}: {config.layers} x {config.arch}, {config.tags}, {model.count_params():,} parameters")
    print(f"{data.info['source']}: {data.info['split']}", flush=True)
    train = RequestBatches(data.train, data.info, config.batch_size, config.seed, config.word_dropout)
    valid = RequestBatches(data.valid, data.info, config.batch_size, 0)

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
    crf = model.get_layer("slots")
    intent_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    intent_metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(
        optimizer=optimizer,
        loss={"intent": intent_loss, "slots": TagLoss(crf)},
        loss_weights={"intent": config.intent_weight, "slots": 1.0},
        weighted_metrics={"intent": [intent_metric], "slots": [ExactTags(crf)]},
        jit_compile="auto",  # the layers are compiled already: Keras compiles the rest on JAX, or on a GPU
    )
    history = fit(
        model,
        train,
        valid,
        run,
        epochs=config.epochs,
        monitor="val_slots_exact",
        mode="max",
        patience=config.patience or None,
    )
    plots.learning_curves(history, run.file("learning_curves.png"), "slots_exact", "requests with every slot right")
    records = measure(run, data)
    figures.report(records)
    return records


def show(run: runs.Run, texts: list[str]) -> None:
    """Understands a few requests, prints the frames and keeps them in samples.txt."""
    frames = Understander(run).understand(texts)
    lines = [f"{text}\n  {frame.said()}" for text, frame in zip(texts, frames, strict=True)]
    print("\n" + "\n".join(lines))
    runs.write_text(run.file("samples.txt"), "\n".join(lines) + "\n")
