"""Long sequences with few relevant steps: generated on the fly, or digits read pixel by pixel.

Generated data is a function of (seed, part), and in training of (seed, epoch, step): it never repeats, and an
interrupted run resumes with the same sequences that it would have seen.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shared.data.sequences import ArrayBatches, Batches, spread
from shared.fingerprint import fingerprint

from .config import Config
from .tasks import ALPHABET, MESSAGE, PIXELS, TASKS

TRAIN, VALID, TEST, NEW = range(4)  # random streams; NEW is for sequences requested by the user
GENERATED = 1_000  # number of sequences in valid and in test
BLANK, DELIMITER = len(ALPHABET), len(ALPHABET) + 1
SPLIT_SEED, ORDER_SEED = 0, 1  # fixed, so that all runs use the same split and permutation

Arrays = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Data:
    """Training batches, and (inputs (rows, time, features) float32, targets) of valid and test.

    Targets: the sum (rows, 1, 1) float32, the symbols (rows, 10) int32 or the class (rows, 1) int32.
    `info` fits JSON: source, fingerprint, split, order (of the pixels, else None).
    """

    train: Batches
    valid: Arrays
    test: Arrays
    info: dict[str, Any]


def load(config: Config) -> Data:
    """Generates or loads the sequences of the task `config.data`."""
    return generated(config) if config.data in GENERATORS else of_digits(config)


def generated(config: Config) -> Data:
    """Returns data with endless training batches; validation and test sequences are drawn once."""
    generate = GENERATORS[config.data]
    train = Curriculum(config) if config.curriculum else Fresh(generate, config)
    parts = [generate(np.random.default_rng([config.seed, part]), GENERATED, config.length) for part in (VALID, TEST)]
    kept = spread(GENERATED, config.max_examples)
    info = {
        "source": "generated at random",
        "fingerprint": fingerprint(train.batch(0, 0), parts),
        "split": f"train without end, valid and test {len(kept):,} sequences each",
        "order": None,
    }
    return Data(train, *((inputs[kept], targets[kept]) for inputs, targets in parts), info)


def of_digits(config: Config) -> Data:
    """Returns the digits, the same for every seed; the seed only determines the training order."""
    images, labels = digits()
    order = permutation(ORDER_SEED) if config.data == "permuted_digits" else np.arange(PIXELS)
    rows = {name: fewer(part, labels, config.max_examples) for name, part in split(labels).items()}
    train, valid, test = (
        (pixel_inputs(images[part], order, config.length), labels[part, None]) for part in rows.values()
    )
    info = {
        "source": "scikit-learn's digits",
        "fingerprint": fingerprint(images, labels),
        "split": ", ".join(f"{name} {len(part):,}" for name, part in rows.items()) + " digits, stratified",
        "order": order.tolist(),
    }
    # Drop the last, partial batch: another shape would be compiled separately.
    return Data(ArrayBatches(train, config.batch_size, config.seed, drop_last=True), valid, test, info)


class Fresh(Batches):
    """An endless supply of new sequences, none of which repeats."""

    def __init__(self, generate: Callable[[np.random.Generator, int, int], Arrays], config: Config) -> None:
        super().__init__(config.steps_per_epoch)
        self.generate, self.config = generate, config

    def batch(self, epoch: int, step: int) -> tuple:
        """Returns (inputs, targets) of `batch_size` sequences."""
        random = np.random.default_rng([self.config.seed, TRAIN, epoch, step])
        return self.generate(random, self.config.batch_size, self.config.length)


class Curriculum(Batches):
    """Copy messages over short lags first: the maximum lag doubles in equal stages and reaches `length` half way.

    Bengio et al. (2009), "Curriculum learning", doi:10.1145/1553374.1553380. A gradient through 200 blanks is a weak
    signal at the start of training, but a network that can hold symbols for 12 steps learns 25 in a few batches.
    """

    START = 12  # the first maximum lag is `length`, halved as long as it is at least this

    def __init__(self, config: Config) -> None:
        super().__init__(config.steps_per_epoch)
        self.config = config

    def bound(self, epoch: int) -> int:
        """Returns the maximum lag of an epoch, counted from 0."""
        lag, epochs = self.config.length, self.config.epochs
        doublings = int(math.log2(max(1, lag / self.START)))
        return lag >> max(0, doublings - int(doublings * epoch / (epochs / 2)))

    def batch(self, epoch: int, step: int) -> tuple:
        """Returns (inputs, targets) of `batch_size` sequences, each with a random lag from 1 to the epoch's maximum."""
        random = np.random.default_rng([self.config.seed, TRAIN, epoch, step])
        bound = self.bound(epoch)
        messages = _messages(random, self.config.batch_size)
        return copy_inputs(messages, bound, starts=random.integers(0, bound, (len(messages), 1))), messages


def adding(random: np.random.Generator, rows: int, length: int) -> Arrays:
    """Values, two of which are marked and to be added, one in each half. Hochreiter and Schmidhuber (1997), task 4.

    Returns:
        inputs (rows, length, 2): a value in [0, 1) and a marker, 1 at two steps and else 0; sums (rows, 1, 1).
        The format is that of Le et al. (2015), arXiv:1504.00941: always answering 1 has an MSE of 1/6.
    """
    values = random.random((rows, length), dtype=np.float32)
    first = random.integers(0, length // 2, rows)
    second = random.integers(length // 2, length, rows)
    return adding_inputs(values, np.stack([first, second], axis=1))


def adding_inputs(values: np.ndarray, positions: np.ndarray) -> Arrays:
    """Values (rows, time) and the two positions (rows, 2) to add -> inputs (rows, time, 2), sums (rows, 1, 1)."""
    markers = np.zeros_like(values)
    np.put_along_axis(markers, positions, 1, axis=1)
    sums = np.take_along_axis(values, positions, axis=1).sum(axis=1, keepdims=True)
    return np.stack([values, markers], axis=-1), sums[..., None]


def copy(random: np.random.Generator, rows: int, lag: int) -> Arrays:
    """Ten symbols to be repeated after a lag. Hochreiter and Schmidhuber (1997); Arjovsky et al. (2016).

    Returns:
        inputs (rows, lag + 20, 10) as built by `copy_inputs`, and the symbols (rows, 10).
    """
    messages = _messages(random, rows)
    return copy_inputs(messages, lag), messages


def _messages(random: np.random.Generator, rows: int) -> np.ndarray:
    return random.integers(0, len(ALPHABET), (rows, MESSAGE), dtype=np.int32)


def copy_inputs(messages: np.ndarray, lag: int, starts: np.ndarray | int = 0) -> np.ndarray:
    """Symbols (rows, 10) -> one-hot inputs (rows, lag + 20, 10).

    The layout is that of Arjovsky et al. (2016), arXiv:1511.06464: the symbols, lag - 1 blanks, a delimiter, and ten
    blanks during which the symbols are to be repeated. They score all steps, so that a network without memory has a
    cross-entropy of 10 log 8 / (lag + 20); here only the ten repeated symbols are scored, and it has log 8. With
    `starts` (rows, 1) the symbols start later, after some of the blanks that otherwise follow them.
    """
    ids = np.full((len(messages), lag + 2 * MESSAGE), BLANK)
    places = np.broadcast_to(starts + np.arange(MESSAGE), messages.shape)
    np.put_along_axis(ids, places, messages, axis=1)
    ids[:, MESSAGE + lag - 1] = DELIMITER
    return np.eye(len(ALPHABET) + 2, dtype=np.float32)[ids]


GENERATORS = {"adding": adding, "copy": copy}


def digits() -> Arrays:
    """Returns all 1,797 digits: pixels (rows, 64) float32 in [0, 1], row by row, and classes (rows,) int32."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32), labels.astype(np.int32)


def split(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the rows of train (60 %), valid (20 %) and test (20 %), stratified by class."""
    from sklearn.model_selection import train_test_split

    rest, test = train_test_split(np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=SPLIT_SEED)
    train, valid = train_test_split(rest, test_size=0.25, stratify=labels[rest], random_state=SPLIT_SEED)
    return {"train": np.sort(train), "valid": np.sort(valid), "test": np.sort(test)}


def fewer(rows: np.ndarray, labels: np.ndarray, most: int) -> np.ndarray:
    """Returns at most `most` of the rows, still stratified by class; all of them if 0."""
    by_class = rows[np.argsort(labels[rows], kind="stable")]
    return np.sort(by_class[spread(len(rows), most)])


def permutation(seed: int) -> np.ndarray:
    """Returns a random order of the 64 pixels."""
    return np.random.default_rng(seed).permutation(PIXELS)


def pixel_inputs(images: np.ndarray, order: Any, length: int) -> np.ndarray:
    """Images (rows, 64) -> inputs (rows, length, 1): the pixels in `order`, then blanks (0)."""
    inputs = np.zeros((len(images), length, TASKS["sequential_digits"].features), np.float32)
    inputs[:, :PIXELS, 0] = images[:, order]
    return inputs
