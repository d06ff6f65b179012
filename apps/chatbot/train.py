"""Trains a network that understands requests, compares it with the baselines, saves it."""

import keras

from shared import plots, runs, trials
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from .config import APP, RECIPES, Config
from .crf import ExactTags, TagLoss
from .data import RequestBatches, load
from .evaluate import measure, report
from .model import build
from .options import Train
from .predict import Predictor

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
  python -m {package} train-talk --data dailydialog
  python -m {package} train --data your_requests.jsonl"""


def train(options: Train) -> None:
    """The train verb: one run for each seed; of several, their mean and standard deviation at the end."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    example = EXAMPLES.get(options.config.data, ("a request",))[0]
    print(NEXT_STEPS.format(package=__package__, name=done[-1].path.name, example=example))


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains (or goes on training) one run and returns its measured records."""
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
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        use_ema=config.ema_momentum > 0,  # at each epoch's end Keras puts the averages in the weights' place
        ema_momentum=config.ema_momentum or 0.99,
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
    predictor = Predictor(run)
    predictor.calibrate(data.valid, config.target_accuracy)
    records = measure(predictor, data)
    report(records)
    if texts := EXAMPLES.get(config.data):
        samples(predictor, texts)
    run.save_metrics(records)
    return records


def samples(predictor: Predictor, texts: tuple[str, ...]) -> None:
    """Understands a few requests, prints the frames and keeps them in samples.txt."""
    frames = predictor.understand(list(texts))
    lines = [f"{text}\n  {frame.described()}" for text, frame in zip(texts, frames, strict=True)]
    print("\n" + "\n".join(lines))
    runs.write_text(predictor.run.file("samples.txt"), "\n".join(lines) + "\n")
