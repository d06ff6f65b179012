"""The long short-term memory, scanned with a hand-written gradient."""

import functools
from typing import Any

import keras
from keras import ops

from shared.layers import backend, bptt, feature_major, time_major
from shared.layers.keras_twin import KerasTwin, dense_weights


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    del slices, vectors
    i, f, g, o = ops.split(mixed, 4, axis=-1)
    c = ops.sigmoid(f) * states[1] + ops.sigmoid(i) * ops.tanh(g)
    return [ops.sigmoid(o) * ops.tanh(c), c]


@keras.saving.register_keras_serializable(package="gallery")
class LSTM(KerasTwin, keras.layers.LSTM):
    """Long short-term memory: the recurrent layer to try first; its cell remembers over hundreds of steps.

    Hochreiter and Schmidhuber (1997), "Long short-term memory", doi:10.1162/neco.1997.9.8.1735, with the forget
    gate of Gers et al. (2000), "Learning to forget", doi:10.1162/089976600300015015.

        i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)
        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)
        c_t = f_t * c_{t-1} + i_t * g_t
        h_t = o_t * tanh(c_t)

    Differences from the paper: b_f starts at 1 (Jozefowicz et al. 2015), as in Keras.

    Args:
        units: positive int, width of h and of the output.
        **kwargs: those of `keras.layers.LSTM`. Activations other than tanh and sigmoid, `unroll` and
            `recurrent_dropout` fall back to Keras's own, slower loop.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0, c0 (batch, units)].
    Returns:  (batch, units), or (batch, time, units); then h and c if return_state.
    State:    [h (batch, units), c (batch, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units), gates i f g o:
              names and layout of `keras.layers.LSTM`, so weights can be copied in either direction.
    Masking:  a masked step keeps the state. Cost: O(time) steps; on a GPU, cuDNN through Keras.
    Raises:   ValueError if units < 1.

    >>> tuple(LSTM(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    STEP = bptt.Step(_advance, adds=True)

    def plain(self) -> bool:
        """See `KerasTwin`."""
        activation, gates = self.cell.activation, self.cell.recurrent_activation
        return activation is keras.activations.tanh and gates is keras.activations.sigmoid

    def loop_weights(self, dtype: Any) -> tuple:
        """See `KerasTwin`."""
        return dense_weights(self.cell, dtype)

    def gates(self, x: Any, states: list) -> dict[str, Any]:
        """Computes the gates of one step: x (batch, features), states -> i f g o, each (batch, units).

        The addends are split before they are added: otherwise XLA fuses the sum into a product on a CPU, which then
        reads its weights at half the speed (measured at batch size 1, 2 x 512).
        """
        x = ops.cast(x, self.compute_dtype)
        kernel, recurrent_kernel, bias, _ = self.loop_weights(x.dtype)
        addends = ops.matmul(x, kernel), ops.matmul(states[0], recurrent_kernel), bias
        of_gates = zip(*(ops.split(addend, 4, axis=-1) for addend in addends), strict=True)
        i, f, g, o = (of_x + of_h + b for of_x, of_h, b in of_gates)
        return {"i": ops.sigmoid(i), "f": ops.sigmoid(f), "g": ops.tanh(g), "o": ops.sigmoid(o)}

    def advance(self, x: Any, states: list) -> tuple[Any, list]:
        """See `Scanned`."""
        if not self.plain():
            return super().advance(x, states)
        i, f, g, o = self.gates(x, states).values()
        c = f * states[1] + i * g
        h = o * ops.tanh(c)
        return h, [h, c]

    def recurrence(self) -> Any:
        """See `KerasTwin`."""
        return _recurrence()


@functools.cache
def _recurrence() -> Any:
    return feature_major.recurrence(_forward, _backward, _finish, states=2)


def _forward(
    x: Any, mask: Any, h0: Any, c0: Any, kernel: Any, recurrent_kernel: Any, bias: Any, transposed: Any
) -> tuple:
    """Returns ([h (time, units, batch), h_T, c_T], residuals)."""

    def step(carry, slices):
        h, c = carry
        z = ops.matmul(transposed, ops.concatenate([slices[0], h], axis=0)) + column
        i, f, g, o = ops.split(ops.tanh(z * scale) * scale + (1 - scale), 4, axis=0)
        c_new = f * c + i * g
        h_new = o * ops.tanh(c_new)
        if mask is not None:
            h_new, c_new = ops.where(slices[1], h_new, h), ops.where(slices[1], c_new, c)
        return [h_new, c_new], [h_new, c, i, f, g, o]

    # sigmoid(z) = tanh(z / 2) / 2 + 1 / 2, so one tanh over all four gates computes both functions.
    half = ops.full((h0.shape[0], 1), 0.5, h0.dtype)
    scale = ops.concatenate([half, half, ops.ones_like(half), half], axis=0)
    column = ops.expand_dims(bias, 1)
    steps = [x] if mask is None else [x, mask]
    (h_last, c_last), (h, c_before, *gates) = backend.scan(step, [h0, c0], steps, outputs=6)
    return [h, h_last, c_last], [x, mask, h0, kernel, recurrent_kernel, h, c_before, c_last, *gates]


def _backward(residuals: list, gradients: list) -> list:
    """Back-propagates through time in a reverse scan; returns [dz (time, 4 units, batch), dh0, dc0]."""
    _, mask, _, _, recurrent_kernel, _, c_before, c_last, *gates = residuals
    dh_outputs, dh_last, dc_last = gradients

    def step(carry, slices):
        dh_next, dc_next, c = carry
        d_output, c_before, i, f, g, o = slices[:6]
        dh = d_output + dh_next
        tanh_c = ops.tanh(c)
        dc = dc_next + dh * o * (1 - tanh_c * tanh_c)
        di, df = dc * g * i * (1 - i), dc * c_before * f * (1 - f)
        dg, do = dc * i * (1 - g * g), dh * tanh_c * o * (1 - o)
        dz = ops.concatenate([di, df, dg, do], axis=0)
        dc_before = dc * f
        if mask is None:
            return [ops.matmul(recurrent_kernel, dz), dc_before, c_before], [dz]
        dz = ops.where(slices[6], dz, ops.zeros_like(dz))
        dh_before = ops.where(slices[6], ops.matmul(recurrent_kernel, dz), dh)
        return [dh_before, ops.where(slices[6], dc_before, dc_next), c_before], [dz]

    steps = [dh_outputs, c_before, *gates] + ([] if mask is None else [mask])
    (dh0, dc0, _), (dz,) = backend.scan(step, [dh_last, dc_last, c_last], steps, outputs=1, reverse=True)
    return [dz, dh0, dc0]


def _finish(residuals: list, found: list) -> list:
    """Computes the gradients of x and of each weight, each in one product over all time steps."""
    x, _, h0, kernel, _, h, *_ = residuals
    dz, *d_states = found
    flat_dz = feature_major.flat(dz)
    h_before = time_major.before(h0, h)
    dx, *of_kernels = feature_major.through_products(x, h_before, kernel, flat_dz, flat_dz)
    return [dx, *d_states, *of_kernels, ops.sum(flat_dz, axis=1)]
