"""The real-gated linear recurrent unit of Griffin: a learned decay that is gated by the input."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers.cells import LinearCell, LinearRNN, affine

SHARPNESS = 8.0  # the paper's c
INITIAL_DECAY = (0.9, 0.999)  # range of sigmoid(L) ** c, as in the paper


def _initial(shape: tuple, dtype: Any = None) -> Any:
    """Initialises L such that sigmoid(L) ** c is spaced evenly over `INITIAL_DECAY`."""
    decay = np.linspace(*INITIAL_DECAY, math.prod(shape)) ** (1 / SHARPNESS)
    return ops.convert_to_tensor(np.log(decay / (1 - decay)).reshape(shape), dtype)


@keras.saving.register_keras_serializable(package="gallery")
class RGLRUCell(LinearCell):
    """One step of `RGLRU`; its docstring has the equations, arguments and weights."""

    def build(self, input_shape: tuple) -> None:
        """Creates kernel and bias of the input projection, those of the gates r i, and the decay."""
        self.kernel = self.add_kernel("kernel", input_shape[-1], self.units)
        self.bias = self.add_bias("bias", self.units)
        self.gate_kernel = self.add_kernel("gate_kernel", self.units, 2 * self.units)
        self.gate_bias = self.add_bias("gate_bias", 2 * self.units)
        self.decay = self.add_weight(shape=(self.units,), name="decay", initializer=_initial)

    def coefficients(self, inputs: Any) -> tuple[Any, Any]:
        """Returns a_t and sqrt(1 - a_t ** 2) * i_t * u_t."""
        u = affine(inputs, self.kernel, self.bias)
        r, i = ops.split(ops.sigmoid(affine(u, self.gate_kernel, self.gate_bias)), 2, axis=-1)
        # In at least float32: 1 - a ** 2 is tiny, and the slope of its square root diverges at 0.
        wide = keras.backend.result_type(inputs.dtype, "float32")
        log_a = -SHARPNESS * ops.cast(r, wide) * ops.softplus(-ops.cast(self.decay, wide))
        a = ops.exp(log_a)
        scale = ops.sqrt(ops.maximum(-ops.expm1(2 * log_a), 1e-6))
        return ops.cast(a, inputs.dtype), ops.cast(scale, inputs.dtype) * i * u


@keras.saving.register_keras_serializable(package="gallery")
class RGLRU(LinearRNN):
    """Real-gated linear recurrent unit: long, learned decays that the input can stop, and a bounded state.

    De et al. (2024), "Griffin: mixing gated linear recurrences with local attention for efficient language models",
    arXiv:2402.19427, equations 1 to 4 and 6.

        u_t = W x_t + b                                     (the paper's input, of the width of the state)
        r_t = sigmoid(W_r u_t + b_r)
        i_t = sigmoid(W_i u_t + b_i)
        a_t = sigmoid(L) ** (8 r_t)
        h_t = a_t * h_{t-1} + sqrt(1 - a_t ** 2) * i_t * u_t

    Differences from the paper: W projects the input to the width of the state, where the paper has a block with a
    convolution around the layer; W_r and W_i are full, not block-diagonal; 1 - a ** 2 is clipped to at least 1e-6.

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
    Weights:  kernel (features, units), bias (units); gate_kernel (units, 2 units), gate_bias (2 units), gates r i;
              decay (units), the L above.
    Masking:  a masked step keeps the state. Cost: O(time) steps | O(log time) depth in the parallel form.
    Raises:   ValueError if units < 1 or `form` is unknown.

    >>> tuple(RGLRU(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = RGLRUCell
