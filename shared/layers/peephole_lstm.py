"""The LSTM with peepholes: its gates also see the cell state."""

from typing import Any

import keras
from keras import ops

from shared.layers import bptt
from shared.layers.cells import StepCell, StepRNN, affine


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    i, f, g, o = ops.split(mixed, 4, axis=-1)
    p_i, p_f, p_o = ops.split(vectors[0], 3, axis=-1)
    c = states[1]
    c_new = ops.sigmoid(f + p_f * c) * c + ops.sigmoid(i + p_i * c) * ops.tanh(g)
    return [ops.sigmoid(o + p_o * c_new) * ops.tanh(c_new), c_new]


@keras.saving.register_keras_serializable(package="gallery")
class PeepholeLSTMCell(StepCell):
    """One step of `PeepholeLSTM`; its docstring has the equations, arguments and weights."""

    STEP = bptt.Step(_advance, adds=True)
    OPTIONS: tuple[str, ...] = (*StepCell.OPTIONS, "unit_forget_bias")

    def __init__(self, units: int, unit_forget_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.state_size = [units, units]
        self.unit_forget_bias = unit_forget_bias

    def build(self, input_shape: tuple) -> None:
        """Creates kernel, recurrent_kernel and bias, gates i f g o, and peephole (3 units), gates i f o."""
        self.kernel = self.add_kernel("kernel", input_shape[-1], 4 * self.units)
        self.recurrent_kernel = self.add_recurrent("recurrent_kernel", self.units, 4 * self.units)
        self.peephole = self.add_weight(shape=(3 * self.units,), name="peephole", initializer="zeros")
        self.bias = self.add_gates_bias("bias", 4, ones=1 if self.unit_forget_bias else None)

    def project(self, inputs: Any) -> list:
        """See `StepCell`."""
        return [affine(inputs, self.kernel, self.bias)]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        return self.recurrent_kernel, [self.peephole]


@keras.saving.register_keras_serializable(package="gallery")
class PeepholeLSTM(StepRNN):
    """LSTM with peepholes: learns counting and timing better, since its gates see the cell state.

    Gers and Schmidhuber (2000), "Recurrent nets that time and count", doi:10.1109/IJCNN.2000.861302; Gers et al.
    (2002), "Learning precise timing with LSTM recurrent networks", JMLR 3:115-143.

        i_t = sigmoid(W_i x_t + U_i h_{t-1} + p_i * c_{t-1} + b_i)
        f_t = sigmoid(W_f x_t + U_f h_{t-1} + p_f * c_{t-1} + b_f)
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
        c_t = f_t * c_{t-1} + i_t * g_t
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + p_o * c_t + b_o)
        h_t = o_t * tanh(c_t)

    Differences from the papers: p starts at 0 (a plain LSTM), b_f at 1; full back-propagation through time.

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
    Weights:  kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units), gates i f g o;
              peephole (3 units), gates i f o.
    Masking:  a masked step keeps the state. Cost: O(time) steps.
    Raises:   ValueError if units < 1.

    >>> tuple(PeepholeLSTM(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = PeepholeLSTMCell
