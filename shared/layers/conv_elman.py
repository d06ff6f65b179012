"""Convolutional simple recurrent network."""

import dataclasses
from typing import Any

import keras

from shared.layers.cells import StepCell, StepRNN
from shared.layers.conv import CONV, ConvCell, ConvRNN, read
from shared.layers.elman import Elman


@keras.saving.register_keras_serializable(package="gallery")
class ConvElmanCell(ConvCell, StepCell):
    """One step of `ConvElman`; its docstring has the equations, arguments and weights."""

    STEP = dataclasses.replace(Elman.STEP, mix=CONV, read=read)

    def build(self, input_shape: tuple) -> None:
        """Creates kernel, recurrent_kernel and bias."""
        self.kernel = self.add_kernel("kernel", *self.kernel_size, input_shape[-1], self.units)
        self.recurrent_kernel = self.add_recurrent("recurrent_kernel", *self.kernel_size, self.units, self.units)
        self.bias = self.add_bias("bias", self.units)

    def project(self, inputs: Any) -> list:
        """See `StepCell`."""
        return [inputs]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        return self.recurrent_kernel, self.input_weights()


@keras.saving.register_keras_serializable(package="gallery")
class ConvElman(ConvRNN, StepRNN):
    """Convolutional simple recurrent network: the simplest recurrence on video, to compare with the gated ones.

    Elman (1990), "Finding structure in time", doi:10.1207/s15516709cog1402_1, with the convolutions of Shi et al.
    (2015), arXiv:1506.04214. * is a convolution with "same" zero padding.

        h_t = tanh(W * x_t + U * h_{t-1} + b)

    Differences from the papers: convolutions in place of the first one's matrix products, no gates unlike the second.

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
    Weights:  kernel (*kernel_size, channels, units), recurrent_kernel (*kernel_size, units, units), bias (units).
    Masking:  a masked step keeps the state. Cost: O(time) steps; compile with jit_compile=False on a CPU.
    Raises:   ValueError if units < 1 or the kernel size is even.

    >>> tuple(ConvElman(8)(keras.ops.ones((2, 5, 6, 4, 3))).shape)
    (2, 6, 4, 8)
    """

    cell_class = ConvElmanCell
