"""Convolutional gated recurrent unit."""

import dataclasses
from typing import Any

import keras
from keras import ops

from shared.layers.cells import StepCell, StepRNN
from shared.layers.conv import CONV, ConvCell, ConvRNN, convolved
from shared.layers.gru import GRU


@keras.saving.register_keras_serializable(package="gallery")
class ConvGRUCell(ConvCell, StepCell):
    """One step of `ConvGRU`; its docstring has the equations, arguments and weights."""

    STEP = dataclasses.replace(GRU.STEP, mix=CONV)

    def build(self, input_shape: tuple) -> None:
        """Creates kernel, recurrent_kernel, bias and recurrent_bias, gates z r g."""
        self.kernel = self.add_kernel("kernel", *self.kernel_size, input_shape[-1], 3 * self.units)
        self.recurrent_kernel = self.add_recurrent("recurrent_kernel", *self.kernel_size, self.units, 3 * self.units)
        self.bias = self.add_bias("bias", 3 * self.units)
        self.recurrent_bias = self.add_bias("recurrent_bias", 3 * self.units)

    def project(self, inputs: Any) -> list:
        """See `StepCell`."""
        return [convolved(inputs, self.kernel, self.bias)]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        bias = ops.zeros((3 * self.units,)) if self.recurrent_bias is None else self.recurrent_bias
        return self.recurrent_kernel, [bias]


@keras.saving.register_keras_serializable(package="gallery")
class ConvGRU(ConvRNN, StepRNN):
    """Convolutional GRU: a quarter fewer weights than `ConvLSTM` and half its state, and often as accurate.

    Ballas et al. (2016), "Delving deeper into convolutional networks for learning video representations", section
    3.1, arXiv:1511.06432. * is a convolution with "same" zero padding.

        z_t = sigmoid(W_z * x_t + b_z + U_z * h_{t-1} + d_z)
        r_t = sigmoid(W_r * x_t + b_r + U_r * h_{t-1} + d_r)
        g_t = tanh(W_g * x_t + b_g + r_t (U_g * h_{t-1} + d_g))
        h_t = z_t h_{t-1} + (1 - z_t) g_t                                   (element by element)

    Differences from the paper: r_t is applied after the convolution with U_g, so that all convolutions of h are done
    as one; z_t keeps the state, whereas the paper's replaces it; both as in `GRU`. Biases are added.

    Args:
        units: positive int, channels of h and of the output.
        kernel_size: odd positive int, or a pair of them for rows and columns. Default 3.
        use_bias, kernel_initializer, recurrent_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.ConvLSTM2D`.
        zoneout, recurrent_weight_dropout, recompute: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, rows, columns, channels); mask (batch, time) bool; initial_state [h0 (batch, rows,
              columns, units)].
    Returns:  (batch, rows, columns, units), or (batch, time, rows, columns, units); then h if return_state.
    State:    [h (batch, rows, columns, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (*kernel_size, channels, 3 units), recurrent_kernel (*kernel_size, units, 3 units), bias b and
              recurrent_bias d (3 units), gates z r g.
    Masking:  a masked step keeps the state. Cost: O(time) steps; compile with jit_compile=False on a CPU.
    Raises:   ValueError if units < 1 or the kernel size is even.

    >>> tuple(ConvGRU(8)(keras.ops.ones((2, 5, 6, 4, 3))).shape)
    (2, 6, 4, 8)
    """

    cell_class = ConvGRUCell
