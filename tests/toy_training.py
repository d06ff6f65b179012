"""A training of seconds, run by the tests as a process of its own, so that it can be killed.

python toy_training.py RESULT.npz [--epochs N] [--checkpoint-s S] [--signal KILL --at-rename N]
"""

import argparse
import os
import signal
import warnings

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


def carried(model: keras.Model) -> list[keras.Variable]:
    """What the stateful layer carries from batch to batch: h and c, each (batch, units)."""
    return keras.tree.flatten(next(layer.states for layer in model.layers if getattr(layer, "stateful", False)))


def signal_at_rename(name: str, number: int) -> None:
    """os.replace completes every file of a run: this process gets the signal just before the `number`th."""
    rename, calls = os.replace, [0]

    def replace(source: str, target: str) -> None:
        calls[0] += 1
        if calls[0] == number:
            os.kill(os.getpid(), signal.Signals[f"SIG{name}"])
        rename(source, target)

    os.replace = replace


def train(options: argparse.Namespace) -> None:
    if options.at_rename:
        signal_at_rename(options.signal, options.at_rename)
    run = runs.start("toy", {"data": "random", "epochs": options.epochs})
    model = toy_model()
    rows = fit(model, Toy(1, STEPS), Toy(2, 3), run, epochs=options.epochs, checkpoint_s=options.checkpoint_s)
    everything = [*model.variables, *model.optimizer.variables]
    best = run.load_model()
    np.savez(
        options.result,
        rows=np.array([list(row.values()) for row in rows]),
        **{f"state{n}": keras.ops.convert_to_numpy(v) for n, v in enumerate(carried(model))},
        **{f"last{n}": keras.ops.convert_to_numpy(v) for n, v in enumerate(everything)},
        **{f"best{n}": keras.ops.convert_to_numpy(v) for n, v in enumerate(best.weights)},
    )


if __name__ == "__main__":
    warnings.simplefilter("error", append=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("result")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--checkpoint-s", type=float, default=0.0)
    parser.add_argument("--signal", default="KILL")
    parser.add_argument("--at-rename", type=int, default=0)
    raise SystemExit(cli.guarded(lambda: train(parser.parse_args())))
