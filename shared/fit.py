"""The training loop: progress, logs, checkpoints, exact resumption, early stopping, signals.

`model.fit` is called for one epoch at a time, so that training can resume in the middle of an epoch. Bit-exact
resumption needs batches that are a function of (seed, epoch, step), and checkpoints of every variable
(shared/checkpoint.py).
"""

import contextlib
import copy
import csv
import io
import math
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras

from shared import InputError, checkpoint, devices, files
from shared.checkpoint import Position
from shared.layers.backend import memory
from shared.progress import Screen, log, tensorboard
from shared.runs import Run, Stopped

__all__ = ["Stopped", "fit"]

GO_ON = "Repeat the command to resume."
STOPPING = b"\nStopping: saves and validates first. Press Ctrl-C again to stop at once without that.\n"
INTERRUPTED = "Interrupted. Repeat the command to resume from the last checkpoint."
CHECKPOINT = "checkpoint.npz"
CHECKPOINT_SHARE = 0.02  # maximum share of the training time that is spent on checkpoints
BEST_EPOCH = "model.best_epoch.keras"  # backup of the best epoch while model.keras is a better mid-epoch model


def fit(
    model: Any,
    train: Any,
    valid: Any,
    run: Run,
    *,
    epochs: int,
    begin: int = 0,
    of: int | None = None,
    monitor: str = "val_loss",
    mode: str = "min",
    patience: int | None = None,
    target: float | None = None,
    deploy: Callable[[], Any] | None = None,
    from_averages: bool = False,
    checkpoint_s: float = 30.0,
) -> list[dict[str, float]]:
    """Trains the model. If killed at any moment, the same call resumes and ends with the same weights, bit for bit.

    States of stateful layers are carried from batch to batch, and reset before each epoch and validation. With an
    optimizer that averages the weights (`use_ema`), the averages are evaluated and saved after each epoch.

    It trains on as many devices as `shared.devices.used` says. A run may go on with another number.

    Args:
        model: a compiled `keras.Model`; its variables are overwritten when a run is resumed.
        train, valid: `shared.data.sequences.Batches`; `steps` per epoch, random access by (epoch, step).
        run: receives model.keras (the best by `monitor`), history.csv, checkpoint.npz, timing.json, tensorboard/.
        epochs: maximum number of epochs.
        begin, of: for one part of a training in several, each with a loss of its own: the epoch after which it begins,
            from which patience counts, and the number of epochs of all parts, which is shown.
        monitor: the metric that decides which epoch is best, e.g. "val_loss"; mode: "min" or "max".
        patience: stop after this many epochs without improvement. None: never.
        target: stop after the epoch in which `monitor` reaches this value. None: never.
        deploy: returns the model to save for inference, e.g. a stateless one with the same weights. None: `model`.
        from_averages: begin each epoch from the optimizer's averages instead of the weights at the end of the last
            epoch. This regularises, and slows down training that has few steps: see `_Watch.on_epoch_end`.
        checkpoint_s: seconds between checkpoints within an epoch, longer if writing one takes long;
            0: after every step.

    Returns:
        One row per epoch: epoch (from 1), loss, metrics, the same with the prefix val_, learning_rate. `model` keeps
        the last weights, or their averages; `run.load_model()` loads the best model.

    Raises:
        InputError: if the loss is not finite, `monitor` is unknown, the checkpoint is damaged or does not fit, or the
            devices do not divide the rows of a batch.
        Stopped: on Ctrl-C or SIGTERM, after the state is saved and the model evaluated.
    """
    if mode not in ("min", "max"):
        raise InputError(f"Expected mode to be min or max. Received: {mode}")
    first = train.batch(0, 0)
    checkpoint.build(model, first)
    with devices.spread(model, len(keras.tree.flatten(first)[0])):
        at, arrays = _resume(run, model, train.steps)
        devices.record(run, begun=run.file(CHECKPOINT).exists())
        with _signals() as stop, Screen(of or epochs, at, begin, epochs) as screen, tensorboard(run, at) as writer:
            watch = _Watch(run, at, arrays, checkpoint_s, stop, screen, writer, from_averages)
            while at.epoch < epochs and not _enough(at, begin, patience, target, mode):
                row = _train_and_validate(model, train, valid, watch)
                value = _monitored(row, monitor)
                better = at.best is None or (value < at.best if mode == "min" else value > at.best)
                if at.step < at.steps:
                    _save_stopped(run, deploy() if deploy else model, better)
                    where = f"in epoch {at.epoch + 1} of {of or epochs} after step {at.step} of {at.steps}"
                    raise Stopped(f"Stopped {where}: {monitor} {value:.4f}. {GO_ON}")
                if better:
                    run.save_model(deploy() if deploy else model)
                watch.end_epoch(model, row, value if better else None)
                if stop:  # also after the last epoch, so that a loop over many runs ends here
                    raise Stopped(f"Stopped after epoch {at.epoch} of {of or epochs}. {GO_ON}")
        model.optimizer.finalize_variable_values(model.trainable_variables)
        checkpoint.own_averages(model)
    return at.history


def _resume(run: Run, model: Any, steps: int) -> tuple[Position, dict[str, Any] | None]:
    """Restores the checkpoint, if any, and returns its position, with its arrays if it is within an epoch."""
    path = run.file(CHECKPOINT)
    if not path.exists():
        return Position(steps=steps), None
    at, arrays = checkpoint.load(path)
    if at.steps != steps:
        raise InputError(
            f"{path} counts {at.steps} steps in an epoch, this data makes {steps}: it has changed. "
            "Start over with --fresh."
        )
    checkpoint.restore(path, model, arrays)
    aside, best = run.file(BEST_EPOCH), run.file("model.keras")
    if aside.exists():
        os.replace(aside, best)
    if at.best is not None and not best.exists():
        raise InputError(f"{best} is missing, the best epoch's model. Start over with --fresh.")
    _write_history(run, at.history)
    return at, arrays if at.step else None


class _Watch(keras.callbacks.Callback):
    """Callback that tracks the position, writes checkpoints and stops training on request."""

    def __init__(
        self,
        run: Run,
        position: Position,
        arrays: dict[str, Any] | None,
        checkpoint_s: float,
        stop: list[int],
        screen: Screen,
        writer: Any,
        from_averages: bool,
    ) -> None:
        super().__init__()
        self.run, self.position, self.arrays, self.checkpoint_s = run, position, arrays, checkpoint_s
        self.from_averages = from_averages
        self.weights: list[Any] | None = None  # for the next epoch, while the model holds the averages
        self.stop, self.screen, self.writer = stop, screen, writer
        self.started = self.saved = time.monotonic()
        self.pause_s = checkpoint_s

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Restores the checkpoint again within an epoch: Keras has just reset the metrics' running means."""
        if self.arrays is not None:
            checkpoint.restore(self.run.file(CHECKPOINT), self.model, self.arrays)
            self.arrays = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Saves the weights, which Keras replaces with their averages at the end of each `fit`, here of each epoch.

        An average covers more steps than a short epoch has: continuing from it would lose most of what the epoch has
        learned.
        """
        if self.model.optimizer.use_ema and not self.from_averages:
            self.weights = [keras.ops.convert_to_numpy(v).copy() for v in self.model.trainable_variables]

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Calls `memory.keep`, which explains why once is not enough. Takes a microsecond."""
        memory.keep()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Counts the step, shows and logs the running means, and writes a checkpoint when one is due."""
        at, figures = self.position, logs or {}
        at.step += 1
        if not math.isfinite(figures["loss"]):
            raise InputError(
                f"The loss is {figures['loss']} in epoch {at.epoch + 1}, step {at.step}: training has "
                "diverged. Try a lower learning rate or stronger gradient clipping."
            )
        self.screen.step(at, figures)
        if at.step % max(1, at.steps // 100) == 0:
            log(self.writer, "step", figures, at)
        stop = bool(self.stop)  # read once: a signal may arrive between the next two lines
        if at.step < at.steps and (stop or time.monotonic() - self.saved >= self.pause_s):
            self.save(self.model)
        if stop:
            self.model.stop_training = True

    def end_epoch(self, model: Any, row: dict[str, float], best: float | None) -> None:
        """Adds the finished epoch to the history; `best` is its monitored value if it is the best so far."""
        at = self.position
        if self.weights is not None:
            for variable, value in zip(model.trainable_variables, self.weights, strict=True):
                variable.assign(value)
        at.history.append(row)
        at.best, at.wait = (at.best, at.wait + 1) if best is None else (best, 0)
        at.epoch, at.step = at.epoch + 1, 0
        log(self.writer, "epoch", row, at)
        _write_history(self.run, at.history)
        self.save(model)
        self.screen.epoch(row, best is not None, at.seconds)

    def save(self, model: Any) -> None:
        """Writes the checkpoint and the training time so far in seconds."""
        now = time.monotonic()
        self.position.seconds += now - self.started
        checkpoint.save(self.run.file(CHECKPOINT), model, self.position)
        files.write_json(self.run.file("timing.json"), {"seconds": round(self.position.seconds, 3)})
        self.started, self.saved = now, time.monotonic()
        if self.checkpoint_s > 0:
            self.pause_s = max(self.checkpoint_s, (self.saved - now) / CHECKPOINT_SHARE)


def _train_and_validate(model: Any, train: Any, valid: Any, watch: _Watch) -> dict[str, float]:
    """Trains for the rest of the epoch, validates, and returns the history row, with means over the whole epoch."""
    at = watch.position
    if at.step == 0:
        checkpoint.reset_states(model)
    # A copy per epoch: TensorFlow prefetches in its own thread, even past the end of the epoch.
    batches = copy.copy(train)
    batches.epoch, batches.first = at.epoch, at.step
    with checkpoint.carried_states(model):
        fitted = model.fit(
            batches, initial_epoch=at.epoch, epochs=at.epoch + 1, shuffle=False, verbose=0, callbacks=[watch]
        )
        checkpoint.own_averages(model)
        checkpoint.reset_states(model)
        valid_figures = model.evaluate(valid, verbose=0, return_dict=True)
    return (
        {"epoch": at.epoch + 1}
        | {key: float(values[-1]) for key, values in fitted.history.items()}
        | {f"val_{key}": float(value) for key, value in valid_figures.items()}
        | {"learning_rate": float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))}
    )


def _enough(at: Position, begin: int, patience: int | None, target: float | None, mode: str) -> bool:
    """Returns whether to stop: no improvement for `patience` epochs, or the best value reaches the target."""
    if target is not None and at.best is not None and (at.best <= target if mode == "min" else at.best >= target):
        return True
    return patience is not None and min(at.wait, at.epoch - begin) >= patience


def _monitored(row: dict[str, float], monitor: str) -> float:
    if monitor not in row:
        raise InputError(f"Expected to monitor one of {', '.join(row)}. Received: {monitor}")
    if math.isnan(row[monitor]):
        raise InputError(f"{monitor} is not a number after epoch {row['epoch']}: training has diverged.")
    return row[monitor]


def _save_stopped(run: Run, model: Any, better: bool) -> None:
    """Saves a better model from within an epoch, so that stopping early loses nothing.

    The model of the best epoch is backed up for resuming: an uninterrupted run would never see this one.
    """
    if not better:
        return
    saved = run.file("model.keras")
    if saved.exists():
        with files.replacing(run.file(BEST_EPOCH)) as temporary:
            shutil.copyfile(saved, temporary)
    run.save_model(model)


def _write_history(run: Run, history: list[dict[str, float]]) -> None:
    if not history:
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    files.write_text(run.file("history.csv"), text.getvalue())


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Yields a list that fills on the first Ctrl-C or SIGTERM, which is acknowledged; a second one interrupts."""
    received: list[int] = []

    def handle(number: int, frame: Any) -> None:
        if received:
            raise KeyboardInterrupt(INTERRUPTED)
        received.append(number)
        with contextlib.suppress(OSError):  # saving must go on even if stderr is closed
            os.write(2, STOPPING)  # print is not reentrant, and may be what was interrupted

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield received
        return
    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
