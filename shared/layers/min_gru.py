"""The minimal gated recurrent unit: a linear recurrence, scanned step by step or all steps at once."""

from typing import Any

import keras
from keras import ops

from shared.layers import linear_scan
from shared.layers.scanned import Scanned


@keras.saving.register_keras_serializable(package="gallery")
class MinGRUCell(keras.layers.Layer):
    """One step of `MinGRU`; its docstring has the equations, arguments and weights."""

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        if isinstance(units, bool) or not isinstance(units, int) or units < 1:
            raise ValueError(f"`units` must be a positive integer. Received: units={units}")
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: tuple) -> None:
        """Creates kernel (features, 2 units) and bias (2 units), gates z g."""
        shape = (input_shape[-1], 2 * self.units)
        self.kernel = self.add_weight(shape=shape, name="kernel", initializer=self.kernel_initializer)
        if self.use_bias:
            self.bias = self.add_weight(shape=shape[1:], name="bias", initializer=self.bias_initializer)

    def call(self, inputs: Any, states: list, training: bool = False) -> tuple[Any, list]:
        """Inputs (batch, features), [h (batch, units)] -> output (batch, units), [h]."""
        del training
        z, g = self.gates(inputs)
        h = (1 - z) * states[0] + z * g
        return h, [h]

    def gates(self, inputs: Any) -> tuple[Any, Any]:
        """(..., features) -> z and g (..., units), for one step or all of them."""
        both = ops.matmul(inputs, self.kernel)
        if self.use_bias:
            both = both + self.bias
        z, g = ops.split(both, 2, axis=-1)
        return ops.sigmoid(z), g

    def get_config(self) -> dict:
        """The arguments that make an equal cell."""
        config = {
            "units": self.units,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="gallery")
class MinGRU(Scanned, keras.layers.RNN):
    """Minimal gated recurrent unit: gates see the input alone, so long sequences train several times faster.

    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201, section 3.1.

        z_t = sigmoid(W_z x_t + b_z)
        g_t = W_g x_t + b_g
        h_t = (1 - z_t) * h_{t-1} + z_t * g_t

    Differences from the paper: none; its log-space form (appendix B) is not needed, as nothing here divides.

    Args:
        units: positive int, width of h and of the output.
        use_bias: whether b is there. Default True.
        kernel_initializer, bias_initializer: Keras initialisers. Defaults "glorot_uniform", "zeros".
        form: "auto" (default), "sequential" or "parallel": how the recurrence is computed, see `linear_scan`.
            "parallel" needs a time axis of known length.
        **kwargs: all of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0 (batch, units)].
    Returns:  (batch, units), or (batch, time, units); then h if return_state.
    State:    [h (batch, units)], zeros at the start; state[0] is the output.
    Weights:  kernel (features, 2 units), bias (2 units), gates z g.
    Masking:  a masked step keeps the state. Cost: O(time) steps | O(log time) depth in the parallel form.
    Raises:   ValueError if units < 1 or `form` is unknown.

    >>> tuple(MinGRU(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        form: str = "auto",
        **kwargs: Any,
    ) -> None:
        if form not in linear_scan.FORMS:
            raise ValueError(f"`form` must be one of {', '.join(linear_scan.FORMS)}. Received: form={form}")
        cell_keys = {key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs}
        cell = MinGRUCell(units, use_bias, kernel_initializer, bias_initializer, name="cell", **cell_keys)
        super().__init__(cell, **kwargs)
        self.form = form

    @property
    def units(self) -> int:
        """Width of the state and of the output."""
        return self.cell.units

    def loop_weights(self, dtype: Any) -> list:
        """None: the cell's gates need no state, so they are projected before the loop."""
        return []

    def recurrence(self) -> Any:
        """See `Scanned`."""
        return self._recurrence

    def _recurrence(self, x: Any, mask: Any, h0: Any) -> list:
        z, g = self.cell.gates(x)
        keep, add = 1 - z, z * g
        if mask is not None:
            keep, add = ops.where(mask, keep, 1), ops.where(mask, add, 0)
        h = linear_scan.linear_scan(keep, add, h0, self.form)
        return [h, h[-1]]

    def get_config(self) -> dict:
        """The arguments that make an equal layer."""
        config = super().get_config()
        del config["cell"]
        cell = self.cell.get_config()
        own = {key: cell[key] for key in ("units", "use_bias", "kernel_initializer", "bias_initializer")}
        return {**config, **own, "form": self.form}

    @classmethod
    def from_config(cls, config: dict) -> "MinGRU":
        """The layer that `get_config` described."""
        return cls(**config)
