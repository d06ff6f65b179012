"""The minimal gated recurrent unit: a linear recurrence, computed by a sequential or a parallel scan."""

from typing import Any

import keras
from keras import ops

from shared.layers.cells import LinearCell, LinearRNN, affine


@keras.saving.register_keras_serializable(package="gallery")
class MinGRUCell(LinearCell):
    """One step of `MinGRU`; its docstring has the equations, arguments and weights."""

    def build(self, input_shape: tuple) -> None:
        """Creates kernel (features, 2 units) and bias (2 units), gates z g."""
        self.kernel = self.add_kernel("kernel", input_shape[-1], 2 * self.units)
        self.bias = self.add_bias("bias", 2 * self.units)

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        """Returns 1 - z and z * g."""
        z, g = ops.split(affine(inputs, self.kernel, self.bias), 2, axis=-1)
        z = ops.sigmoid(z)
        return 1 - z, z * g


@keras.saving.register_keras_serializable(package="gallery")
class MinGRU(LinearRNN):
    """Minimal gated recurrent unit: gates depend only on the input, so long sequences train several times faster.

    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201, section 3.1.

        z_t = sigmoid(W_z x_t + b_z)
        g_t = W_g x_t + b_g
        h_t = (1 - z_t) * h_{t-1} + z_t * g_t

    Differences from the paper: none; its log-space form (appendix B) is not needed, since the code does not divide.

    Args:
        units: positive int, width of h and of the output.
        use_bias, kernel_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.LSTM`.
        form: "auto" (default), "sequential" or "parallel": how the recurrence is computed, see `linear_scan`.
        zoneout: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0 (batch, units)].
    Returns:  (batch, units), or (batch, time, units); then h if return_state.
    State:    [h (batch, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (features, 2 units), bias (2 units), gates z g.
    Masking:  a masked step keeps the state. Cost: O(time) steps | O(log time) depth in the parallel form.
    Raises:   ValueError if units < 1 or `form` is unknown.

    >>> tuple(MinGRU(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = MinGRUCell
