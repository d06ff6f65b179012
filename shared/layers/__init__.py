"""Recurrent layers for Keras 3, each usable wherever `keras.layers.LSTM` is.

    layer = recurrent("gru", 128, return_sequences=True)

`ARCHITECTURES` names them all without loading Keras; a class is imported when it is first used.
"""

import importlib
from typing import Any

from shared import InputError

# name on the command line: (module, class, one line for help and tables)
ARCHITECTURES: dict[str, tuple[str, str, str]] = {
    "elman": ("elman", "Elman", "simple recurrent network, tanh"),
    "lstm": ("lstm", "LSTM", "long short-term memory"),
    "gru": ("gru", "GRU", "gated recurrent unit"),
    "mingru": ("min_gru", "MinGRU", "minimal gated recurrent unit, gates from the input alone"),
}


def recurrent(arch: str, units: int, **kwargs: Any) -> Any:
    """A recurrent layer by its architecture's name.

    Args:
        arch: a key of `ARCHITECTURES`.
        units: positive int, width of the output.
        **kwargs: any argument of `keras.layers.RNN` and of the layer itself.

    Returns:
        An unbuilt `keras.layers.RNN`: inputs (batch, time, features) -> (batch, units), or
        (batch, time, units) with `return_sequences=True`.

    Raises:
        InputError: (a ValueError) if `arch` is unknown or `units` is not a positive integer.
    """
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise InputError(f"`units` must be a positive integer. Received: units={units}")
    return layer_class(arch)(units, **kwargs)


def layer_class(arch: str) -> type:
    """The class behind an architecture's name; InputError names the known ones if there is none."""
    if arch not in ARCHITECTURES:
        raise InputError(f"Expected an architecture out of {', '.join(ARCHITECTURES)}. Received: {arch}")
    module, name, _ = ARCHITECTURES[arch]
    return getattr(importlib.import_module(f"shared.layers.{module}"), name)


def load_all() -> None:
    """Imports every layer, so that Keras can read any saved model that holds one."""
    for arch in ARCHITECTURES:
        layer_class(arch)
    importlib.import_module("shared.layers.bias")
