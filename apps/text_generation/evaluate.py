"""How good a run is on its validation and test text, with the state carried and in windows, against an n-gram model."""

import functools
import math
from pathlib import Path

import keras
import numpy as np

from shared import InputError, results, runs, trials
from shared.baselines import NGram
from shared.checkpoint import carried_states, reset_states
from shared.layers.budget import sized

from .config import APP, Config
from .data import Data, load
from .model import build
from .options import Evaluate
from .predict import Predictor

HEADLINE = ("nats_per_char", "perplexity")
WINDOW = 256  # tokens read at a time: nanoGPT's context for tiny Shakespeare
ORDER = {"char": 7, "word": 5}  # of the n-gram model, in tokens

PUBLISHED = {
    ("tinyshakespeare", "valid", "nats_per_char", WINDOW): {
        "name": "GPT, 10.6 M parameters (nanoGPT)",
        "value": 1.4697,
        "source": "https://github.com/karpathy/nanoGPT",
    },
    ("ptb", "test", "perplexity", None): {
        "name": "LSTM, 13 M parameters (Bai et al. 2018)",
        "value": 78.9,
        "source": "arXiv:1803.01271",
    },
}


def evaluate(options: Evaluate) -> None:
    """The evaluate verb: measures a run again, from what is stored in its folder."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    records = measure(Predictor(run), data)
    report(records)
    if options.record:
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data) -> list[dict]:
    """Measures test and validation text, each with the state carried through it and in windows."""
    level, name = data.info["level"], predictor.run.config["data"]
    metric, figure = ("nats_per_char", float) if level == "char" else ("perplexity", math.exp)
    reader, ngram = reader_of(predictor.run, predictor.model, data.info), ngram_nats(data, ORDER[level])
    records = []
    for split, ids in data.held_out().items():
        for window, nats in ((None, carried(reader, ids)), (WINDOW, windowed(predictor.model, ids))):
            records.append(
                results.record(
                    predictor.run,
                    predictor.model.count_params(),
                    split=split,
                    metric=metric,
                    value=figure(nats),
                    direction="lower",
                    options={"window": window} if window else {},
                    baselines={f"kneser_ney_{ORDER[level]}_gram": figure(ngram[split])},
                    published=PUBLISHED.get((name, split, metric, window)),
                )
            )
    return results.headed(records, HEADLINE)


def report(records: list[dict]) -> None:
    """Prints the figures; nats per character also as bits."""
    results.report(records)
    main = records[0]
    if main["metric"] == "nats_per_char":
        print(f"  {main['split']}: {main['value'] / math.log(2):.3f} bits per character", flush=True)


@functools.lru_cache(maxsize=1)  # the same for every seed
def ngram_nats(data: Data, order: int) -> dict[str, float]:
    """Mean nats of a token of each held-out part, under an n-gram model of the training text."""
    model = NGram(order).fit(data.train, len(data.info["vocabulary"]))
    return {split: float(model.nats(ids)[1:].mean()) for split, ids in data.held_out().items()}


def reader_of(run: runs.Run, model: keras.Model, info: dict) -> keras.Model:
    """The saved network with batch 1, which carries its state from window to window.

    Raises:
        InputError: the settings of the run now build another network than was saved.
    """
    config = sized(run.settings(Config), lambda config: build(config, info))
    reader = build(config, info, batch_size=1)
    ours, theirs = reader.trainable_variables, model.trainable_variables
    if [tuple(weight.shape) for weight in ours] != [tuple(weight.shape) for weight in theirs]:
        raise InputError(
            f"Expected in {run.file('model.keras')} the network that the run's settings build: {len(ours)} weights, "
            f"{reader.count_params():,} parameters. Found {len(theirs)} weights, {model.count_params():,} parameters, "
            f"saved by another version. {runs.TRAIN_AGAIN}"
        )
    for weight, saved in zip(ours, theirs, strict=True):
        weight.assign(keras.ops.copy(saved))  # on JAX predicting frees the arrays that it was given
    return reader


def carried(reader: keras.Model, ids: np.ndarray) -> float:
    """Mean nats of a token where the state goes through the whole text, which is read window by window."""
    reset_states(reader)
    starts = range(0, len(ids) - 1, WINDOW)
    with carried_states(reader):
        return sum(_nats(reader, ids[None, start : start + WINDOW + 1]) for start in starts) / (len(ids) - 1)


def windowed(model: keras.Model, ids: np.ndarray) -> float:
    """Mean nats of a token where every window of 256 starts from a zero state."""
    window = min(WINDOW, len(ids) - 1)
    count = (len(ids) - 1) // window
    rows = np.stack([ids[start : start + window + 1] for start in range(0, count * window, window)])
    return sum(_nats(model, some) for some in np.array_split(rows, max(1, count // 32))) / (count * window)


def _nats(model: keras.Model, rows: np.ndarray) -> float:
    """The summed nats of all tokens but the first of each row (batch, time)."""
    # Calling the model itself would, on JAX, trace it anew each time: 0.4 s instead of 0.5 ms.
    logits = model.predict_on_batch(rows[:, :-1]).astype(np.float64)
    picked = np.take_along_axis(logits, rows[:, 1:, None], axis=-1)
    return float(np.logaddexp.reduce(logits, axis=-1).sum() - picked.sum())
