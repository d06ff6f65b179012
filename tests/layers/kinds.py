"""Which loop computes a layer, read from its class, and which architecture stands for all that have the same."""

import keras
import pytest

from shared.layers import ARCHITECTURES, layer_class, recurrent

# What follows from equations that are tested on every backend, or is a matter of the maths alone.
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the maths is the same, and each is compiled anew"
)


def here(cases: list) -> list:
    """The cases of a test; on other backends than TensorFlow, which compile each for long, the first of them."""
    return cases if keras.backend.backend() == "tensorflow" else cases[:1]


every_policy = pytest.mark.parametrize("policy", here(["mixed_bfloat16", "mixed_float16"]))

# What a layer does around the maths of its step. Who overrides one of these has a loop of its own.
LOOP = (
    "_check_states",
    "_check_step",
    "batch_first",
    "build",
    "call",
    "compute_output_shape",
    "dropped",
    "falls_back",
    "get_initial_state",
    "inner_loop",
    "keras_seed",
    "over_time",
    "state_shapes",
    "time_first",
    "without_dropped",
    "zoned",
    "zones",
)
# The maths, and what each architecture is tested for anyway.
MATHS = (
    "__init__",
    "advance",
    "from_config",
    "gates",
    "get_config",
    "loop_weights",
    "plain",
    "recurrence",
    "step",
    "units",
)


def kind(layer: type) -> tuple[type, ...]:
    """The classes that define the layer's loop."""
    return tuple(next(base for base in layer.__mro__ if method in vars(base)) for method in LOOP)


def kinds(archs: tuple[str, ...] = tuple(ARCHITECTURES)) -> list[list[str]]:
    """The architectures by their loop; each list begins with the one that stands for it, which has the most states."""
    found: dict[tuple[type, ...], list[str]] = {}
    for arch in archs:
        found.setdefault(kind(layer_class(arch)), []).append(arch)
    return [sorted(alike, key=lambda arch: -len(recurrent(arch, 2).state_size)) for alike in found.values()]


def representatives(archs: tuple[str, ...], at_least: int = 1) -> list[str]:
    """One architecture of each kind that has so many."""
    return [alike[0] for alike in kinds(archs) if len(alike) >= at_least]


def checked_here(archs: tuple[str, ...] = tuple(ARCHITECTURES)) -> list[str]:
    """For what Keras's part of a layer decides before any maths: all on TensorFlow, else one architecture of a kind."""
    return list(archs) if keras.backend.backend() == "tensorflow" else representatives(archs)
