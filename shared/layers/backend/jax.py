"""JAX: `lax.scan` and `custom_vjp`; the caller's `jit` compiles them."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras

Tensors = Sequence[Any]


def on_gpu() -> bool:
    """Whether JAX runs on a GPU."""
    return jax.default_backend() == "gpu"


def scan(step: Callable, carry: Tensors, sequences: Tensors, outputs: int, reverse: bool = False) -> tuple:
    """Runs `step(carry, slices) -> (carry, outputs)` over the first axis; as in `backend/tensorflow.py`."""
    del outputs  # JAX counts them itself

    def body(carry, slices):
        carry, values = step(carry, slices)
        return list(carry), list(values)

    return jax.lax.scan(body, list(carry), list(sequences), reverse=reverse)


def differentiable(
    forward: Callable, backward: Callable, jit: bool = True, batch: Any = None, finish: Callable | None = None
) -> Callable:
    """A function whose gradient is written by hand; as in `backend/tensorflow.py`."""
    del jit, batch  # the caller's own

    @jax.custom_vjp
    def function(*inputs):
        return forward(*inputs)[0]

    def gradient(residuals, output_gradients):
        found = backward(residuals, list(output_gradients))
        return tuple(found if finish is None else finish(residuals, found))

    function.defvjp(lambda *inputs: forward(*inputs), gradient)
    return function


def vjp(function: Callable, inputs: Tensors, gradients: Tensors) -> list:
    """The gradients by the inputs, given those by the outputs; as in `backend/tensorflow.py`."""
    _, pull_back = jax.vjp(lambda *values: list(function(*values)), *inputs)
    return list(pull_back(list(gradients)))


def of_shape(value: Any, like: Any, expected: str) -> Any:
    """`value`; here every shape is known before, so there is nothing to check when the program runs."""
    del like, expected
    return value


def compiled(function: Callable, variables: Sequence[Any]) -> Callable:
    """`function` as one XLA program; as in `backend/tensorflow.py`.

    The variables' values are handed to the program as arguments, else JAX would freeze them into it.
    """
    variables = list(variables)

    @jax.jit
    def program(values, *arguments):
        scope = keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True)))
        with scope:
            return function(*arguments)

    return lambda *arguments: program([v.value for v in variables], *arguments)
