"""The complete state of a training in one file, from which it resumes exactly where it stopped.

The file is a NumPy archive without pickles: every variable of the model (weights, dropout seeds), of the
optimizer and of the metrics (an epoch's running means go on), the states that stateful layers carry on to the
next batch, and the position as JSON.
"""

import contextlib
import dataclasses
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from shared import InputError
from shared.files import replacing


@dataclasses.dataclass
class Position:
    """Where a training stands; `epoch` and `step` are the next ones to do, counted from 0."""

    steps: int  # in an epoch
    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)  # a row for each finished epoch
    best: float | None = None  # of the monitored figure
    wait: int = 0  # epochs since the best one
    seconds: float = 0.0  # of training so far, all sessions together


def build(model: Any, batch: tuple) -> None:
    """Makes every variable of model, optimizer and metrics exist; Keras waits for the first step to do it."""
    model._symbolic_build(data_batch=batch)


def save(path: Path, model: Any, position: Position) -> None:
    """Writes the state atomically; inside `fit` pass the callback's `self.model`, which JAX synchronises."""
    arrays = {key: keras.ops.convert_to_numpy(variable) for key, variable in _variables(model).items()}
    text = json.dumps(dataclasses.asdict(position)).encode()  # JSON keeps a float's every bit
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, position=np.frombuffer(text, np.uint8), **arrays)


def load(path: Path) -> tuple[Position, dict[str, np.ndarray]]:
    """Reads a saved state; raises InputError if the file is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        position = Position(**json.loads(arrays.pop("position").tobytes()))
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged ({error}). Start this run over with --fresh.") from error
    return position, arrays


def restore(path: Path, model: Any, arrays: dict[str, np.ndarray]) -> None:
    """Puts the arrays of `load` back; raises InputError if the model has other variables than it had then."""
    variables = _variables(model)
    if {key: tuple(v.shape) for key, v in variables.items()} != {key: a.shape for key, a in arrays.items()}:
        raise InputError(f"{path} was written for another model than this code builds. Start over with --fresh.")
    for key, variable in variables.items():
        array = arrays[key]
        if array.dtype.kind == "V":  # NumPy stores bfloat16 as bytes without a name
            array = array.view(keras.ops.convert_to_numpy(variable).dtype)
        variable.assign(array)


def reset_states(model: Any) -> None:
    """Zeroes what stateful layers carry from batch to batch."""
    for layer in _stateful_layers(model):
        layer.reset_state()


def own_averages(model: Any) -> None:
    """Gives the optimizer's averages, which Keras puts in the weights' place at an epoch's end, arrays of their own.

    On JAX weight and average are one array after that, and `evaluate` gives the weights' arrays away.
    """
    if model.optimizer.use_ema:
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.copy(variable))


@contextlib.contextmanager
def carried_states(model: Any) -> Iterator[None]:
    """Counts the carried states among the model's variables; without that JAX does not carry them at all.

    Keras leaves them out, and its JAX loops take and return the listed variables only: each batch would start
    from the same states. For the time of `fit` and `evaluate` only, since a saved model must not hold them.
    """
    pairs = [(layer, state) for layer in _stateful_layers(model) for state in _states(layer)]
    for layer, state in pairs:
        layer._tracker.unlock()
        layer._track_variable(state)
        layer._tracker.lock()
    try:
        yield
    finally:
        for layer, state in pairs:
            layer._untrack_variable(state)


def _stateful_layers(model: Any) -> list[Any]:
    layers = [layer for layer in model._flatten_layers() if getattr(layer, "stateful", False)]
    return [layer for layer in layers if getattr(layer, "states", None) is not None]


def _states(layer: Any) -> list[Any]:
    return keras.tree.flatten(layer.states)


def _variables(model: Any) -> dict[str, Any]:
    """Every variable by its place; its name may differ in the next process, since Keras numbers them."""
    states = [state for layer in _stateful_layers(model) for state in _states(layer)]
    carried = {id(state) for state in states}
    parts = {
        "model": [variable for variable in model.variables if id(variable) not in carried],
        "state": states,
        "optimizer": model.optimizer.variables,
        "metric": model.metrics_variables,
    }
    return {f"{part}/{place}": variable for part, found in parts.items() for place, variable in enumerate(found)}
