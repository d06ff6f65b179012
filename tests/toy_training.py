"""A training of seconds, as a command that the tests call, or run as a process where they kill it.

python toy_training.py RESULT.npz [--signal KILL --at-rename N]
"""

import argparse
import contextlib
import itertools
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest import mock

import keras
import numpy as np

from shared import cli, runs
from shared.fit import fit

STEPS, BATCH, TIME, VOCABULARY = 7, 4, 5, 11


class Toy(keras.utils.PyDataset):
    """The interface of shared.data.sequences.Batches, over random characters."""

    epoch = first = 0

    def __init__(self, seed: int, steps: int) -> None:
        super().__init__()
        self.seed, self.steps = seed, steps

    def __len__(self) -> int:
        return self.steps - self.first

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.batch(self.epoch, self.first + index)

    def batch(self, epoch: int, step: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng([self.seed, epoch, step])
        ids = random.integers(0, VOCABULARY, (BATCH, TIME + 1), dtype=np.int32)
        return ids[:, :-1], ids[:, 1:]


def toy_model(stateful: bool = True) -> keras.Model:
    """What a resume could forget: dropout seeds, carried states, moments, averages, a schedule, two metrics."""
    keras.utils.set_random_seed(3)
    ids = keras.Input((TIME,), batch_size=BATCH, dtype="int32")
    x = keras.layers.Embedding(VOCABULARY, 8)(ids)
    x = keras.layers.Dropout(0.3)(x)
    x = keras.layers.LSTM(16, return_sequences=True, stateful=stateful, dropout=0.2)(x)
    model = keras.Model(ids, keras.layers.Dense(VOCABULARY)(x))
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, 100)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.02, clipnorm=1.0, use_ema=True, ema_momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


def everything(model: keras.Model) -> list[keras.Variable]:
    """Every variable that a training changes."""
    return [*model.variables, *carried(model), *model.optimizer.variables, *model.metrics_variables]


def carried(model: keras.Model) -> list[keras.Variable]:
    """What the stateful layer carries from batch to batch: h and c, each (batch, units)."""
    return keras.tree.flatten(next(layer.states for layer in model.layers if getattr(layer, "stateful", False)))


@contextlib.contextmanager
def before_each_rename(action: Callable[[int, Path, Path], None]) -> Iterator[None]:
    """Calls `action(number, source, target)`, from 1 on. os.replace completes every file of a run: between two calls
    of it the files stay as they are, so these are the only moments at which a kill can differ from another."""
    rename, numbers = os.replace, itertools.count(1)

    def replace(source: Path, target: Path) -> None:
        action(next(numbers), source, target)
        rename(source, target)

    with mock.patch.object(os, "replace", replace):
        yield


def train(options: argparse.Namespace) -> None:
    def interrupt(number: int, source: Path, target: Path) -> None:
        if number == options.at_rename:
            os.kill(os.getpid(), signal.Signals[f"SIG{options.signal}"])

    with before_each_rename(interrupt):
        run = runs.start("toy", {"data": "random"})
        run.begin({})
        model = toy_model()
        rows = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=4, checkpoint_s=0)
    np.savez(
        options.result,
        rows=np.array([list(row.values()) for row in rows]),
        **{f"state{n}": keras.ops.convert_to_numpy(v) for n, v in enumerate(carried(model))},
        **{f"last{n}": keras.ops.convert_to_numpy(v) for n, v in enumerate(everything(model))},
        **{f"best{n}": keras.ops.convert_to_numpy(v) for n, v in enumerate(run.load_model().weights)},
    )


def main(words: Sequence[str] | None = None) -> int:
    """The exit status, as an app's command has it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("result")
    parser.add_argument("--signal", default="KILL")
    parser.add_argument("--at-rename", type=int, default=0)
    return cli.guarded(lambda: train(parser.parse_args(words)))


if __name__ == "__main__":
    warnings.simplefilter("error", append=True)
    raise SystemExit(main())
