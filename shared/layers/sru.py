"""The simple recurrent unit: gates that see only their own unit's state, and a highway connection."""

import math
from typing import Any

import keras
from keras import ops

from shared.layers import bptt
from shared.layers.cells import StepCell, StepRNN, affine

ALPHA = math.sqrt(3)  # sqrt(1 + 2 exp(b_r)) at the initial b_r = 0: preserves the variance from layer to layer


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    del mixed
    g, f, r = ops.split(slices[0], 3, axis=-1)
    v_f, v_r = ops.split(vectors[0], 2, axis=-1)
    c = states[1]
    f, r = ops.sigmoid(f + v_f * c), ops.sigmoid(r + v_r * c)
    c_new = f * c + (1 - f) * g
    return [r * c_new + (1 - r) * slices[1] * ALPHA, c_new]


@keras.saving.register_keras_serializable(package="gallery")
class SRUCell(StepCell):
    """One step of `SRU`; its docstring has the equations, arguments and weights."""

    STEP = bptt.Step(_advance, mix=None)

    def __init__(self, units: int, recurrent_initializer: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(units, recurrent_initializer=recurrent_initializer, **kwargs)
        self.state_size = [units, units]

    def build(self, input_shape: tuple) -> None:
        """Creates kernel (features, 3 or 4 units), recurrent_vector (2 units) and bias (2 units), gates f r."""
        self.highway = input_shape[-1] == self.units
        self.kernel = self.add_kernel("kernel", input_shape[-1], (3 if self.highway else 4) * self.units)
        self.recurrent_vector = self.add_recurrent("recurrent_vector", 2 * self.units)
        self.bias = self.add_bias("bias", 2 * self.units)

    def project(self, inputs: Any) -> list:
        """See `StepCell`."""
        both = affine(inputs, self.kernel, None)
        gates, past = both[..., : 3 * self.units], both[..., 3 * self.units :]
        if self.bias is not None:
            bias = ops.cast(self.bias, inputs.dtype)
            gates = gates + ops.concatenate([ops.zeros_like(bias[: self.units]), bias])
        return [gates, inputs if self.highway else past]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        return None, [self.recurrent_vector]


@keras.saving.register_keras_serializable(package="gallery")
class SRU(StepRNN):
    """Simple recurrent unit: no matrix product with the state, and a highway that makes deep stacks easy to train.

    Lei et al. (2018), "Simple recurrent units for highly parallelizable recurrence", arXiv:1709.02755, equations 1
    to 4, and 5 for alpha.

        f_t = sigmoid(W_f x_t + v_f * c_{t-1} + b_f)
        c_t = f_t * c_{t-1} + (1 - f_t) * W_g x_t
        r_t = sigmoid(W_r x_t + v_r * c_{t-1} + b_r)
        h_t = r_t * c_t + (1 - r_t) * x'_t * sqrt(3),  x'_t = x_t if features = units, else W_x x_t

    Differences from the paper: none.

    Args:
        units: positive int, width of h and of the output.
        recurrent_initializer: initialiser of v. Default "glorot_uniform".
        use_bias, kernel_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.LSTM`.
        zoneout, recompute: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0, c0 (batch, units)].
    Returns:  (batch, units), or (batch, time, units); then h and c if return_state.
    State:    [h (batch, units), c (batch, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (features, 3 units), g f r, or (features, 4 units), g f r x'; recurrent_vector (2 units) and
              bias (2 units), gates f r.
    Masking:  a masked step keeps the state. Cost: O(time) steps without a matrix product.
    Raises:   ValueError if units < 1.

    >>> tuple(SRU(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = SRUCell
    SCAN_OPTIONS: tuple[str, ...] = ("zoneout", "recompute")
