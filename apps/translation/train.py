"""Trains a network, measures it beside the simple methods, saves it."""

import dataclasses

import keras

from shared import InputError, plots, runs
from shared.fit import fit

from .config import APP, Config, Search, Train
from .data import Data, PairBatches, load
from .evaluate import bleu, measure, report
from .loss import SmoothedCrossentropy
from .model import build
from .predict import Translator, samples

NEXT_STEPS = """
Now try:
  python -m {package} translate --run {name} "{example}" --picture attention.png
  python -m {package} translate --run {name} "{example}" --nbest 3
  python -m {package} serve-lines --run {name}
  python -m {package} train --data your_pairs.tsv --arch lstm"""


def train(options: Train) -> None:
    """The train verb: one run for each seed."""
    if options.seeds < 1 or (options.run and options.seeds > 1):
        raise InputError("--seeds: expected at least 1, and 1 only with --run; several runs name themselves")
    for seed in range(options.config.seed, options.config.seed + options.seeds):
        config = dataclasses.replace(options.config, seed=seed)
        run = runs.start(APP, dataclasses.asdict(config), options.run, options.fresh)
        train_one(config, run)
        keras.utils.clear_session()
    samples(run)
    print(NEXT_STEPS.format(package=__package__, name=run.path.name, example=run.info()["examples"][0]))


def train_one(config: Config, run: runs.Run) -> list[dict]:
    """Trains (or goes on training) one run and returns its measured records."""
    data = load(config)
    run.save_info(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    print(f"{run.path}: {config.layers} x {config.arch}, {config.attention}, {model.count_params():,} parameters")
    print(f"{data.info['data']} {config.source}-{config.target}: {data.info['split']}", flush=True)
    train, valid = (
        PairBatches(part, config.batch_size, config.seed, data.info["bucket_lengths"])
        for part in (data.train, data.valid)
    )
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
    optimizer.exclude_from_weight_decay(var_list=model.get_layer("bias").trainable_variables)  # the frequencies
    model.compile(
        optimizer=optimizer,
        loss=SmoothedCrossentropy(config.label_smoothing),
        jit_compile="auto",  # the loops and the loss are compiled already: Keras compiles the rest on JAX, or on a GPU
    )
    _with_bleu(model, Translator(run, model), data)
    history = fit(
        model,
        train,
        valid,
        run,
        epochs=config.epochs,
        monitor="val_bleu",
        mode="max",
        patience=config.patience or None,
    )
    plots.learning_curves(history, run.file("learning_curves.png"), "loss", "nats of a token, smoothed")
    records = measure(run, data)
    report(records)
    return records


def _with_bleu(model: keras.Model, translator: Translator, data: Data) -> None:
    """Lets `model.evaluate`, which `fit` calls after each epoch, also translate: the loss says little of the choice."""
    evaluate = model.evaluate

    def evaluate_and_translate(*arguments, **options) -> dict[str, float]:
        found = translator.ids([source for source, _ in data.valid.ids], Search(beam=1))
        written = [translator.tokenizer.decode(best[0]) for best, *_ in found]
        figures = evaluate(*arguments, **options)
        return figures | {"bleu": bleu(written, [pair.target for pair in data.valid.pairs])}

    model.evaluate = evaluate_and_translate
