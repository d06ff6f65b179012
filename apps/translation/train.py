"""Trains a network, compares it with the baselines, and saves it."""

import dataclasses
import shlex

import keras

from shared import plots, settings, trials
from shared.fit import fit
from shared.layers.budget import sized
from shared.runs import Run

from .config import APP, RECIPES, Config
from .data import PairBatches, Part, load
from .evaluate import bleu, measure, report
from .loss import SmoothedCrossentropy
from .model import build
from .options import Search, Train
from .predict import Predictor, samples

NEXT_STEPS = """
Now try:
  python -m {package} predict --run {name} {example} --picture attention.png
  python -m {package} predict --run {name} {example} --nbest 3
  python -m {package} stream --run {name}
  {other}"""


def train(options: Train) -> None:
    """Runs the train command: one run per seed; reports mean and standard deviation over several."""
    planned = trials.plan(APP, options.config, RECIPES, options.trials)
    for config, run in trials.unfinished(planned):
        train_one(config, run)
        keras.utils.clear_session()
    done = trials.finished(planned)
    if len(done) > 1:
        report(trials.summary(done))
    sentences = done[-1].info()["examples"]
    # On the command line, a leading dash would start an option.
    example = shlex.quote(next((text for text in sentences if not text.startswith("-")), sentences[0]))
    another = dataclasses.replace(options.config, arch="gru" if options.config.arch == "lstm" else "lstm")
    other = settings.command(APP, another, RECIPES)
    print(NEXT_STEPS.format(package=__package__, name=done[-1].path.name, example=example, other=other))


def train_one(config: Config, run: Run) -> list[dict]:
    """Trains one run, or resumes it, and returns its metric records."""
    data = load(config)
    config = sized(config, lambda config: build(config, data.info))
    run.begin(data.info)
    keras.utils.set_random_seed(config.seed)
    model = build(config, data.info)
    print(
        f"{run.path}: {config.layers} x {config.arch} of {config.units} units, {config.attention} attention, "
        f"{model.count_params():,} parameters"
    )
    print(f"{data.info['source']}, {config.source} to {config.target}: {data.info['split']}", flush=True)
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
        use_ema=config.ema_momentum > 0,  # the averaged weights are evaluated and saved
        ema_momentum=config.ema_momentum or 0.99,
    )
    optimizer.exclude_from_weight_decay(var_list=model.get_layer("bias").trainable_variables)  # log frequencies
    model.compile(
        optimizer=optimizer,
        loss=SmoothedCrossentropy(config.label_smoothing),
        jit_compile="auto",  # loops and loss compile themselves; Keras compiles the rest on JAX or on a GPU
    )
    _evaluate_with_bleu(model, Predictor(run, model), data.valid)
    history = fit(
        model,
        train,
        valid,
        run,
        epochs=config.epochs,
        monitor="val_bleu",
        mode="max",
        patience=config.patience or None,
        from_averages=True,
    )
    plots.learning_curves(history, run.file("learning_curves.png"), "loss", "cross-entropy, nats per token")
    predictor = Predictor(run)
    predictor.calibrate(data.train, data.valid)
    records = measure(predictor, data, translations=run.file("translations.txt"))
    report(records)
    samples(predictor)
    run.save_metrics(records)
    return records


def _evaluate_with_bleu(model: keras.Model, predictor: Predictor, valid: Part) -> None:
    """Extends `model.evaluate`, which `fit` calls after each epoch, by translating the validation sentences.

    The best epoch is selected by BLEU, since the loss says little about the quality of translations. A Keras metric
    cannot compute it: it sees logits under teacher forcing, not translations.
    """
    evaluate = model.evaluate

    def evaluate_with_bleu(*arguments, **options) -> dict[str, float]:
        found = predictor.ids([source for source, _ in valid.ids], Search(beam=1))
        written = [predictor.tokenizer.decode(best[0]) for best, *_ in found]
        figures = evaluate(*arguments, **options)
        return figures | {"bleu": bleu(written, [pair.target for pair in valid.pairs])}

    model.evaluate = evaluate_with_bleu
