"""Evaluates a run against an n-gram model, with the state carried through the text and in separate windows."""

import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from shared import InputError, paired, results, runs, trials
from shared.baselines import NGram
from shared.checkpoint import carried_states, reset_states
from shared.layers.budget import sized

from .config import APP, LEVELS, Config
from .data import Data, load, tested_on
from .model import build
from .options import Evaluate
from .predict import Predictor

PARTS = ("test", "valid")
HEADLINE = ("nats_per_char", "perplexity")
WINDOW = 256  # window length in tokens: nanoGPT's context for tiny Shakespeare
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
    """Runs the evaluate command: evaluates a saved run on its own text or on another."""
    run, parts = runs.find(APP, options.run), PARTS
    data = load(run.settings(Config))
    run.check(data.info)
    if options.data:
        data, parts = tested_on(data, options.data), ("test",)
        run = run.tested_on(options.data)
        found = data.info["counts"]["test"]
        print(f"{options.data}: {found['tokens']:,} {LEVELS[data.info['level']]}, {found['unknown']:,} of them unknown")
    records = measure(Predictor(run), data, parts)
    report(records)
    if options.record:
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data, parts: Sequence[str] = PARTS) -> list[dict]:
    """Evaluates these splits of the text, both with the state carried through and in windows."""
    level, name = data.info["level"], predictor.run.config["data"]
    metric, figure = ("nats_per_char", float) if level == "char" else ("perplexity", math.exp)
    reader, ngram = reader_of(predictor.run, predictor.model, data.info), fitted(data, ORDER[level])
    records = []
    for split, ids in ((split, ids) for split, ids in data.held_out().items() if split in parts):
        theirs = ngram.nats(ids)[1:]
        for window, ours in ((None, carried(reader, ids)), (WINDOW, windowed(predictor.model, ids))):
            records.append(
                results.record(
                    predictor.run,
                    predictor.model,
                    split=split,
                    metric=metric,
                    **compared(figure, ours, {f"kneser_ney_{ORDER[level]}_gram": theirs[: len(ours)]}),
                    options={"window": window} if window else {},
                    published=PUBLISHED.get((name, split, metric, window)),
                )
            )
    return results.headed(records, HEADLINE)


def compared(figure: Callable[[float], float], ours: np.ndarray, theirs: dict[str, np.ndarray]) -> dict:
    """Compares a metric of the mean nats of all tokens (time,) with the baseline's, as `shared.paired.compared` does.

    The bootstrap draws blocks of `WINDOW` tokens, since difficult passages are contiguous.
    """
    starts = range(0, len(ours), WINDOW)
    sizes = np.add.reduceat(np.ones_like(ours), starts)

    def score(sums: np.ndarray, rows: np.ndarray) -> float:
        return figure(float(sums[rows].sum() / sizes[rows].sum()))

    sums = {name: np.add.reduceat(nats, starts) for name, nats in theirs.items()}
    return paired.compared(score, np.add.reduceat(ours, starts), sums, len(starts), "lower")


def report(records: list[dict]) -> None:
    """Prints the metrics; nats per character are also given in bits."""
    results.report(records)
    main = records[0]
    if main["metric"] == "nats_per_char":
        print(f"  {main['split']}: {main['value'] / math.log(2):.3f} bits per character", flush=True)


@functools.lru_cache(maxsize=1)  # the same for every seed
def fitted(data: Data, order: int) -> NGram:
    """Fits an n-gram model to the training text."""
    return NGram(order).fit(data.train, len(data.info["vocabulary"]))


def reader_of(run: runs.Run, model: keras.Model, info: dict) -> keras.Model:
    """Returns the saved network with batch size 1, which carries its state from window to window.

    Raises:
        InputError: the run's settings now build a different network than the saved one.
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
        weight.assign(keras.ops.copy(saved))  # on JAX, prediction frees its input arrays
    return reader


def carried(reader: keras.Model, ids: np.ndarray) -> np.ndarray:
    """Nats of each token but the first, (time - 1,), with the state carried through the whole text."""
    reset_states(reader)
    starts = range(0, len(ids) - 1, WINDOW)
    with carried_states(reader):
        return np.concatenate([_nats(reader, ids[None, start : start + WINDOW + 1])[0] for start in starts])


def windowed(model: keras.Model, ids: np.ndarray) -> np.ndarray:
    """Nats of the tokens in all whole windows of 256, (tokens,), each starting from a zero state."""
    window = min(WINDOW, len(ids) - 1)
    count = (len(ids) - 1) // window
    rows = np.stack([ids[start : start + window + 1] for start in range(0, count * window, window)])
    return np.concatenate([_nats(model, some).ravel() for some in np.array_split(rows, max(1, count // 32))])


def _nats(model: keras.Model, rows: np.ndarray) -> np.ndarray:
    """Returns the nats of all tokens but the first of each row (batch, time)."""
    # On JAX, calling the model directly would retrace it each time: 0.4 s instead of 0.5 ms.
    logits = model.predict_on_batch(rows[:, :-1]).astype(np.float64)
    picked = np.take_along_axis(logits, rows[:, 1:, None], axis=-1)[..., 0]
    return np.logaddexp.reduce(logits, axis=-1) - picked
