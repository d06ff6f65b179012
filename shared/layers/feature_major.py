"""Recurrences over tensors (time, features, batch), in which each sequence is a column at every step.

A kernel times 32 columns runs 40 % faster than 32 rows times the kernel (512 units, two cores, AVX-512), so the loop's
products have the weights on the left. Inputs are projected in the same product as the state.
"""

import functools
from collections.abc import Callable
from typing import Any

from keras import ops

from shared.layers import backend
from shared.layers.recompute import in_pieces


def recurrence(forward: Callable, backward: Callable, finish: Callable, states: int) -> Callable:
    """Returns a recurrence with a hand-written gradient, compiled with and without a mask.

    It is `f(x, mask or None, *states, kernel, recurrent_kernel, *biases, recompute=0) -> [outputs, *last states]`. x is
    (time, features, batch), mask (time, 1, batch), a state (units, batch); kernels and biases are in the layout of
    Keras; for `recompute` see `recompute.py`.

    Args:
        forward: `(x, mask or None, *states, kernel, recurrent_kernel, *biases, transposed) -> (outputs, residuals)`;
            `transposed` (gates, features + units) is both kernels concatenated, to be multiplied by columns.
        backward: `(residuals, output gradients) -> found`, the reverse scan.
        finish: `(residuals, found) -> gradients of x, states, kernel, recurrent_kernel and biases`.
        states: number of states.
    """

    @functools.cache
    def compiled(masked: bool, recompute: int, weights: int) -> Callable:
        def split(inputs):
            return inputs if masked else (inputs[0], None, *inputs[1:])

        def finished(residuals, found):
            dx, *others = finish(residuals, found)
            return [dx, *([None] if masked else []), *others]

        in_time = [2] * (2 if masked else 1)
        batch = [*in_time, *[1] * states, *[None] * weights], [2, *[1] * states]
        if recompute:
            pieces = in_pieces(
                lambda x, mask, *inputs: forward(x, mask, *inputs, transposed(*inputs[states : states + 2])),
                lambda residuals, gradients: finished(residuals, backward(residuals, gradients)),
                sequences=1,
                extras=1,
                states=states,
                length=recompute,
            )
            return backend.differentiable(*pieces, batch=batch)
        program = backend.differentiable(
            lambda *inputs: forward(*split(inputs)),
            backward,
            batch=([*batch[0], None], batch[1]),
            finish=lambda residuals, found: [*finished(residuals, found), None],
        )
        # Transposed outside the program, since on a CPU XLA transposes matrices element by element.
        return lambda *inputs: program(*inputs, transposed(*inputs[len(in_time) + states :][:2]))

    def call(x, mask, *inputs, recompute=0):
        if recompute and mask is None:
            mask = ops.ones_like(x[:, :1], "bool")
        program = compiled(mask is not None, recompute, len(inputs) - states)
        return program(x, *([] if mask is None else [mask]), *inputs)

    return call


def transposed(kernel: Any, recurrent_kernel: Any) -> Any:
    """Concatenates and transposes both kernels: (features, gates), (units, gates) -> (gates, features + units)."""
    return ops.transpose(ops.concatenate([kernel, recurrent_kernel], axis=0))


def flat(values: Any) -> Any:
    """Reshapes (time, features, batch) to (features, time * batch)."""
    return ops.reshape(ops.transpose(values, (1, 0, 2)), (values.shape[1], -1))


def through_products(x: Any, h_before: Any, kernel: Any, of_input: Any, of_state: Any) -> tuple[Any, Any, Any]:
    """Computes the gradients of x, kernel and recurrent kernel, each in ONE product instead of a small one per step.

    Args:
        x: (time, features, batch). h_before: (time, units, batch), the state before each step.
        kernel: (features, gates).
        of_input, of_state: (gates, time * batch), the gradients of the products with kernel and recurrent kernel.
    """
    time, batch = ops.shape(x)[0], ops.shape(x)[2]
    dx = ops.reshape(ops.matmul(kernel, of_input), (kernel.shape[0], time, batch))
    weights = ops.matmul(flat(x), ops.transpose(of_input)), ops.matmul(flat(h_before), ops.transpose(of_state))
    return ops.transpose(dx, (1, 0, 2)), *weights
