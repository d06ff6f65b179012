"""Saves the complete training state in one file, from which training resumes exactly where it stopped.

The file is a NumPy archive without pickles: all variables of the model (weights, dropout seeds), of the optimizer and
of the metrics (so that an epoch's running means continue), the states that stateful layers carry over to the next
batch, and the position as JSON.
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
    """Training progress. `epoch` and `step` are the next to run, counted from 0."""

    steps: int  # per epoch
    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)  # one row per finished epoch
    best: float | None = None  # best value of the monitored metric
    wait: int = 0  # epochs since the best one
    seconds: float = 0.0  # training time so far, over all sessions


def build(model: Any, batch: tuple) -> None:
    """Creates all variables of the model, optimizer and metrics, which Keras would create at the first step."""
    model._symbolic_build(data_batch=batch)


def save(path: Path, model: Any, position: Position) -> None:
    """Writes the state atomically. Within `fit`, pass a callback's `self.model`: on JAX this syncs the variables."""
    arrays = {key: keras.ops.convert_to_numpy(variable) for key, variable in _variables(model).items()}
    text = json.dumps(dataclasses.asdict(position)).encode()  # JSON round-trips floats exactly
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
    """Assigns the arrays from `load` to the model's variables; raises InputError if number or shapes differ."""
    variables = _variables(model)
    if {key: tuple(v.shape) for key, v in variables.items()} != {key: a.shape for key, a in arrays.items()}:
        raise InputError(f"{path} was written for another model than this code builds. Start over with --fresh.")
    for key, variable in variables.items():
        array = arrays[key]
        if array.dtype.kind == "V":  # NumPy saves bfloat16 as raw bytes, without its dtype
            array = array.view(keras.ops.convert_to_numpy(variable).dtype)
        variable.assign(array)


def reset_states(model: Any) -> None:
    """Resets the states that stateful layers carry from batch to batch."""
    for layer in _stateful_layers(model):
        layer.reset_state()


def own_averages(model: Any) -> None:
    """Copies the optimizer's variables, so that the weight averages (EMA) do not share arrays with the weights.

    At the end of an epoch Keras assigns the averages to the weights. On JAX both are then the same array, which
    `evaluate` donates.
    """
    if model.optimizer.use_ema:
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.copy(variable))


@contextlib.contextmanager
def carried_states(model: Any) -> Iterator[None]:
    """Tracks the states of stateful layers as model variables; without this they are not carried over on JAX.

    Keras does not track them, and its JAX loops pass only tracked variables through: every batch would start from the
    same states. Use it around `fit` and `evaluate` only, since a saved model must not contain them.
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
    """Returns all variables, keyed by position: Keras numbers the names, so these may differ in another process."""
    states = [state for layer in _stateful_layers(model) for state in _states(layer)]
    carried = {id(state) for state in states}
    parts = {
        "model": [variable for variable in model.variables if id(variable) not in carried],
        "state": states,
        "optimizer": model.optimizer.variables,
        "metric": model.metrics_variables,
    }
    return {f"{part}/{place}": variable for part, found in parts.items() for place, variable in enumerate(found)}
