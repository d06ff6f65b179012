"""The simple recurrent network, scanned with a hand-written gradient."""

import functools
from typing import Any

import keras
from keras import ops

from shared.layers import backend, bptt, feature_major, time_major
from shared.layers.keras_twin import KerasTwin, dense_weights


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    del slices, states, vectors
    return [ops.tanh(mixed)]


@keras.saving.register_keras_serializable(package="gallery")
class Elman(KerasTwin, keras.layers.SimpleRNN):
    """Simple recurrent network: the smallest possible step; fast, but it forgets within tens of steps.

    Elman (1990), "Finding structure in time", doi:10.1207/s15516709cog1402_1.

        h_t = tanh(W x_t + U h_{t-1} + b)

    Differences from the paper: tanh instead of the logistic function, as is now usual.

    Args:
        units: positive int, width of h and of the output.
        **kwargs: those of `keras.layers.SimpleRNN`. Activations other than tanh, `unroll` and
            `recurrent_dropout` fall back to Keras's own, slower loop.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0 (batch, units)].
    Returns:  (batch, units), or (batch, time, units); then h if return_state.
    State:    [h (batch, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (features, units), recurrent_kernel (units, units), bias (units): names and layout of
              `keras.layers.SimpleRNN`, so weights can be copied in either direction.
    Masking:  a masked step keeps the state. Cost: O(time) steps.
    Raises:   ValueError if units < 1.

    >>> tuple(Elman(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    STEP = bptt.Step(_advance, adds=True)
    ON_GPU_KERAS = False

    def plain(self) -> bool:
        """See `KerasTwin`."""
        return self.cell.activation is keras.activations.tanh

    def loop_weights(self, dtype: Any) -> tuple:
        """See `KerasTwin`."""
        return dense_weights(self.cell, dtype)

    def recurrence(self) -> Any:
        """See `KerasTwin`."""
        return _recurrence()


@functools.cache
def _recurrence() -> Any:
    return feature_major.recurrence(_forward, _backward, _finish, states=1)


def _forward(x: Any, mask: Any, h0: Any, kernel: Any, recurrent_kernel: Any, bias: Any, transposed: Any) -> tuple:
    """Returns ([h (time, units, batch), h_T], residuals)."""

    def step(carry, slices):
        h = carry[0]
        h_new = ops.tanh(ops.matmul(transposed, ops.concatenate([slices[0], h], axis=0)) + column)
        if mask is not None:
            h_new = ops.where(slices[1], h_new, h)
        return [h_new], [h_new]

    column = ops.expand_dims(bias, 1)
    steps = [x] if mask is None else [x, mask]
    (h_last,), (h,) = backend.scan(step, [h0], steps, outputs=1)
    return [h, h_last], [x, mask, h0, kernel, recurrent_kernel, h]


def _backward(residuals: list, gradients: list) -> list:
    """Back-propagates through time in a reverse scan; returns [dz (time, units, batch), dh0]."""
    _, mask, _, _, recurrent_kernel, h = residuals

    def step(carry, slices):
        dh = slices[0] + carry[0]
        dz = dh * (1 - slices[1] * slices[1])
        if mask is None:
            return [ops.matmul(recurrent_kernel, dz)], [dz]
        dz = ops.where(slices[2], dz, ops.zeros_like(dz))
        return [ops.where(slices[2], ops.matmul(recurrent_kernel, dz), dh)], [dz]

    steps = [gradients[0], h] + ([] if mask is None else [mask])
    (dh0,), (dz,) = backend.scan(step, [gradients[1]], steps, outputs=1, reverse=True)
    return [dz, dh0]


def _finish(residuals: list, found: list) -> list:
    """Computes the gradients of x and of each weight, each in one product over all time steps."""
    x, _, h0, kernel, _, h = residuals
    dz, dh0 = found
    flat_dz = feature_major.flat(dz)
    h_before = time_major.before(h0, h)
    dx, *of_kernels = feature_major.through_products(x, h_before, kernel, flat_dz, flat_dz)
    return [dx, dh0, *of_kernels, ops.sum(flat_dz, axis=1)]
