"""Data-parallel training of one model on several devices, on JAX: each computes its share of the rows of every batch.

The program of a step stays that of one device, with the whole batch as its input and every weight on all devices. The
batch is cut within the program, and XLA adds up what the devices have computed. So the loss, its gradient, dropout and
clipping are those of one device, except for the rounding of sums.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import keras

from shared import InputError, checkpoint, files
from shared.runs import Run, read_json

VIRTUAL = "--xla_force_host_platform_device_count"  # so many devices on a CPU; read when JAX starts
ENVIRONMENT = "environment.json"

_used = 1


def start(count: int) -> list[str]:
    """Starts JAX and returns the names of the first `count` devices; makes virtual ones where there is only a CPU.

    Raises:
        InputError: if there are fewer.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if VIRTUAL not in flags:  # a GPU is not affected
        os.environ["XLA_FLAGS"] = f"{flags} {VIRTUAL}={count}".strip()
    found = keras.distribution.list_devices()
    if len(found) < count:
        virtual = f" Before JAX starts, XLA_FLAGS={VIRTUAL}={count} makes virtual ones." if "cpu:0" in found else ""
        raise InputError(
            f"--devices: expected at most {len(found)}, as JAX has {', '.join(found)}; received {count}.{virtual}"
        )
    return found[:count]


@contextlib.contextmanager
def used(count: int) -> Iterator[None]:
    """Within this block `shared.fit` trains on so many devices, which `start` has found."""
    global _used
    before, _used = _used, count
    try:
        yield
    finally:
        _used = before


@contextlib.contextmanager
def spread(model: Any, rows: int) -> Iterator[None]:
    """Within this block `model.fit` and `model.evaluate` run on the devices that `used` says; outside on the first one.

    A batch whose number of rows the devices do not divide, such as a shorter last one, is computed whole by each.

    Args:
        model: a compiled and built `keras.Model`.
        rows: rows of a full batch.

    Raises:
        InputError: if the devices do not divide `rows`.
    """
    if _used == 1:
        yield
        return
    if rows % _used:
        raise InputError(
            f"--devices: expected a divisor of the rows in a batch, {rows}; received {_used}. "
            "Choose another number, or another --batch-size."
        )
    everywhere = _Everywhere(devices=keras.distribution.list_devices()[:_used])
    with checkpoint.carried_states(model):
        variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    with everywhere.scope():
        for variable in variables:
            _lay(variable, everywhere.get_variable_layout(variable))
        with _cut_in_steps(model, everywhere.device_mesh):
            yield
    for variable in variables:
        _lay(variable, None)


def record(run: Run, begun: bool) -> None:
    """Adds the number of devices to the run's environment, where it is not always 1, since it decides the rounding.

    Args:
        run: the run, whose folder exists.
        begun: whether an earlier session has trained it in part.
    """
    path = run.file(ENVIRONMENT)
    environment = read_json(path, dict) if path.exists() else {}
    before = environment.get("devices", [1] if begun else [])
    now = sorted({*before, _used})
    if now not in ([1], before):
        files.write_json(path, environment | {"devices": now})


class _Everywhere(keras.distribution.DataParallel):
    """Every device has the weights and the whole batch.

    `DataParallel` cuts a batch before the step. It cannot cut a shorter last one, and loses its rows or fails.
    """

    def get_data_layout(self, data_shape: Any) -> keras.distribution.TensorLayout:
        """Returns the layout of an array of a batch: not cut."""
        return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)


@contextlib.contextmanager
def _cut_in_steps(model: Any, mesh: keras.distribution.DeviceMesh) -> Iterator[None]:
    """Cuts the batches at the beginning of each training and validation step."""
    names = ("train_step", "test_step")
    for name in names:
        setattr(model, name, _cutting(getattr(model, name), mesh))
    _forget_programs(model)
    try:
        yield
    finally:
        for name in names:
            delattr(model, name)  # what is left is the method
        _forget_programs(model)


def _cutting(step: Callable, mesh: keras.distribution.DeviceMesh) -> Callable:
    (count,), (name,) = mesh.shape, mesh.axis_names

    def cut(array: Any) -> Any:
        if array is None or not array.shape or array.shape[0] % count:
            return array
        layout = keras.distribution.TensorLayout([name] + [None] * (len(array.shape) - 1), mesh)
        return keras.distribution.distribute_tensor(array, layout)

    return lambda state, batch: step(state, keras.tree.map_structure(cut, batch))


def _forget_programs(model: Any) -> None:
    """Lets Keras compile the steps again: a program is bound to its devices."""
    model.train_function = model.test_function = model.predict_function = None


def _lay(variable: Any, layout: keras.distribution.TensorLayout | None) -> None:
    """Moves a variable to the devices of the layout, or back to the first one."""
    variable._layout = layout
    variable.assign(keras.ops.convert_to_numpy(variable).copy())
