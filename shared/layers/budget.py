"""Finds the width of a network for a given number of parameters, so that architectures can be compared fairly."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras

from shared import InputError
from shared.layers import IMAGE_ARCHITECTURES, layer_class, recurrent

WIDEST = 2**24  # a count still below the budget at this width is taken not to grow with the width


def units_for(arch: str, params: int, features: int, layers: int = 1, tolerance: float = 0.01, **options: Any) -> int:
    """Returns the width at which a stack of recurrent layers comes closest to a number of parameters.

    Args:
        arch: a key of `ARCHITECTURES`.
        params: the target number of parameters.
        features: features of the first layer's inputs, (batch, time, features), or channels if they are images.
        layers: number of layers, all of the same width.
        tolerance: maximum relative deviation from the target.
        **options: further arguments of all layers.

    Raises:
        InputError: if the architecture is unknown, or no width is within the tolerance; it names the closest ones.

    >>> units_for("lstm", 50_000, features=32)
    97
    """
    if features < 1 or layers < 1:
        raise InputError(f"Expected features and layers of at least 1. Received: {features} and {layers}")

    def stack(units: int) -> list[Any]:
        image = (None, None) if arch in IMAGE_ARCHITECTURES else ()
        built, shape = [], (None, None, *image, features)
        for _ in range(layers):
            built.append(recurrent(arch, units, return_sequences=True, **options))
            built[-1].build(shape)
            shape = built[-1].compute_output_shape(shape)
        return built

    return solve_units(lambda units: parameters(lambda: stack(units)), params, width_step(arch), tolerance)


def sized(config: Any, make: Callable[[Any], Any], tolerance: float = 0.01) -> Any:
    """Sets `units` so that the network has about `config.params` parameters; 0 leaves the settings unchanged.

    Embedding tables are not counted (see `non_embedding`): a large vocabulary would leave the recurrent layers nothing.
    If no width comes within `tolerance` of it, the closest one is used and a message printed. Raises InputError if even
    the narrowest network is larger.

    Args:
        config: a frozen dataclass with `params`, `units` and `arch`.
        make: settings -> `keras.Model`; no weights are allocated.
        tolerance: maximum relative deviation.
    """
    if not config.params:
        return config
    step = width_step(config.arch)
    found, count = nearest_units(
        lambda units: parameters(lambda: make(dataclasses.replace(config, units=units)), non_embedding),
        config.params,
        step,
    )
    if found == step and count > (1 + tolerance) * config.params:
        raise InputError(
            f"--params: expected at least {count:,}, the size of the narrowest network, embedding tables not counted; "
            f"received {config.params:,}"
        )
    if abs(count - config.params) > tolerance * config.params:
        print(
            f"No width comes within {tolerance:.0%} of {config.params:,} parameters, embedding tables not counted: "
            f"{count:,} with {found} units is the nearest."
        )
    return dataclasses.replace(config, units=found)


def width_step(arch: str) -> int:
    """Returns the number that widths of this architecture must be multiples of."""
    return getattr(layer_class(arch), "WIDTH_STEP", 1)


def solve_units(count: Callable[[int], int], params: int, step: int = 1, tolerance: float = 0.01) -> int:
    """Returns the multiple of `step` at which `count` comes closest to `params`, found by bisection.

    One unit changes the count by a fraction of about 2 / units, so a tolerance of 1 % can always be met from about 100
    units on, and only by chance below.

    Args:
        count: units -> parameters; must not decrease with units.
        params: the target. step: step between widths, e.g. the number of heads that must divide them.
        tolerance: maximum relative deviation from the target.

    Raises:
        InputError: if no width is within the tolerance; the message has the closest counts and their widths.

    >>> solve_units(lambda units: 3 * units * units, 30_000)
    100
    """
    low, high = _around(count, params, step)
    found = {units: count(units) for units in (low, high)}
    nearest = min(found, key=lambda units: abs(found[units] - params))
    if abs(found[nearest] - params) > tolerance * params:
        reachable = " or ".join(f"{number:,} ({units} units)" for units, number in found.items())
        raise InputError(
            f"No width comes within {tolerance:.0%} of {params:,} parameters. The nearest are {reachable}: "
            "ask for one of these, or for many more."
        )
    return nearest


def nearest_units(count: Callable[[int], int], params: int, step: int = 1) -> tuple[int, int]:
    """Returns the multiple of `step` at which `count` is closest to `params`, however far off, and its count."""
    found = {units: count(units) for units in _around(count, params, step)}
    return min(found.items(), key=lambda item: abs(item[1] - params))


def _around(count: Callable[[int], int], params: int, step: int) -> tuple[int, int]:
    """Returns the adjacent multiples of `step` whose counts enclose the target; raises InputError if it cannot."""
    if step < 1 or params < 1:
        raise InputError(f"Expected params and step of at least 1. Received: params={params}, step={step}")
    low, high = step, 2 * step
    while count(high) < params:
        low, high = high, 2 * high
        if high > WIDEST:
            raise InputError(f"Expected a count that grows with the width. It is {count(low):,} at {low:,} units.")
    while high - low > step:
        middle = (low + high) // 2 // step * step
        low, high = (middle, high) if count(middle) < params else (low, middle)
    return low, high


def non_embedding(network: Any) -> int:
    """Returns a model's parameters without embedding tables, whose size is that of the vocabulary.

    This is the size by which language models are compared (Kaplan et al. 2020, arXiv:2001.08361, section 1).

    >>> model = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(1000, 8), keras.layers.Dense(2)])
    >>> non_embedding(model), model.count_params()
    (18, 8018)
    """
    inside = [layer for layer in network._flatten_layers() if isinstance(layer, keras.layers.Embedding)]
    tables = {id(weight): weight for layer in inside for weight in layer.weights}  # shared ones once
    return network.count_params() - sum(math.prod(weight.shape) for weight in tables.values())


def parameters(make: Callable[[], Any], counted: Callable[[Any], int] = keras.Layer.count_params) -> int:
    """Returns the number of parameters of the layer or model (or list of them) that `make` builds, unallocated.

    Args:
        make: builds the layers. counted: returns the parameters of one of them that count, by default all.

    In a stateless scope Keras only registers the shapes of new weights, to be initialised later. This registry is
    local to the thread and ends with it, so they never are.

    >>> parameters(lambda: keras.Sequential([keras.Input((1000,)), keras.layers.Dense(1_000_000)]))
    1001000000
    """

    def count() -> int:
        with keras.StatelessScope(initialize_variables=False):
            made = make()
            return sum(counted(layer) for layer in (made if isinstance(made, list) else [made]))

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(count).result()
