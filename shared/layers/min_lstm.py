"""The minimal long short-term memory: a linear recurrence with a forget and an input gate that sum to one."""

from typing import Any

import keras
from keras import ops

from shared.layers.cells import LinearCell, LinearRNN, affine


@keras.saving.register_keras_serializable(package="gallery")
class MinLSTMCell(LinearCell):
    """One step of `MinLSTM`; its docstring has the equations, arguments and weights."""

    def build(self, input_shape: tuple) -> None:
        """Creates kernel (features, 3 units) and bias (3 units), gates i f g."""
        self.kernel = self.add_kernel("kernel", input_shape[-1], 3 * self.units)
        self.bias = self.add_bias("bias", 3 * self.units)

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        """Returns f' and i' * g."""
        i, f, g = ops.split(affine(inputs, self.kernel, self.bias), 3, axis=-1)
        # f / (f + i) with f = sigmoid(a), i = sigmoid(b) is sigmoid(log f - log i): no division of two small numbers.
        keep = ops.sigmoid(ops.log_sigmoid(f) - ops.log_sigmoid(i))
        return keep, (1 - keep) * g


@keras.saving.register_keras_serializable(package="gallery")
class MinLSTM(LinearRNN):
    """Minimal LSTM: two gates that depend only on the input, normalised so that the state is a weighted mean.

    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201, section 3.2.

        i_t = sigmoid(W_i x_t + b_i)
        f_t = sigmoid(W_f x_t + b_f)
        g_t = W_g x_t + b_g
        h_t = f_t / (f_t + i_t) * h_{t-1} + i_t / (f_t + i_t) * g_t

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
    Weights:  kernel (features, 3 units), bias (3 units), gates i f g.
    Masking:  a masked step keeps the state. Cost: O(time) steps | O(log time) depth in the parallel form.
    Raises:   ValueError if units < 1 or `form` is unknown.

    >>> tuple(MinLSTM(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = MinLSTMCell
