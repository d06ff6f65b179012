"""The LSTM with layer normalisation of its two products and of its cell state."""

from typing import Any

import keras
from keras import ops

from shared.layers import bptt
from shared.layers.cells import StepCell, StepRNN, affine

EPSILON = 1e-5


def normalised(x: Any, gain: Any) -> Any:
    """Normalises (..., n) to zero mean and unit variance over the last axis, in at least float32; applies the gain."""
    dtype = x.dtype
    wide = ops.cast(x, keras.backend.result_type(dtype, "float32"))
    centred = wide - ops.mean(wide, axis=-1, keepdims=True)
    variance = ops.mean(centred * centred, axis=-1, keepdims=True)
    return ops.cast(centred * ops.rsqrt(variance + EPSILON), dtype) * gain


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    gain_h, gain_c, bias_c = vectors
    i, f, g, o = ops.split(slices[0] + normalised(mixed, gain_h), 4, axis=-1)
    c = ops.sigmoid(f) * states[1] + ops.sigmoid(i) * ops.tanh(g)
    return [ops.sigmoid(o) * ops.tanh(normalised(c, gain_c) + bias_c), c]


@keras.saving.register_keras_serializable(package="gallery")
class LayerNormLSTMCell(StepCell):
    """One step of `LayerNormLSTM`; its docstring has the equations, arguments and weights."""

    STEP = bptt.Step(_advance)
    OPTIONS: tuple[str, ...] = (*StepCell.OPTIONS, "unit_forget_bias")

    def __init__(self, units: int, unit_forget_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.state_size = [units, units]
        self.unit_forget_bias = unit_forget_bias

    def build(self, input_shape: tuple) -> None:
        """Creates kernel, recurrent_kernel and bias, gates i f g o, the gains, and the bias of the cell state."""
        self.kernel = self.add_kernel("kernel", input_shape[-1], 4 * self.units)
        self.recurrent_kernel = self.add_recurrent("recurrent_kernel", self.units, 4 * self.units)
        self.bias = self.add_gates_bias("bias", 4, ones=1 if self.unit_forget_bias else None)
        for name, width in {"kernel_gain": 4, "recurrent_gain": 4, "cell_gain": 1}.items():
            setattr(self, name, self.add_weight(shape=(width * self.units,), name=name, initializer="ones"))
        self.cell_bias = self.add_bias("cell_bias", self.units, initializer="zeros")

    def project(self, inputs: Any) -> list:
        """See `StepCell`."""
        x = normalised(affine(inputs, self.kernel, None), ops.cast(self.kernel_gain, inputs.dtype))
        return [x if self.bias is None else x + ops.cast(self.bias, inputs.dtype)]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        cell_bias = ops.zeros_like(self.cell_gain) if self.cell_bias is None else self.cell_bias
        return self.recurrent_kernel, [self.recurrent_gain, self.cell_gain, cell_bias]


@keras.saving.register_keras_serializable(package="gallery")
class LayerNormLSTM(StepRNN):
    """LSTM with layer normalisation: more stable gradients, which allow higher learning rates.

    Ba et al. (2016), "Layer normalization", arXiv:1607.06450, equations 20 to 22. N(a) is a minus its mean over the
    vector, divided by sqrt(variance + 1e-5); k, r, n are gains.

        i~, f~, g~, o~ = k * N(W x_t) + r * N(U h_{t-1}) + b
        c_t = sigmoid(f~) * c_{t-1} + sigmoid(i~) * tanh(g~)
        h_t = sigmoid(o~) * tanh(n * N(c_t) + d)

    Differences from the paper: one bias b for both products instead of one for each; b_f starts at 1.

    Args:
        units: positive int, width of h and of the output.
        unit_forget_bias: whether b_f starts at 1. Default True.
        use_bias, kernel_initializer, recurrent_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.LSTM`.
        zoneout, recurrent_weight_dropout, recompute: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0, c0 (batch, units)].
    Returns:  (batch, units), or (batch, time, units); then h and c if return_state.
    State:    [h (batch, units), c (batch, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (features, 4 units), recurrent_kernel (units, 4 units), bias, kernel_gain, recurrent_gain
              (4 units), gates i f g o; cell_gain, cell_bias (units).
    Masking:  a masked step keeps the state. Cost: O(time) steps.
    Raises:   ValueError if units < 1.

    >>> tuple(LayerNormLSTM(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = LayerNormLSTMCell
