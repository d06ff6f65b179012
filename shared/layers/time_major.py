"""Products and gradients over all time steps at once; tensors here are time-major, (time, batch, features)."""

import functools
from collections.abc import Callable
from typing import Any

from keras import ops

from shared.layers import backend
from shared.layers.recompute import all_steps, in_pieces


def recurrence(forward: Callable, backward: Callable, states: int) -> Callable:
    """`f(x, mask or None, *states, *weights) -> [outputs, *last states]` with a hand-written gradient.

    It is compiled with and without a mask. Its keyword `recompute` is explained in `recompute.py`.

    Args:
        forward: `(x, mask or None, *states, *weights) -> (outputs, residuals)`.
        backward: `(residuals, output gradients) -> input gradients`, the second, the mask's, being None.
        states: how many there are.
    """

    def unmasked_backward(residuals, gradients):
        dx, _, *others = backward(residuals, gradients)
        return [dx, *others]

    @functools.cache
    def compiled(masked, recompute, weights):
        both = forward, backward
        if recompute:
            both = in_pieces(forward, backward, 1, 1, states, recompute)
        elif not masked:
            both = lambda x, *inputs: forward(x, None, *inputs), unmasked_backward
        in_time = [1] * (2 if masked else 1)
        batch = [*in_time, *[0] * states, *[None] * weights], [1, *[0] * states]
        return backend.differentiable(*both, batch=batch)

    def call(x, mask, *inputs, recompute=0):
        if recompute and mask is None:
            mask = all_steps(x)
        program = compiled(mask is not None, recompute, len(inputs) - states)
        return program(x, *([] if mask is None else [mask]), *inputs)

    return call


def before(initial: Any, values: Any) -> Any:
    """(time, batch, units): the value each step started from: `initial`, then all but the last of `values`."""
    return ops.concatenate([ops.expand_dims(initial, 0), values[:-1]], axis=0)


def product_over_time(left: Any, right: Any) -> Any:
    """Sum over time and batch of the outer products: (time, batch, m), (time, batch, n) -> (m, n).

    This is every weight's gradient as ONE matrix product, instead of one small product a step.
    """
    flat_left = ops.reshape(left, (-1, left.shape[-1]))
    flat_right = ops.reshape(right, (-1, right.shape[-1]))
    return ops.matmul(ops.transpose(flat_left), flat_right)


def project(x: Any, kernel: Any, bias: Any = None) -> Any:
    """All time steps in one matrix product: (time, batch, features) -> (time, batch, gates)."""
    time, batch = ops.shape(x)[0], ops.shape(x)[1]
    flat = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel)
    if bias is not None:
        flat = flat + bias
    return ops.reshape(flat, (time, batch, kernel.shape[-1]))


def project_backward(x: Any, kernel: Any, dz: Any) -> tuple[Any, Any, Any]:
    """The gradients (dx, dkernel, dbias) of `project`, given that of its result (time, batch, gates)."""
    dx = project(dz, ops.transpose(kernel))
    return dx, product_over_time(x, dz), ops.sum(dz, axis=(0, 1))
