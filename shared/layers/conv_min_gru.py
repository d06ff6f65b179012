"""Convolutional minimal gated recurrent unit: a linear recurrence at each pixel."""

from typing import Any

import keras
from keras import ops

from shared.layers.cells import LinearCell, LinearRNN
from shared.layers.conv import ConvCell, ConvRNN, convolved


@keras.saving.register_keras_serializable(package="gallery")
class ConvMinGRUCell(ConvCell, LinearCell):
    """One step of `ConvMinGRU`; its docstring has the equations, arguments and weights."""

    def build(self, input_shape: tuple) -> None:
        """Creates kernel and bias, gates z g."""
        self.kernel = self.add_kernel("kernel", *self.kernel_size, input_shape[-1], 2 * self.units)
        self.bias = self.add_bias("bias", 2 * self.units)

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        """Returns 1 - z and z * g."""
        z, g = ops.split(convolved(inputs, self.kernel, self.bias), 2, axis=-1)
        z = ops.sigmoid(z)
        return 1 - z, z * g


@keras.saving.register_keras_serializable(package="gallery")
class ConvMinGRU(ConvRNN, LinearRNN):
    """Convolutional minimal GRU: no convolution inside the loop, so it trains fastest; stack it to follow motion.

    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201, section 3.1, with the convolutions of Shi et al.
    (2015), arXiv:1506.04214. * is a convolution with "same" zero padding.

        z_t = sigmoid(W_z * x_t + b_z)
        g_t = W_g * x_t + b_g
        h_t = (1 - z_t) h_{t-1} + z_t g_t                                   (element by element)

    Differences from the papers: convolutions in place of the first one's matrix products. A pixel of the state depends
    only on its own past: motion beyond the reach of the kernel is followed by the layers above, not within this one.

    Args:
        units: positive int, channels of h and of the output.
        kernel_size: odd positive int, or a pair of them for rows and columns. Default 3.
        use_bias, kernel_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.ConvLSTM2D`.
        form: "auto" (default), "sequential" or "parallel": how the recurrence is computed, see `linear_scan`.
        zoneout: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, rows, columns, channels); mask (batch, time) bool; initial_state [h0 (batch, rows,
              columns, units)].
    Returns:  (batch, rows, columns, units), or (batch, time, rows, columns, units); then h if return_state.
    State:    [h (batch, rows, columns, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (*kernel_size, channels, 2 units), bias (2 units), gates z g.
    Masking:  a masked step keeps the state. Cost: O(time) steps | O(log time) depth in the parallel form; compile with
              jit_compile=False on a CPU.
    Raises:   ValueError if units < 1, the kernel size is even or `form` is unknown.

    >>> tuple(ConvMinGRU(8)(keras.ops.ones((2, 5, 6, 4, 3))).shape)
    (2, 6, 4, 8)
    """

    cell_class = ConvMinGRUCell
