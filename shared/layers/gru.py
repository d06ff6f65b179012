"""The gated recurrent unit, scanned with a hand-written gradient."""

import functools
from typing import Any

import keras
from keras import ops

from shared.layers import backend, bptt, time_major
from shared.layers.keras_twin import KerasTwin


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    x_z, x_r, x_g = ops.split(slices[0], 3, axis=-1)
    h_z, h_r, h_g = ops.split(mixed + vectors[0], 3, axis=-1)
    z = ops.sigmoid(x_z + h_z)
    return [z * states[0] + (1 - z) * ops.tanh(x_g + ops.sigmoid(x_r + h_r) * h_g)]


@keras.saving.register_keras_serializable(package="gallery")
class GRU(KerasTwin, keras.layers.GRU):
    """Gated recurrent unit: a quarter fewer weights than the LSTM, one state, often as good.

    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", arXiv:1406.1078, in the
    form of cuDNN and Keras (`reset_after=True`).

        z_t = sigmoid(W_z x_t + b_z + U_z h_{t-1} + d_z)
        r_t = sigmoid(W_r x_t + b_r + U_r h_{t-1} + d_r)
        g_t = tanh(W_g x_t + b_g + r_t * (U_g h_{t-1} + d_g))
        h_t = z_t * h_{t-1} + (1 - z_t) * g_t

    Differences from the paper: r_t acts after the product with U_g, and so every product with h is one.

    Args:
        units: positive int, width of h and of the output.
        **kwargs: all of `keras.layers.GRU`. `reset_after=False`, activations other than tanh and sigmoid,
            `unroll` and `recurrent_dropout` are served by Keras's own, slower loop.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0 (batch, units)].
    Returns:  (batch, units), or (batch, time, units); then h if return_state.
    State:    [h (batch, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (features, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units) holding b and d,
              gates z r g: names and layout of `keras.layers.GRU`, so weights exchange both ways.
    Masking:  a masked step keeps the state. Cost: O(time) steps; on a GPU cuDNN, by way of Keras.
    Raises:   ValueError if units < 1.

    >>> tuple(GRU(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    STEP = bptt.Step(_advance)

    def plain(self) -> bool:
        """See `KerasTwin`."""
        activation, gates = self.cell.activation, self.cell.recurrent_activation
        known = activation is keras.activations.tanh and gates is keras.activations.sigmoid
        return known and self.cell.reset_after

    def loop_weights(self, dtype: Any) -> tuple:
        """See `KerasTwin`; the bias's second row is added to the product with the state."""
        cell = self.cell
        bias = cell.bias if cell.use_bias else ops.zeros((2, 3 * cell.units), dtype)
        kernel, recurrent_kernel, bias = (ops.cast(w, dtype) for w in (cell.kernel, cell.recurrent_kernel, bias))
        return kernel, recurrent_kernel, bias[0], [bias[1]]

    def gates(self, x: Any, states: list) -> dict[str, Any]:
        """The gates of one step: x (batch, features), states -> z r g, each (batch, units)."""
        kernel, recurrent_kernel, bias, (recurrent_bias,) = self.loop_weights(x.dtype)
        x_z, x_r, x_g = ops.split(ops.matmul(x, kernel) + bias, 3, axis=-1)
        h_z, h_r, h_g = ops.split(ops.matmul(states[0], recurrent_kernel) + recurrent_bias, 3, axis=-1)
        z, r = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)
        return {"z": z, "r": r, "g": ops.tanh(x_g + r * h_g)}

    def recurrence(self) -> Any:
        """See `KerasTwin`."""
        return _recurrence()


@functools.cache
def _recurrence() -> Any:
    return time_major.recurrence(_forward, _backward, states=1)


def _forward(x: Any, mask: Any, h0: Any, kernel: Any, recurrent_kernel: Any, bias: Any, recurrent_bias: Any) -> tuple:
    """-> ([h (time, batch, units), h_T], what the gradient needs)."""

    def step(carry, slices):
        h = carry[0]
        x_z, x_r, x_g = ops.split(slices[0], 3, axis=-1)
        h_z, h_r, h_g = ops.split(ops.matmul(h, recurrent_kernel) + recurrent_bias, 3, axis=-1)
        z, r = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)
        g = ops.tanh(x_g + r * h_g)
        h_new = z * h + (1 - z) * g
        if mask is not None:
            h_new = ops.where(slices[1], h_new, h)
        return [h_new], [h_new, ops.concatenate([z, r, g, h_g], axis=-1)]

    projected = time_major.project(x, kernel, bias)
    steps = [projected] if mask is None else [projected, mask]
    (h_last,), (h, gates) = backend.scan(step, [h0], steps, outputs=2)
    return [h, h_last], [x, mask, h0, kernel, recurrent_kernel, h, gates]


def _backward(residuals: list, gradients: list) -> list:
    """Back-propagation through time: a reverse scan for the gates' gradients, then products over all steps.

    (dz, dr, dg) is the gradient of the input's share, (dz, dr, dg * r) that of the state's; what they have in common
    is written once.
    """
    x, mask, h0, kernel, recurrent_kernel, h, gates = residuals
    units = h0.shape[-1]
    transposed = ops.transpose(recurrent_kernel)
    h_before = time_major.before(h0, h)

    def step(carry, slices):
        dh = slices[0] + carry[0]
        z, r, g, h_g = ops.split(slices[1], 4, axis=-1)
        dg = dh * (1 - z) * (1 - g * g)
        dz = dh * (slices[2] - g) * z * (1 - z)
        dr = dg * h_g * r * (1 - r)
        d_zr, dg_r = ops.concatenate([dz, dr], axis=-1), dg * r
        if mask is not None:
            d_zr, dg, dg_r = (ops.where(slices[3], d, ops.zeros_like(d)) for d in (d_zr, dg, dg_r))
        dh_before = dh * z + ops.matmul(ops.concatenate([d_zr, dg_r], axis=-1), transposed)
        if mask is not None:
            dh_before = ops.where(slices[3], dh_before, dh)
        return [dh_before], [d_zr, dg, dg_r]

    steps = [gradients[0], gates, h_before] + ([] if mask is None else [mask])
    (dh0,), (d_zr, dg, dg_r) = backend.scan(step, [gradients[1]], steps, outputs=3, reverse=True)
    dx_zr, dkernel_zr, dbias_zr = time_major.project_backward(x, kernel[:, : 2 * units], d_zr)
    dx_g, dkernel_g, dbias_g = time_major.project_backward(x, kernel[:, 2 * units :], dg)
    of_recurrent = [time_major.product_over_time(h_before, d) for d in (d_zr, dg_r)]
    of_weights = [dkernel_zr, dkernel_g], of_recurrent, [dbias_zr, dbias_g], [dbias_zr, ops.sum(dg_r, axis=(0, 1))]
    return [dx_zr + dx_g, None, dh0, *(ops.concatenate(parts, axis=-1) for parts in of_weights)]
