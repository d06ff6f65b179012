"""How wide a network may be for a given number of parameters, so that architectures meet on equal terms."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras

from shared import InputError
from shared.layers import IMAGE_ARCHITECTURES, layer_class, recurrent

WIDEST = 2**24  # a count that has not reached its budget there does not grow with the width


def units_for(arch: str, params: int, features: int, layers: int = 1, tolerance: float = 0.01, **options: Any) -> int:
    """The width at which a stack of recurrent layers has a number of parameters nearest to the budget.

    Args:
        arch: a key of `ARCHITECTURES`.
        params: the budget.
        features: width of the inputs of the first layer, (batch, time, features) or images of so many channels.
        layers: how many, all of the one width.
        tolerance: largest distance from the budget, as a share of it.
        **options: further arguments of every layer.

    Raises:
        InputError: the architecture is unknown, or no width comes so near; it names the nearest ones.

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
    """The settings, with the width at which the whole network has about `config.params` parameters; 0 leaves `units`.

    Where no width comes within `tolerance` of it, the nearest one is taken and a line says so.

    Args:
        config: a frozen dataclass with `params`, `units` and `arch`.
        make: settings -> the `keras.Model`; nothing is allocated.
    """
    if not config.params:
        return config
    step = width_step(config.arch)
    found, count = nearest_units(
        lambda units: parameters(lambda: make(dataclasses.replace(config, units=units))), config.params, step
    )
    if abs(count - config.params) > tolerance * config.params:
        print(
            f"No width comes within {tolerance:.0%} of {config.params:,} parameters: "
            f"{count:,} with {found} units is the nearest."
        )
    return dataclasses.replace(config, units=found)


def width_step(arch: str) -> int:
    """Widths of this architecture are multiples of this number."""
    return getattr(layer_class(arch), "WIDTH_STEP", 1)


def solve_units(count: Callable[[int], int], params: int, step: int = 1, tolerance: float = 0.01) -> int:
    """The multiple of `step` at which `count` comes nearest to `params`, found by bisection.

    One unit more or less changes the count by about a share of 2 / units, so a tolerance of 1 % can be met for
    sure from about 100 units on, and by luck below.

    Args:
        count: units -> parameters; must not fall as units grow.
        params: the budget. step: of the widths tried, e.g. the number of heads that must divide them.
        tolerance: largest distance from the budget, as a share of it.

    Raises:
        InputError: no width comes so near, with the nearest counts and their widths.

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
    """The multiple of `step` at which `count` comes nearest to `params`, however far that is, and the count there."""
    found = {units: count(units) for units in _around(count, params, step)}
    return min(found.items(), key=lambda item: abs(item[1] - params))


def _around(count: Callable[[int], int], params: int, step: int) -> tuple[int, int]:
    """The two neighbouring multiples of `step` between whose counts the budget lies; raises as `solve_units`."""
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


def parameters(make: Callable[[], Any]) -> int:
    """The number of parameters of the layer or model (or a list of them) that `make` builds; none is allocated.

    In a stateless scope Keras only notes the shape of a new weight, for a later start. The list of these notes
    belongs to the thread, and so ends with it: nothing is ever started.

    >>> parameters(lambda: keras.Sequential([keras.Input((1000,)), keras.layers.Dense(1_000_000)]))
    1001000000
    """

    def count() -> int:
        with keras.StatelessScope(initialize_variables=False):
            made = make()
            return sum(layer.count_params() for layer in (made if isinstance(made, list) else [made]))

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(count).result()
