"""Products over all time steps at once. Tensors are time-major: (time, batch, features)."""

from typing import Any

from keras import ops


def before(initial: Any, values: Any) -> Any:
    """Returns the value before each step (time, ...): `initial` (...), then `values` (time, ...) without the last."""
    return ops.concatenate([ops.expand_dims(initial, 0), values[:-1]], axis=0)


def product_over_time(left: Any, right: Any) -> Any:
    """Sums outer products over time and batch: (time, batch, m), (time, batch, n) -> (m, n).

    This computes the gradient of a weight as ONE matrix product, instead of a small one per step.
    """
    flat_left = ops.reshape(left, (-1, left.shape[-1]))
    flat_right = ops.reshape(right, (-1, right.shape[-1]))
    return ops.matmul(ops.transpose(flat_left), flat_right)


def project(x: Any, kernel: Any, bias: Any = None) -> Any:
    """Projects all time steps in one matrix product: (time, batch, features) -> (time, batch, gates)."""
    time, batch = ops.shape(x)[0], ops.shape(x)[1]
    flat = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel)
    if bias is not None:
        flat = flat + bias
    return ops.reshape(flat, (time, batch, kernel.shape[-1]))
