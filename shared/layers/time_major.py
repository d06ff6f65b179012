"""Products and gradients over all time steps at once; tensors here are time-major, (time, batch, features)."""

from collections.abc import Callable
from typing import Any

from keras import ops

from shared.layers import backend


def recurrence(forward: Callable, backward: Callable) -> Callable:
    """`f(x, mask or None, *inputs) -> outputs` with a hand-written gradient, compiled with and without a mask.

    Args:
        forward: `(x, mask or None, *inputs) -> (outputs, residuals)`.
        backward: `(residuals, output gradients) -> input gradients`, the second, the mask's, being None.
    """

    def unmasked_backward(residuals, gradients):
        dx, _, *others = backward(residuals, gradients)
        return [dx, *others]

    masked = backend.differentiable(forward, backward)
    unmasked = backend.differentiable(lambda x, *inputs: forward(x, None, *inputs), unmasked_backward)

    def call(x, mask, *inputs):
        return unmasked(x, *inputs) if mask is None else masked(x, mask, *inputs)

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


def project(x: Any, kernel: Any, bias: Any) -> Any:
    """All time steps in one matrix product: (time, batch, features) -> (time, batch, gates)."""
    time, batch = ops.shape(x)[0], ops.shape(x)[1]
    flat = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel) + bias
    return ops.reshape(flat, (time, batch, kernel.shape[-1]))


def project_backward(x: Any, kernel: Any, dz: Any) -> tuple[Any, Any, Any]:
    """The gradients (dx, dkernel, dbias) of `project`, given that of its result (time, batch, gates)."""
    dx = project(dz, ops.transpose(kernel), 0)
    return dx, product_over_time(x, dz), ops.sum(dz, axis=(0, 1))
