"""Recurrent layers for Keras 3, drop-in replacements for `keras.layers.LSTM`.

    layer = recurrent("gru", 128, return_sequences=True)        # or: from shared.layers import GRU

`ARCHITECTURES` lists all of them without importing Keras. A class is imported on first use, or when Keras is imported,
so that `keras.models.load_model` knows all layers after `import shared.layers`.
"""

import importlib
import sys
from typing import Any

from shared import InputError
from shared.layers.registration import after_import

# name on the command line: (module, class, one line for help and tables)
ARCHITECTURES: dict[str, tuple[str, str, str]] = {
    "elman": ("elman", "Elman", "simple recurrent network, tanh"),
    "lstm": ("lstm", "LSTM", "long short-term memory"),
    "gru": ("gru", "GRU", "gated recurrent unit"),
    "peephole_lstm": ("peephole_lstm", "PeepholeLSTM", "LSTM with peephole connections"),
    "layernorm_lstm": ("layernorm_lstm", "LayerNormLSTM", "LSTM with layer normalisation"),
    "indrnn": ("ind_rnn", "IndRNN", "independently recurrent network, each unit recurs on itself alone"),
    "sru": ("sru", "SRU", "simple recurrent unit, gates from the unit's own state, with a highway"),
    "mingru": ("min_gru", "MinGRU", "minimal gated recurrent unit, gates from the input alone"),
    "minlstm": ("min_lstm", "MinLSTM", "minimal LSTM, gates from the input alone"),
    "lru": ("lru", "LRU", "linear recurrent unit, complex and diagonal"),
    "rglru": ("rglru", "RGLRU", "real-gated linear recurrent unit of Griffin"),
    "slstm": ("slstm", "SLSTM", "scalar LSTM of xLSTM, exponential gates"),
    "grud": ("grud", "GRUD", "GRU with decay for irregular records: values, flags, time gaps"),
    "tcn": ("tcn", "TCN", "temporal convolutional network, not recurrent"),
    "attention": ("attention", "Attention", "causal self-attention over a window, not recurrent"),
    "convelman": ("conv_elman", "ConvElman", "convolutional simple recurrent network, for video"),
    "convlstm": ("conv_lstm", "ConvLSTM", "convolutional LSTM, for video"),
    "convgru": ("conv_gru", "ConvGRU", "convolutional GRU, for video"),
    "convmingru": ("conv_min_gru", "ConvMinGRU", "convolutional minimal GRU, for video, gates from the input alone"),
}
# Their inputs are (batch, time, rows, columns, channels); those of all others (batch, time, features).
IMAGE_ARCHITECTURES = ("convelman", "convlstm", "convgru", "convmingru")
VECTOR_ARCHITECTURES = tuple(arch for arch in ARCHITECTURES if arch not in IMAGE_ARCHITECTURES)
# Those for generic sequences: grud needs values, flags and time gaps.
SEQUENCE_ARCHITECTURES = tuple(arch for arch in VECTOR_ARCHITECTURES if arch != "grud")


def recurrent(arch: str, units: int, **kwargs: Any) -> Any:
    """Creates a recurrent layer by the name of its architecture.

    Args:
        arch: a key of `ARCHITECTURES`.
        units: positive int, width of the output.
        **kwargs: any argument of `keras.layers.RNN` and of the layer itself.

    Returns:
        An unbuilt `keras.layers.RNN`: inputs (batch, time, features) -> (batch, units), or
        (batch, time, units) with `return_sequences=True`; for `IMAGE_ARCHITECTURES`: inputs (batch, time, rows,
        columns, channels) -> (batch, rows, columns, units), or (batch, time, rows, columns, units).

    Raises:
        InputError: (a ValueError) if `arch` is unknown or `units` is not a positive integer.
    """
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise InputError(f"`units` must be a positive integer. Received: units={units}")
    return layer_class(arch)(units, **kwargs)


def layer_class(arch: str) -> type:
    """Returns the class of an architecture; raises an InputError that lists the known names if there is none."""
    if arch not in ARCHITECTURES:
        raise InputError(f"Expected one of the architectures {', '.join(ARCHITECTURES)}. Received: {arch}")
    module, name, _ = ARCHITECTURES[arch]
    return getattr(importlib.import_module(f"shared.layers.{module}"), name)


def load_all() -> None:
    """Imports all layers, so that Keras can load any saved model that contains them."""
    for module in (*(module for module, _, _ in ARCHITECTURES.values()), "bias", "stack"):
        importlib.import_module(f"shared.layers.{module}")


def __getattr__(name: str) -> Any:
    """Imports the class of an architecture on first use: `from shared.layers import GRU`."""
    for arch, (_, class_name, _) in ARCHITECTURES.items():
        if name == class_name:
            return layer_class(arch)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *(class_name for _, class_name, _ in ARCHITECTURES.values())]


def _register() -> None:
    """Imports all layers, unless Keras was started on NumPy, only to read data: there are no layers for that."""
    if sys.modules["keras"].backend.backend() != "numpy":
        load_all()


after_import("keras", __name__, _register)
