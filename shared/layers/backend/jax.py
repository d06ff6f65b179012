"""The JAX backend: `lax.scan` and `custom_vjp`, compiled by the caller's `jit`."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras

Tensors = Sequence[Any]


def on_gpu() -> bool:
    """Returns whether JAX runs on a GPU."""
    return jax.default_backend() == "gpu"


def scan(step: Callable, carry: Tensors, sequences: Tensors, outputs: int, reverse: bool = False) -> tuple:
    """Runs `step(carry, slices) -> (carry, outputs)` over the first axis; see `backend/tensorflow.py`."""
    del outputs  # JAX infers their number

    def body(carry, slices):
        carry, values = step(carry, slices)
        return list(carry), list(values)

    return jax.lax.scan(body, list(carry), list(sequences), reverse=reverse)


def differentiable(
    forward: Callable, backward: Callable, jit: bool = True, batch: Any = None, finish: Callable | None = None
) -> Callable:
    """Returns a function with a hand-written gradient; see `backend/tensorflow.py`."""
    del jit, batch  # left to the caller

    @jax.custom_vjp
    def function(*inputs):
        return forward(*inputs)[0]

    def gradient(residuals, output_gradients):
        found = backward(residuals, list(output_gradients))
        return tuple(found if finish is None else finish(residuals, found))

    function.defvjp(lambda *inputs: forward(*inputs), gradient)
    return function


def vjp(function: Callable, inputs: Tensors, gradients: Tensors) -> list:
    """Returns the gradients of the inputs, given those of the outputs; see `backend/tensorflow.py`."""
    _, pull_back = jax.vjp(lambda *values: list(function(*values)), *inputs)
    return list(pull_back(list(gradients)))


def of_shape(value: Any, like: Any, expected: str) -> Any:
    """Returns `value`: JAX shapes are static, so there is nothing to check at run time."""
    del like, expected
    return value


def compiled(function: Callable, variables: Sequence[Any]) -> Callable:
    """Compiles `function` to one XLA program; see `backend/tensorflow.py`.

    The values of the variables are passed to the program as arguments; otherwise JAX would embed them as constants.
    """
    variables = list(variables)

    @jax.jit
    def program(values, *arguments):
        scope = keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True)))
        with scope:
            return function(*arguments)

    return lambda *arguments: program([v.value for v in variables], *arguments)


def fused(function: Callable) -> Callable:
    """Returns `function`: JAX compiles all of a program with XLA."""
    return function
