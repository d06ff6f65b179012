"""A stack of recurrent layers with residual connections, pre-normalisation and dropout."""

from typing import Any

import keras
from keras import ops

from shared.layers import recurrent
from shared.layers.scanned import check_positive


@keras.saving.register_keras_serializable(package="gallery")
class Stack(keras.layers.Layer):
    """A stack of recurrent layers: (batch, time, features) -> (batch, time, units).

    For each layer n, with y_0 the inputs:

        z_n = norm(y_{n-1})                    pre_norm, else y_{n-1}
        z_n = dropped(recurrent_n(z_n))        locked_dropout: one mask for the whole sequence (Gal and Ghahramani 2016)
        y_n = y_{n-1} + z_n                    residual, where the widths are equal; else z_n

    and with `pre_norm`, a final norm after the last layer (Xiong et al. 2020, arXiv:2002.04745).

    Args:
        arch: a key of `ARCHITECTURES`. units: width of each layer. layers: number of layers.
        residual, pre_norm: as above. Defaults False.
        dropout: fraction of features dropped after each layer. Default 0.
        locked_dropout: drop the same features at every time step, as above; else others at each step. Default True.
        bidirectional: make each layer bidirectional, with outputs twice as wide.
        stateful: carry the states from batch to batch; the batch size must be fixed.
        options: further arguments of each layer, such as {"zoneout": 0.1}.
        **kwargs: name, dtype, trainable.

    Call:     inputs (batch, time, features); mask (batch, time) bool.
    Returns:  (batch, time, units), or (batch, time, 2 units) if bidirectional.
    Raises:   ValueError if units or layers < 1, or if `step` is called on a bidirectional stack.

    >>> tuple(Stack("gru", 8, layers=2, residual=True)(keras.ops.ones((2, 5, 3))).shape)
    (2, 5, 8)
    """

    def __init__(
        self,
        arch: str,
        units: int,
        layers: int = 1,
        residual: bool = False,
        pre_norm: bool = False,
        dropout: float = 0.0,
        locked_dropout: bool = True,
        bidirectional: bool = False,
        stateful: bool = False,
        options: dict | None = None,
        **kwargs: Any,
    ) -> None:
        check_positive(layers=layers)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.arch, self.units, self.layers, self.residual = arch, units, layers, residual
        self.pre_norm, self.dropout, self.locked_dropout = pre_norm, dropout, locked_dropout
        self.bidirectional, self.stateful, self.options = bidirectional, stateful, dict(options or {})
        policy = self.dtype_policy
        self.recurrent_layers = []
        for number in range(layers):
            layer = recurrent(
                arch,
                units,
                return_sequences=True,
                stateful=stateful,
                dtype=policy,
                name=f"recurrent_{number}",
                **self.options,
            )
            both = keras.layers.Bidirectional(layer, dtype=policy, name=f"both_{number}") if bidirectional else layer
            self.recurrent_layers.append(both)
        norms = layers + 1 if pre_norm else 0
        self.norms = [keras.layers.LayerNormalization(dtype=policy, name=f"norm_{n}") for n in range(norms)]
        shape = (None, 1, None) if locked_dropout else None
        self.drops = [keras.layers.Dropout(dropout, noise_shape=shape, dtype=policy) for _ in range(layers)]

    def build(self, input_shape: tuple) -> None:
        """Builds the layers, first to last."""
        shape = tuple(input_shape)
        for number, layer in enumerate(self.recurrent_layers):
            if self.norms:
                self.norms[number].build(shape)
            layer.build(shape)
            shape = (*shape[:2], self._width())
        if self.norms:
            self.norms[-1].build(shape)

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """See the class docstring."""
        y = ops.cast(inputs, self.compute_dtype)
        for number, layer in enumerate(self.recurrent_layers):
            z = layer(self._normed(number, y), mask=mask, training=training)
            y = self._joined(y, self.drops[number](z, training=training))
        return self._normed(-1, y)

    def step(self, x: Any, states: list) -> tuple[Any, list]:
        """Computes one step for streaming: x (batch, features), states -> output (batch, units), states."""
        if len(states) != len(self.state_size):
            raise ValueError(f"Expected {len(self.state_size)} states, those of all layers. Received: {len(states)}")
        y, after, states = ops.cast(x, self.compute_dtype), [], list(states)
        for number, layer in enumerate(self._one_way()):
            before, states = states[: len(layer.state_size)], states[len(layer.state_size) :]
            z, new = layer.step(self._normed(number, y), before)
            y = self._joined(y, z)
            after += new
        return self._normed(-1, y), after

    def get_initial_state(self, batch_size: int) -> list:
        """Returns the initial states of all layers."""
        return [state for layer in self._one_way() for state in layer.get_initial_state(batch_size)]

    @property
    def state_size(self) -> list:
        """Widths of the states of all layers."""
        return [size for layer in self._one_way() for size in layer.state_size]

    def reset_state(self) -> None:
        """Resets the states that a stateful stack carries from batch to batch."""
        for layer in self.recurrent_layers:
            layer.reset_state()

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Returns (batch, time, width)."""
        return (*input_shape[:2], self._width())

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the mask unchanged."""
        return mask

    def get_config(self) -> dict:
        """Returns the arguments that recreate the stack."""
        names = ["arch", "units", "layers", "residual", "pre_norm", "dropout", "locked_dropout", "bidirectional"]
        names += ["stateful", "options"]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _one_way(self) -> list:
        if self.bidirectional:
            raise ValueError("Expected a unidirectional stack to go step by step. Received: bidirectional=True")
        return self.recurrent_layers

    def _width(self) -> int:
        return self.units * (2 if self.bidirectional else 1)

    def _normed(self, number: int, y: Any) -> Any:
        return self.norms[number](y) if self.norms else y

    def _joined(self, y: Any, z: Any) -> Any:
        return ops.cast(y, z.dtype) + z if self.residual and y.shape[-1] == z.shape[-1] else z
