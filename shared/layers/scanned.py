"""What every scanned layer does around its scan: checks, time first, masks as columns, backwards, which output."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops, tree

from shared.layers import backend, bptt


class Scanned:
    """Mixed in before a `keras.layers.RNN`: its time loop becomes `over_time`, all other features stay Keras's.

    A subclass defines `over_time`, names in `SCAN_OPTIONS` which of the arguments below it knows, and defines
    `falls_back` where Keras's own loop must serve.

    Args:
        zoneout: share of units that keep their old value in a step, Krueger et al. (2017), arXiv:1606.01305. Drawn
            anew for each step and state in training; outside of it their mean.
        recurrent_weight_dropout: share of the recurrent kernel's weights dropped for a whole sequence, Merity et al.
            (2018), arXiv:1708.02182.
        recompute: 0, or a number of steps: states are stored once in so many, all else is computed again for the
            gradient; see `recompute.py`.
    """

    SCAN_OPTIONS: tuple[str, ...] = ()
    # What `keras.layers.RNN` gives.
    cell: Any
    state_size: list
    built: bool
    compute_dtype: Any
    go_backwards: bool
    zero_output_for_mask: bool
    unroll: bool

    def __init__(
        self,
        *args: Any,
        zoneout: float = 0.0,
        recurrent_weight_dropout: float = 0.0,
        recompute: int = 0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        rates = {"zoneout": zoneout, "recurrent_weight_dropout": recurrent_weight_dropout}
        for name, rate in rates.items():
            if not 0 <= rate < 1:
                raise ValueError(f"`{name}` must be at least 0 and below 1. Received: {name}={rate}")
        if isinstance(recompute, bool) or not isinstance(recompute, int) or recompute < 0:
            raise ValueError(f"`recompute` must be 0 or a number of steps. Received: recompute={recompute}")
        for name, value in {**rates, "recompute": recompute}.items():
            if value and name not in self.SCAN_OPTIONS:
                raise ValueError(f"`{name}` is not an option of {type(self).__name__}. Received: {name}={value}")
        super().__init__(*args, **self.keras_seed(seed), **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.zoneout, self.recurrent_weight_dropout, self.recompute = zoneout, recurrent_weight_dropout, recompute
        if any(rates.values()):
            self.scan_seed = keras.random.SeedGenerator(seed)

    @property
    def zoned(self) -> tuple[bool, ...]:
        """For each state whether zoneout may hold it."""
        return (True, True)

    def keras_seed(self, seed: int | None) -> dict:
        """The seed as an argument of the Keras class, if that takes one."""
        return {}

    def falls_back(self) -> bool:
        """Whether an option was chosen that only Keras's own, slower loop knows."""
        return False

    def time_first(self, sequences: Any) -> Any:
        """(batch, time, ...) -> (time, batch, ...), or what else `over_time` wants."""
        return ops.swapaxes(sequences, 0, 1)

    def batch_first(self, outputs: Any) -> Any:
        """The way back, for the outputs of `over_time`."""
        return ops.swapaxes(outputs, 0, 1)

    def over_time(self, x: Any, mask: Any, states: list, training: bool) -> list:
        """The loop: x (time, batch, features), mask None or (time, batch, 1) bool, states -> [outputs (time, batch,
        units), *last states]."""
        raise NotImplementedError

    def step(self, x: Any, states: list) -> tuple[Any, list]:
        """One step for streaming: x (batch, features), states [(batch, units)] -> output (batch, units), states."""
        if self.built:
            self._check_step(x, states)
        x, *states = (ops.cast(value, self.compute_dtype) for value in (x, *states))
        output, new = self.advance(x, states)
        if not self.zoneout:
            return output, list(new)
        zone = ops.cast(self.zoneout, output.dtype)
        new = bptt.held(self.zoned, states, list(new), [zone, zone])
        return new[0], new

    def advance(self, x: Any, states: list) -> tuple[Any, list]:
        """One step without zoneout."""
        return self.cell(x, states)

    def without_dropped(self, sequences: Any, training: bool) -> Any:
        """The sequences (batch, time, features) with some features dropped in training, one mask for all steps."""
        return sequences

    def zones(self, x: Any, training: bool) -> list:
        """The shares of the old states that a step keeps, for `bptt.scan`: [] without zoneout."""
        if not self.zoneout:
            return []
        if not training:
            mean = ops.zeros_like(x[..., :1]) + ops.cast(self.zoneout, x.dtype)
            return [mean, mean]
        shape = (*ops.shape(x)[:-1], self.state_size[0])
        draws = [keras.random.uniform(shape, seed=self.scan_seed) for _ in range(2)]
        return [ops.cast(draw < self.zoneout, x.dtype) for draw in draws]

    def dropped(self, kernel: Any, training: bool) -> Any:
        """The recurrent kernel with a share of its weights dropped in training."""
        if not (training and self.recurrent_weight_dropout):
            return kernel
        return keras.random.dropout(kernel, self.recurrent_weight_dropout, seed=self.scan_seed)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Builds the cell, and keeps to the width of the inputs."""
        super().build(sequences_shape, initial_state_shape)  # type: ignore
        self.input_spec = keras.layers.InputSpec(ndim=self.input_spec.ndim, axes={-1: sequences_shape[-1]})

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Checks what Keras does not, then calls `keras.layers.RNN`."""
        if sequences.shape[1] == 0:
            raise ValueError(f"Expected sequences of at least one step. Received: inputs of shape {sequences.shape}")
        sequences = ops.cast(sequences, self.compute_dtype)  # Keras itself casts those of floats only
        if initial_state is not None:
            self._check_states("an initial_state", tree.flatten(initial_state), sequences.shape)
        if mask is not None:
            mask = _checked_mask(tree.flatten(mask)[0], sequences)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)  # type: ignore

    def inner_loop(self, sequences: Any, initial_state: list, mask: Any, training: bool = False) -> tuple:
        """Keras's hook for the time loop: -> (last output, outputs, states).

        A masked step keeps the state and repeats it as output; before the first real step that is the initial state.
        """
        if self.falls_back():
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)  # type: ignore
        x = self.time_first(self.without_dropped(sequences, training))
        steps = None
        if mask is not None:
            steps = ops.swapaxes(ops.cast(mask, "bool"), 0, 1)
            steps = ops.reshape(steps, (*ops.shape(steps), *[1] * (len(x.shape) - 2)))
        if self.go_backwards:
            x = ops.flip(x, axis=0)
            steps = None if steps is None else ops.flip(steps, axis=0)
        outputs, *states = self.over_time(x, steps, list(initial_state), training)
        outputs, last = self.batch_first(outputs), states[0]
        if self.zero_output_for_mask and steps is not None:
            outputs = outputs * ops.swapaxes(ops.cast(steps, outputs.dtype), 0, 1)
            last = outputs[:, -1]
        return last, outputs, states

    def get_config(self) -> dict:
        """Returns the arguments that recreate the layer."""
        options = {name: getattr(self, name) for name in self.SCAN_OPTIONS}
        return {**super().get_config(), **options}  # type: ignore[misc]

    def state_shapes(self, sequences_shape: Any) -> list[tuple]:
        """Those of the states, for inputs of this shape; None where it is not known."""
        return [(sequences_shape[0], size) for size in self.state_size]

    def _check_states(self, name: str, states: list, sequences_shape: Any) -> None:
        expected, received = self.state_shapes(sequences_shape), [_shape(state) for state in states]
        if len(received) != len(expected) or not all(map(may_be_equal, received, expected)):
            axes = "(batch, rows, columns, units)" if len(sequences_shape) == 5 else "(batch, units)"
            raise ValueError(
                f"Expected {name} of {len(expected)} tensors {axes} of shapes {expected}. Received: {received}"
            )

    def _check_step(self, x: Any, states: Any) -> None:
        shape = _shape(x)
        if len(shape) != self.input_spec.ndim - 1 or not may_be_equal(shape[-1:], (self.input_spec.axes[-1],)):
            axes = "(batch, rows, columns, channels)" if self.input_spec.ndim == 5 else "(batch, features)"
            raise ValueError(
                f"Expected one step {axes} of width {self.input_spec.axes[-1]}. Received: inputs of shape {shape}"
            )
        self._check_states("states", list(states), (shape[0], None, *shape[1:]))


def may_be_equal(shape: tuple, other: tuple) -> bool:
    """Whether two shapes are the same as far as they are known."""
    return len(shape) == len(other) and all(a == b or None in (a, b) for a, b in zip(shape, other, strict=True))


def _shape(value: Any) -> tuple:
    """That of a tensor or an array; () of anything else."""
    return tuple(getattr(value, "shape", ()))


def _checked_mask(mask: Any, sequences: Any) -> Any:
    """The mask, which has one value for each step of the sequences (batch, time, ...)."""
    received, expected = _shape(mask), _shape(sequences)[:2]
    wanted = "Expected a mask (batch, time) with one value for each step of the inputs"
    if not may_be_equal(received, expected):
        raise ValueError(f"{wanted}, {expected}. Received: {received}")
    return backend.of_shape(mask, sequences, wanted) if None in (*received, *expected) else mask


def check_positive(**values: Any) -> None:
    """ValueError unless every value is a positive integer."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value}")


def refuse_unknown(layer: str, given: Iterable[str], known: Sequence[str]) -> None:
    """ValueError for an option that Keras's LSTM or GRU has and this layer has not, with those that it has.

    Args:
        layer: the layer's class name.
        given: names of the keyword arguments.
        known: the layer's own options, without those of every `keras.layers.RNN`.
    """
    theirs = {name for twin in (keras.layers.LSTM, keras.layers.GRU) for name in inspect.signature(twin).parameters}
    everywhere = inspect.signature(keras.layers.RNN).parameters
    for name in given:
        if name in theirs and name not in known and name not in everywhere:
            raise ValueError(
                f"`{name}` is not an option of {layer}. Its options are {', '.join(known)} and those of "
                "keras.layers.RNN."
            )
