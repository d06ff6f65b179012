"""The GRU with decay, for irregularly sampled records in which most values are missing."""

from typing import Any

import keras
from keras import ops

from shared.layers import bptt, linear_scan, time_major
from shared.layers.cells import StepCell, StepRNN, affine


def _enter(slices: list, states: list, vectors: list) -> Any:
    """Returns the decayed state."""
    del vectors
    return slices[1] * states[0]


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    x_z, x_r, x_g = ops.split(slices[0], 3, axis=-1)
    h_z, h_r, h_g = ops.split(mixed + vectors[0], 3, axis=-1)
    z = ops.sigmoid(x_z + h_z)
    decayed = slices[1] * states[0]
    return [z * decayed + (1 - z) * ops.tanh(x_g + ops.sigmoid(x_r + h_r) * h_g)]


@keras.saving.register_keras_serializable(package="gallery")
class GRUDCell(StepCell):
    """One step of `GRUD`; its docstring has the equations, arguments and weights."""

    STEP = bptt.Step(_advance, enter=_enter, zoned=(True, False))

    def build(self, input_shape: tuple) -> None:
        """Creates the weights of the decays and of a GRU over [imputed values, observed]."""
        features, rest = divmod(input_shape[-1], 3)
        if rest or not features:
            raise ValueError(
                "Expected inputs of 3 * n features: n values, n flags (1 = observed), n time gaps. "
                f"Received: {input_shape[-1]} features"
            )
        self.state_size = [self.units, features]
        rate = keras.initializers.RandomUniform(0.0, 0.5)
        self.input_decay = self.add_weight(shape=(features,), name="input_decay", initializer=rate)
        self.input_decay_bias = self.add_bias("input_decay_bias", features)
        self.state_decay = self.add_kernel("state_decay", features, self.units)
        self.state_decay_bias = self.add_bias("state_decay_bias", self.units)
        self.kernel = self.add_kernel("kernel", 2 * features, 3 * self.units)
        self.recurrent_kernel = self.add_recurrent("recurrent_kernel", self.units, 3 * self.units)
        self.bias = self.add_bias("bias", 3 * self.units)
        self.recurrent_bias = self.add_bias("recurrent_bias", 3 * self.units)

    def call(self, inputs: Any, states: list, training: bool = False) -> tuple[Any, list]:
        """Computes one step: inputs (batch, 3 n), [h, last observed] -> output (batch, units), [h, last observed]."""
        del training
        inputs = ops.cast(inputs, self.compute_dtype)
        kernel, vectors = self.cast_weights(inputs.dtype)
        values, observed, _ = ops.split(inputs, 3, axis=-1)
        (h,) = bptt.one(self.STEP, self.imputed(inputs, states[1]), [states[0]], kernel, vectors)
        return h, [h, observed * values + (1 - observed) * states[1]]

    def imputed(self, inputs: Any, last: Any) -> list:
        """Imputes and projects inputs (..., 3 n), given the last values observed before them (..., n) -> projection
        (..., 3 units), decay of the state (..., units)."""
        values, observed, gaps = ops.split(inputs, 3, axis=-1)
        dtype = inputs.dtype
        bias = 0 if self.input_decay_bias is None else ops.cast(self.input_decay_bias, dtype)
        fade = ops.exp(-ops.relu(ops.cast(self.input_decay, dtype) * gaps + bias))
        x = observed * values + (1 - observed) * fade * last
        decay = ops.exp(-ops.relu(affine(gaps, self.state_decay, self.state_decay_bias)))
        return [affine(ops.concatenate([x, observed], axis=-1), self.kernel, self.bias), decay]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        bias = ops.zeros((3 * self.units,)) if self.recurrent_bias is None else self.recurrent_bias
        return self.recurrent_kernel, [bias]


@keras.saving.register_keras_serializable(package="gallery")
class GRUD(StepRNN):
    """GRU with decay: a missing value decays from the last observation to the mean, and the state decays too.

    Che et al. (2018), "Recurrent neural networks for multivariate time series with missing values",
    arXiv:1606.01865, equations 10 to 14. x_t values, m_t 1 where observed, d_t time since the last observation.

        k_t = exp(-max(0, w_k * d_t + b_k))                       (decay of the input)
        y_t = m_t * x_t + (1 - m_t) * k_t * l_{t-1}
        l_t = m_t * x_t + (1 - m_t) * l_{t-1}                     (last observed values)
        e_t = exp(-max(0, W_e d_t + b_e))                         (decay of the state)
        p_t = e_t * h_{t-1}
        z_t = sigmoid(W_z [y_t, m_t] + b_z + U_z p_t + a_z)
        r_t = sigmoid(W_r [y_t, m_t] + b_r + U_r p_t + a_r)
        g_t = tanh(W_g [y_t, m_t] + b_g + r_t * (U_g p_t + a_g))
        h_t = z_t * p_t + (1 - z_t) * g_t

    Differences from the paper: the mean that values decay to is 0, so standardise them; r_t is applied after the
    product with U_g and z_t keeps the state, both as in `GRU`.

    Args:
        units: positive int, width of h and of the output.
        use_bias, kernel_initializer, recurrent_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.GRU`.
        zoneout (of h), recurrent_weight_dropout, recompute: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, 3 n): n standardised values, n flags, n time gaps; mask (batch, time) bool;
              initial_state [h0 (batch, units), l0 (batch, n)].
    Returns:  (batch, units), or (batch, time, units); then h and l if return_state.
    State:    [h (batch, units), l (batch, n)], zeros at the start; state[0] is the output.
    Weights:  input_decay, input_decay_bias (n); state_decay (n, units), state_decay_bias (units); kernel (2 n,
              3 units), recurrent_kernel (units, 3 units), bias b and recurrent_bias a (3 units), gates z r g.
    Masking:  a masked step keeps the state. Cost: O(time) steps.
    Raises:   ValueError if units < 1 or the number of features is not a multiple of 3.

    >>> tuple(GRUD(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = GRUDCell

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Builds the cell first, since the width of the second state depends on the inputs."""
        self.cell.build((sequences_shape[0], *sequences_shape[2:]))
        self.cell.built = True
        self.state_size = list(self.cell.state_size)
        super().build(sequences_shape, initial_state_shape)

    def over_time(self, x: Any, mask: Any, states: list, training: bool) -> list:
        """See `Scanned`; the last observed values depend only on the inputs and are computed before the loop."""
        values, observed, _ = ops.split(x, 3, axis=-1)
        keep, add = 1 - observed, observed * values
        if mask is not None:
            keep, add = ops.where(mask, keep, 1), ops.where(mask, add, 0)
        last = linear_scan.linear_scan(keep, add, states[1])
        kernel, vectors = self.cell.cast_weights(x.dtype)
        sequences = self.cell.imputed(x, time_major.before(states[1], last))
        kernel, zones = self.dropped(kernel, training), self.zones(x, training)
        outputs, h = bptt.scan(self.cell.STEP, sequences, states[:1], kernel, vectors, mask, zones, self.recompute)
        return [outputs, h, last[-1]]
