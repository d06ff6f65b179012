"""The training loop: progress, logs, checkpoints, exact resume, early stopping, signals.

`model.fit` runs one epoch at a time, so that an epoch can begin in its middle. To go on bit for bit it needs
batches that are a function of (seed, epoch, step), and a checkpoint of every variable (shared/checkpoint.py).
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

from shared import InputError, checkpoint, files
from shared.checkpoint import Position
from shared.layers.backend import memory
from shared.progress import Screen, log, tensorboard
from shared.runs import Run, Stopped

__all__ = ["Stopped", "fit"]

GO_ON = "Repeat the command to resume."
STOPPING = b"\nStopping: saves and validates first. Press Ctrl-C again to stop at once without that.\n"
INTERRUPTED = "Interrupted. Repeat the command to resume from the last checkpoint."
CHECKPOINT = "checkpoint.npz"
CHECKPOINT_SHARE = 0.02  # of the training time at most goes into checkpoints
BEST_EPOCH = "model.best_epoch.keras"  # kept aside while model.keras is a better one from inside an epoch


def fit(
    model: Any,
    train: Any,
    valid: Any,
    run: Run,
    *,
    epochs: int,
    monitor: str = "val_loss",
    mode: str = "min",
    patience: int | None = None,
    target: float | None = None,
    deploy: Callable[[], Any] | None = None,
    from_averages: bool = False,
    checkpoint_s: float = 30.0,
) -> list[dict[str, float]]:
    """Trains the model; after a kill at any moment the same call ends with the same weights, bit for bit.

    States of stateful layers are carried from batch to batch, and zeroed before each epoch and validation. With an
    optimizer that keeps averages of the weights (`use_ema`), these are evaluated and saved after each epoch.

    Args:
        model: a compiled `keras.Model`; its variables are overwritten if the run was begun before.
        train, valid: `shared.data.sequences.Batches`; `steps` in an epoch, random access by (epoch, step).
        run: gets model.keras (the best by `monitor`), history.csv, checkpoint.npz, timing.json, tensorboard/.
        epochs: at most so many.
        monitor: the figure that decides which epoch is best, e.g. "val_loss"; mode: "min" or "max".
        patience: stop after so many epochs without a better figure. None: never.
        target: stop after the epoch in which `monitor` is this good or better. None: never.
        deploy: gives the model to save for the users, e.g. a stateless twin of equal weights. None: `model`.
        from_averages: begin each epoch from the optimizer's averages instead of the weights that the last epoch ended
            with. It regularises, and it slows a training of few steps down: see `_Watch.on_epoch_end`.
        checkpoint_s: seconds between checkpoints inside an epoch, or more where writing one takes long;
            0: after every step.

    Returns:
        One row for each epoch: epoch (from 1), loss, metrics, their val_ twins, learning_rate. `model` keeps
        the last weights, or their averages; `run.load_model()` gives the best.

    Raises:
        InputError: the loss is not a number, `monitor` is unknown, or the checkpoint is damaged or unfit.
        Stopped: Ctrl-C or SIGTERM; the state is saved and the model evaluated before.
    """
    if mode not in ("min", "max"):
        raise InputError(f"Expected mode to be min or max. Received: {mode}")
    checkpoint.build(model, train.batch(0, 0))
    at, arrays = _resume(run, model, train.steps)
    with _signals() as stop, Screen(epochs, at) as screen, tensorboard(run, at) as writer:
        watch = _Watch(run, at, arrays, checkpoint_s, stop, screen, writer, from_averages)
        while at.epoch < epochs and not _enough(at, patience, target, mode):
            row = _train_and_validate(model, train, valid, watch)
            value = _monitored(row, monitor)
            better = at.best is None or (value < at.best if mode == "min" else value > at.best)
            if at.step < at.steps:
                _save_stopped(run, deploy() if deploy else model, better)
                where = f"in epoch {at.epoch + 1} of {epochs} after step {at.step} of {at.steps}"
                raise Stopped(f"Stopped {where}: {monitor} {value:.4f}. {GO_ON}")
            if better:
                run.save_model(deploy() if deploy else model)
            watch.end_epoch(model, row, value if better else None)
            if stop:  # after the last epoch too: a loop over many runs must end here
                raise Stopped(f"Stopped after epoch {at.epoch} of {epochs}. {GO_ON}")
    model.optimizer.finalize_variable_values(model.trainable_variables)
    checkpoint.own_averages(model)
    return at.history


def _resume(run: Run, model: Any, steps: int) -> tuple[Position, dict[str, Any] | None]:
    """The position to go on from, with the arrays of its checkpoint if that lies inside an epoch."""
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
    """Follows `model.fit` step by step: keeps the position, writes checkpoints, stops when asked."""

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
        self.weights: list[Any] | None = None  # with which the next epoch begins, where averages stand in their place
        self.stop, self.screen, self.writer = stop, screen, writer
        self.started = self.saved = time.monotonic()
        self.pause_s = checkpoint_s

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Keras has just zeroed the metrics; inside an epoch their running means must go on."""
        if self.arrays is not None:
            checkpoint.restore(self.run.file(CHECKPOINT), self.model, self.arrays)
            self.arrays = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keeps the weights: Keras puts the averages in their place at the end of each `fit`, here of each epoch.

        An average reaches back over more steps than a short epoch has: training that went on from it would lose most
        of what the epoch has learned.
        """
        if self.model.optimizer.use_ema and not self.from_averages:
            self.weights = [keras.ops.convert_to_numpy(v).copy() for v in self.model.trainable_variables]

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """A microsecond; see there why once is not enough."""
        memory.keep()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Counts the step, shows and logs the running means, writes the checkpoint when it is time."""
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
        stop = bool(self.stop)  # read once: a signal may come between the next two lines
        if at.step < at.steps and (stop or time.monotonic() - self.saved >= self.pause_s):
            self.save(self.model)
        if stop:
            self.model.stop_training = True

    def end_epoch(self, model: Any, row: dict[str, float], best: float | None) -> None:
        """Takes the finished epoch into the history; `best` is its figure if it is the best so far."""
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
        """Writes the checkpoint and the seconds trained until now."""
        now = time.monotonic()
        self.position.seconds += now - self.started
        checkpoint.save(self.run.file(CHECKPOINT), model, self.position)
        files.write_json(self.run.file("timing.json"), {"seconds": round(self.position.seconds, 3)})
        self.started, self.saved = now, time.monotonic()
        if self.checkpoint_s > 0:
            self.pause_s = max(self.checkpoint_s, (self.saved - now) / CHECKPOINT_SHARE)


def _train_and_validate(model: Any, train: Any, valid: Any, watch: _Watch) -> dict[str, float]:
    """One epoch, or what is left of it, and its row of the history: means over all of it, validation."""
    at = watch.position
    if at.step == 0:
        checkpoint.reset_states(model)
    # A copy for each epoch: TensorFlow reads ahead in a thread of its own, also beyond the epoch's end.
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


def _enough(at: Position, patience: int | None, target: float | None, mode: str) -> bool:
    """Whether waiting for a better epoch is over: none came for too long, or the best one is good enough."""
    if target is not None and at.best is not None and (at.best <= target if mode == "min" else at.best >= target):
        return True
    return patience is not None and at.wait >= patience


def _monitored(row: dict[str, float], monitor: str) -> float:
    if monitor not in row:
        raise InputError(f"Expected to monitor one of {', '.join(row)}. Received: {monitor}")
    if math.isnan(row[monitor]):
        raise InputError(f"{monitor} is not a number after epoch {row['epoch']}: training has diverged.")
    return row[monitor]


def _save_stopped(run: Run, model: Any, better: bool) -> None:
    """Saves a better model from inside an epoch, so that stopping early loses nothing.

    The best epoch's model is kept aside for going on: an unbroken run would not know this one.
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
    """Gives a list that is empty until Ctrl-C or SIGTERM comes, which is acknowledged; a second interrupts at once."""
    received: list[int] = []

    def handle(number: int, frame: Any) -> None:
        if received:
            raise KeyboardInterrupt(INTERRUPTED)
        received.append(number)
        with contextlib.suppress(OSError):  # where nobody reads it, saving must go on
            os.write(2, STOPPING)  # print may have been interrupted itself, and cannot be entered twice

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield received
        return
    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
