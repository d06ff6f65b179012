"""The temporal convolutional network: no recurrence, a stack of dilated causal convolutions."""

from typing import Any

import keras
from keras import ops

from shared.layers.causal import Causal, CausalCell, cell_options
from shared.layers.scanned import check_positive


@keras.saving.register_keras_serializable(package="gallery")
class TCNCell(CausalCell):
    """One step of `TCN`; its docstring has the equations, arguments and weights."""

    arguments = ("units", "kernel_size", "levels", "dropout", "use_bias")

    def __init__(
        self,
        units: int,
        kernel_size: int = 3,
        levels: int = 4,
        dropout: float = 0.0,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        check_positive(kernel_size=kernel_size, levels=levels)
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be at least 0 and below 1. Received: dropout={dropout}")
        super().__init__(units, **kwargs)
        self.kernel_size = kernel_size
        self.levels = levels
        self.dropout = dropout
        self.use_bias = use_bias
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: tuple) -> None:
        """Creates two kernels and biases per level, and the projection if features and units differ."""
        features = input_shape[-1]
        widths = [features] + [self.units] * (2 * self.levels - 1)  # of the inputs of each convolution
        self.keep([((self.kernel_size - 1) * _dilation(n), width) for n, width in enumerate(widths)])
        # A new initialiser for each kernel: reusing one would repeat the same values.
        self.kernels = [
            self.add_weight(
                shape=(self.kernel_size, width, self.units),
                name=f"kernel_{n}",
                initializer=keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform"),
            )
            for n, width in enumerate(widths)
        ]
        if self.use_bias:
            self.biases = [
                self.add_weight(shape=(self.units,), name=f"bias_{n}", initializer="zeros") for n in range(len(widths))
            ]
        self.projection = None
        if features != self.units:
            shape = (features, self.units)
            self.projection = self.add_weight(shape=shape, name="projection", initializer="glorot_uniform")

    def sequence(self, x: Any, pasts: list, training: bool = False) -> tuple[Any, list]:
        """See `CausalCell`; pasts are the last inputs of each convolution."""
        histories = []
        for level in range(self.levels):
            y = x
            for n in (2 * level, 2 * level + 1):
                histories.append(ops.concatenate([pasts[n], y], axis=1))
                y = ops.relu(self._convolve(n, histories[-1], ops.shape(x)[1]))
                if training and self.dropout:
                    y = keras.random.dropout(y, self.dropout, noise_shape=(None, 1, None), seed=self.seed_generator)
            if level == 0 and self.projection is not None:
                x = ops.matmul(x, self.projection)
            x = ops.relu(x + y)
        return x, histories

    def _convolve(self, n: int, history: Any, time: Any) -> Any:
        """Applies convolution n to past and present inputs (batch, steps + time, width) -> (batch, time, units)."""
        # One matrix product per tap instead of a convolution: the same for every dilation, dtype and backend, and for
        # one step or many.
        kernel = self.kernels[n]
        total = self.biases[n] if self.use_bias else 0
        for k in range(self.kernel_size):
            first = k * _dilation(n)
            total = total + ops.matmul(history[:, first : first + time], kernel[k])
        return total


def _dilation(n: int) -> int:
    """Returns the dilation of convolution n; there are two per level."""
    return 2 ** (n // 2)


@keras.saving.register_keras_serializable(package="gallery")
class TCN(Causal, keras.layers.RNN):
    """Temporal convolutional network: a fixed receptive field, computed for all steps at once; not recurrent.

    Bai, Kolter, Koltun (2018), "An empirical evaluation of generic convolutional and recurrent networks for
    sequence modeling", arXiv:1803.01271, section 3 and figure 1. With K = kernel_size, level l = 0 .. levels - 1:

        x0_t = x_t
        a_t  = D relu(sum over k of W_{2l}[k] xl_{t - (K-1-k) 2^l} + b_{2l})
        y_t  = D relu(sum over k of W_{2l+1}[k] a_{t - (K-1-k) 2^l} + b_{2l+1})
        x{l+1}_t = relu(y_t + xl_t), at level 0 relu(y_t + P x_t) if features and units differ
        h_t  = x{levels}_t

    h_t depends on the last 1 + 2 (K-1) (2^levels - 1) steps, 61 by default. D is dropout of whole channels, one mask
    for the whole sequence.

    Differences from the paper: no weight normalisation, so kernels are initialised smaller than usual, uniformly with
    variance 1 / (3 K width) instead of N(0, 0.01): a block starts near the identity, and activations hardly grow in a
    stack of them. P has no bias.

    Args:
        units: positive int, width of every level and of the output.
        kernel_size: positive int, taps of each convolution. Default 3.
        levels: positive int, number of residual blocks, each with twice the dilation of the last. Default 4.
        dropout: fraction of channels dropped after each convolution, in [0, 1). Default 0.
        use_bias: whether to add the biases b. Default True.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state: all of State.
    Returns:  (batch, units), or (batch, time, units); then each state if return_state.
    State:    [h (batch, units), then for each convolution n its last (K-1) 2^(n // 2) inputs, flattened
              (batch, steps * width)], zeros at the start; state[0] is the output. Widths are known once built.
    Weights:  kernel_n (K, width, units) and bias_n (units) for n = 0 .. 2 levels - 1, in the layout of
              `keras.layers.Conv1D`; projection P (features, units).
    Masking:  a masked step keeps the states, and later steps skip it. Cost: O(1) depth, O(time levels) work.
    Raises:   ValueError if units, kernel_size or levels < 1, or dropout is not in [0, 1).

    >>> tuple(TCN(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    def __init__(
        self,
        units: int,
        kernel_size: int = 3,
        levels: int = 4,
        dropout: float = 0.0,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        cell = TCNCell(units, kernel_size, levels, dropout, use_bias, name="cell", **cell_options(TCNCell, kwargs))
        super().__init__(cell, **kwargs)
