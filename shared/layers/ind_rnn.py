"""The independently recurrent network: each unit has a recurrent connection only to itself."""

from typing import Any

import keras
from keras import ops

from shared.layers import bptt
from shared.layers.cells import StepCell, StepRNN, affine


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    del mixed
    return [ops.relu(slices[0] + vectors[0] * states[0])]


@keras.saving.register_keras_serializable(package="gallery")
class Bounded(keras.constraints.Constraint):
    """Constrains weights to [-bound, bound]."""

    def __init__(self, bound: float) -> None:
        self.bound = bound

    def __call__(self, w: Any) -> Any:
        return ops.clip(w, -self.bound, self.bound)

    def get_config(self) -> dict:
        """Returns the argument that recreates the constraint."""
        return {"bound": self.bound}


@keras.saving.register_keras_serializable(package="gallery")
class IndRNNCell(StepCell):
    """One step of `IndRNN`; its docstring has the equations, arguments and weights."""

    STEP = bptt.Step(_advance, mix=None)
    OPTIONS: tuple[str, ...] = (*StepCell.OPTIONS, "recurrent_bound")

    def __init__(
        self, units: int, recurrent_bound: float = 1.0, recurrent_initializer: Any = None, **kwargs: Any
    ) -> None:
        if not recurrent_bound > 0:
            raise ValueError(f"`recurrent_bound` must be above 0. Received: recurrent_bound={recurrent_bound}")
        initializer = recurrent_initializer or keras.initializers.RandomUniform(0.0, recurrent_bound)
        super().__init__(units, recurrent_initializer=initializer, **kwargs)
        if self.recurrent_constraint is not None:
            raise ValueError(
                "`recurrent_bound` is the constraint of the recurrent weights of IndRNN. "
                f"Received: recurrent_constraint={self.recurrent_constraint}"
            )
        self.recurrent_bound = recurrent_bound

    def build(self, input_shape: tuple) -> None:
        """Creates kernel (features, units), recurrent_vector (units) and bias (units)."""
        self.kernel = self.add_kernel("kernel", input_shape[-1], self.units)
        self.recurrent_vector = self.add_weight(
            shape=(self.units,),
            name="recurrent_vector",
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=Bounded(self.recurrent_bound),
        )
        self.bias = self.add_bias("bias", self.units)

    def project(self, inputs: Any) -> list:
        """See `StepCell`."""
        return [affine(inputs, self.kernel, self.bias)]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        return None, [self.recurrent_vector]


@keras.saving.register_keras_serializable(package="gallery")
class IndRNN(StepRNN):
    """Independently recurrent network: no matrix product with the state, so it is fast and can be stacked deep.

    Li et al. (2018), "Independently recurrent neural network (IndRNN)", arXiv:1803.04831, equation 2.

        h_t = relu(W x_t + u * h_{t-1} + b)

    Differences from the paper: none. For T steps it recommends |u| <= 2 ** (1 / T); the default bound of 1 suits any T.

    Args:
        units: positive int, width of h and of the output.
        recurrent_bound: positive float, maximum of |u|. Default 1.
        recurrent_initializer: initialiser of u. Default: uniform in [0, recurrent_bound].
        use_bias, kernel_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.LSTM`.
        zoneout, recompute: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0 (batch, units)].
    Returns:  (batch, units), or (batch, time, units); then h if return_state.
    State:    [h (batch, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (features, units), recurrent_vector (units), bias (units).
    Masking:  a masked step keeps the state. Cost: O(time) steps without a matrix product.
    Raises:   ValueError if units < 1 or recurrent_bound <= 0.

    >>> tuple(IndRNN(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = IndRNNCell
    SCAN_OPTIONS: tuple[str, ...] = ("zoneout", "recompute")
