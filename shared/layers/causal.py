"""Makes layers without recurrence drop-in replacements for recurrent ones: past inputs as states, any mask."""

from typing import Any

import keras
from keras import ops

from shared.layers.scanned import Scanned, check_positive, refuse_unknown


class CausalCell(keras.layers.Layer):
    """A cell defined over a whole sequence and its past; a single step is a sequence of length one.

    A subclass lists its `arguments`, calls `keep` with the past that it needs, and implements `sequence`.
    """

    arguments: tuple[str, ...] = ()

    def __init__(self, units: int, **kwargs: Any) -> None:
        check_positive(units=units)
        super().__init__(**kwargs)
        self.units = self.output_size = units
        self.keep([])

    def keep(self, pasts: list[tuple[int, int]]) -> None:
        """Defines the states: the output, then a flattened history of the last `steps` for each (steps, width)."""
        self.pasts = pasts
        self.state_size = [self.units, *[steps * width for steps, width in pasts]]

    def sequence(self, x: Any, pasts: list, training: bool = False) -> tuple[Any, list]:
        """Computes x (batch, time, features), pasts [(batch, steps, width)] ->
        outputs (batch, time, units), [past and present (batch, steps + time, width)]."""
        raise NotImplementedError

    def call(self, inputs: Any, states: list, training: bool = False) -> tuple[Any, list]:
        """Computes one step: inputs (batch, features), [last output, *pasts] -> output (batch, units), states."""
        inputs = ops.cast(inputs, self.compute_dtype)
        outputs, histories = self.sequence(inputs[:, None], self.unflatten(states), training)
        return outputs[:, 0], [outputs[:, 0], *self.flatten([history[:, 1:] for history in histories])]

    def unflatten(self, states: list) -> list:
        """Returns the pasts: [last output, *pasts (batch, steps * width)] -> [pasts (batch, steps, width)]."""
        # The batch size cannot be -1: with a kernel or context of one step the past is empty, and so is its state.
        return [
            ops.reshape(state, (ops.shape(state)[0], *shape))
            for state, shape in zip(states[1:], self.pasts, strict=True)
        ]

    def flatten(self, pasts: list) -> list:
        """Flattens the pasts: [(batch, steps, width)] -> [(batch, steps * width)]."""
        return [
            ops.reshape(past, (ops.shape(past)[0], steps * width))
            for past, (steps, width) in zip(pasts, self.pasts, strict=True)
        ]

    def get_config(self) -> dict:
        """Returns the arguments that recreate the cell."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self.arguments}}


class Causal(Scanned):
    """Mixin for a `keras.layers.RNN` whose cell is a `CausalCell`: computes all time steps at once."""

    @property
    def units(self) -> int:
        """Width of the output."""
        return self.cell.units

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Builds the cell first, since the widths of its states may depend on the inputs."""
        if not self.cell.built:
            self.cell.build((sequences_shape[0], sequences_shape[-1]))
        self.state_size = list(self.cell.state_size)
        super().build(sequences_shape, initial_state_shape)  # type: ignore

    def inner_loop(self, sequences: Any, initial_state: list, mask: Any, training: bool = False) -> tuple:
        """See `Scanned`. With a mask, the real steps are moved to the front and computed as if there were no others;
        each output is then repeated until the next real step."""
        x, real = sequences, None
        if mask is not None:
            real = ops.cast(mask, "bool")
        if self.go_backwards:
            x = ops.flip(x, axis=1)
            real = None if real is None else ops.flip(real, axis=1)
        pasts = self.cell.unflatten(initial_state)
        if real is None:
            outputs, histories = self.cell.sequence(x, pasts, training)
            pasts = [history[:, ops.shape(x)[1] :] for history in histories]
        else:
            outputs, histories = self.cell.sequence(_take(x, _real_first(real)), pasts, training)
            count = ops.cumsum(ops.cast(real, "int32"), axis=1)  # (batch, time), real steps up to here
            outputs = _take(ops.concatenate([initial_state[0][:, None], outputs], axis=1), count)
            pasts = [
                _take(history, count[:, -1:] + ops.arange(steps, dtype="int32"))
                for history, (steps, _) in zip(histories, self.cell.pasts, strict=True)
            ]
        states = [outputs[:, -1], *self.cell.flatten(pasts)]
        last = states[0]
        if self.zero_output_for_mask and real is not None:
            outputs = outputs * ops.cast(real[..., None], outputs.dtype)
            last = outputs[:, -1]
        return last, outputs, states

    def get_config(self) -> dict:
        """Returns the arguments that recreate the layer."""
        config = super().get_config()  # type: ignore
        del config["cell"]
        cell = self.cell.get_config()
        return {**config, **{name: cell[name] for name in self.cell.arguments}}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        """Creates the layer from the output of `get_config`."""
        return cls(**config)


def cell_options(cell: type[CausalCell], kwargs: dict) -> dict:
    """Returns the keyword arguments that a cell shares with its layer; ValueError for options of Keras's LSTM only."""
    refuse_unknown(cell.__name__.removesuffix("Cell"), kwargs, cell.arguments)
    return {key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs}


def _real_first(real: Any) -> Any:
    """Returns the stable order (batch, time) that puts real steps first; real (batch, time) bool."""
    time = ops.shape(real)[1]
    t = ops.arange(time, dtype="int32")
    # All keys are distinct, so the sort need not be stable.
    return ops.argsort(ops.where(real, t, t + time), axis=1)


def _take(x: Any, index: Any) -> Any:
    """Returns the steps (batch, k, n) of x (batch, time, n) at index (batch, k)."""
    # Takes whole rows of a flat table: `take_along_axis` would need an index for every element.
    batch, time, width = ops.shape(x)
    start = ops.expand_dims(ops.arange(batch, dtype="int32") * time, 1)
    return ops.take(ops.reshape(x, (batch * time, width)), ops.cast(index, "int32") + start, axis=0)
