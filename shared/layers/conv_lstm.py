"""Convolutional long short-term memory."""

import dataclasses
from typing import Any

import keras

from shared.layers.cells import StepCell, StepRNN
from shared.layers.conv import CONV, ConvCell, ConvRNN, read
from shared.layers.lstm import LSTM


@keras.saving.register_keras_serializable(package="gallery")
class ConvLSTMCell(ConvCell, StepCell):
    """One step of `ConvLSTM`; its docstring has the equations, arguments and weights."""

    STEP = dataclasses.replace(LSTM.STEP, mix=CONV, read=read)
    OPTIONS: tuple[str, ...] = (*ConvCell.OPTIONS, "unit_forget_bias")

    def __init__(self, units: int, kernel_size: Any = 3, unit_forget_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(units, kernel_size, **kwargs)
        self.state_size = [units, units]
        self.unit_forget_bias = unit_forget_bias

    def build(self, input_shape: tuple) -> None:
        """Creates kernel, recurrent_kernel and bias, gates i f g o."""
        self.kernel = self.add_kernel("kernel", *self.kernel_size, input_shape[-1], 4 * self.units)
        self.recurrent_kernel = self.add_recurrent("recurrent_kernel", *self.kernel_size, self.units, 4 * self.units)
        self.bias = self.add_gates_bias("bias", 4, ones=1 if self.unit_forget_bias else None)

    def project(self, inputs: Any) -> list:
        """See `StepCell`."""
        return [inputs]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        return self.recurrent_kernel, self.input_weights()


@keras.saving.register_keras_serializable(package="gallery")
class ConvLSTM(ConvRNN, StepRNN):
    """Convolutional LSTM: the layer to try first on video, radar and other image sequences.

    Shi et al. (2015), "Convolutional LSTM network: a machine learning approach for precipitation nowcasting",
    equation 3, arXiv:1506.04214. * is a convolution with "same" zero padding.

        i_t = sigmoid(W_i * x_t + U_i * h_{t-1} + b_i)
        f_t = sigmoid(W_f * x_t + U_f * h_{t-1} + b_f)
        g_t = tanh(W_g * x_t + U_g * h_{t-1} + b_g)
        o_t = sigmoid(W_o * x_t + U_o * h_{t-1} + b_o)
        c_t = f_t c_{t-1} + i_t g_t                                         (element by element)
        h_t = o_t tanh(c_t)

    Differences from the paper: no peepholes, b_f starts at 1; both as in Keras.

    Args:
        units: positive int, channels of h and of the output.
        kernel_size: odd positive int, or a pair of them for rows and columns. Default 3.
        unit_forget_bias: whether b_f starts at 1. Default True.
        use_bias, kernel_initializer, recurrent_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.ConvLSTM2D`.
        zoneout, recurrent_weight_dropout, recompute: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, rows, columns, channels); mask (batch, time) bool; initial_state [h0, c0 (batch,
              rows, columns, units)].
    Returns:  (batch, rows, columns, units), or (batch, time, rows, columns, units); then h and c if return_state.
    State:    [h, c (batch, rows, columns, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (*kernel_size, channels, 4 units), recurrent_kernel (*kernel_size, units, 4 units), bias (4 units),
              gates i f g o: the names and layout of `keras.layers.ConvLSTM2D`, so weights can be copied to and from one
              with padding="same".
    Masking:  a masked step keeps the state. Cost: O(time) steps; compile with jit_compile=False on a CPU.
    Raises:   ValueError if units < 1 or the kernel size is even.

    >>> tuple(ConvLSTM(8)(keras.ops.ones((2, 5, 6, 4, 3))).shape)
    (2, 6, 4, 8)
    """

    cell_class = ConvLSTMCell
