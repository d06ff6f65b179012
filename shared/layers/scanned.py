"""Common parts of all scanned layers: checks, time-major layout, masks, `go_backwards`, selection of the output."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops, tree

from shared.layers import backend, bptt


class Scanned:
    """Mixin for a `keras.layers.RNN` that replaces its time loop by `over_time`; all other features remain Keras's.

    A subclass defines `over_time`, lists in `SCAN_OPTIONS` which of the arguments below it supports, and overrides
    `falls_back` if Keras's own loop is needed in some cases.

    Args:
        zoneout: fraction of units that keep their old value in a step, Krueger et al. (2017), arXiv:1606.01305. Sampled
            for each step and state in training; the expected value in inference.
        recurrent_weight_dropout: fraction of the recurrent kernel's weights dropped for a whole sequence, Merity et al.
            (2018), arXiv:1708.02182.
        recompute: 0, or a number of steps: states are stored only at every such step, and all else is recomputed for
            the gradient; see `recompute.py`.
        seed: seed of zoneout and recurrent weight dropout.
    """

    SCAN_OPTIONS: tuple[str, ...] = ()
    # Provided by `keras.layers.RNN`.
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
        """For each state, whether zoneout applies to it."""
        return (True, True)

    def keras_seed(self, seed: int | None) -> dict:
        """Returns the seed as a keyword argument of the Keras class, if it takes one."""
        return {}

    def falls_back(self) -> bool:
        """Returns whether Keras's own loop must be used, for example for an option that only it supports."""
        return False

    def time_first(self, sequences: Any) -> Any:
        """Transposes (batch, time, ...) to (time, batch, ...), or to another layout for `over_time`."""
        return ops.swapaxes(sequences, 0, 1)

    def batch_first(self, outputs: Any) -> Any:
        """Transposes the outputs of `over_time` back."""
        return ops.swapaxes(outputs, 0, 1)

    def over_time(self, x: Any, mask: Any, states: list, training: bool) -> list:
        """Runs the time loop: x (time, batch, features), mask None or (time, batch, 1) bool, states -> [outputs (time,
        batch, units), *last states]."""
        raise NotImplementedError

    def step(self, x: Any, states: list) -> tuple[Any, list]:
        """Computes one step for streaming: x (batch, features), states [(batch, units)] -> output (batch, units),
        states."""
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
        """Computes one step without zoneout."""
        return self.cell(x, states)

    def without_dropped(self, sequences: Any, training: bool) -> Any:
        """Applies input dropout in training to sequences (batch, time, features), with one mask for all steps."""
        return sequences

    def zones(self, x: Any, training: bool) -> list:
        """Returns the fractions of the old states that steps keep, for `bptt.scan`; [] without zoneout."""
        if not self.zoneout:
            return []
        if not training:
            mean = ops.zeros_like(x[..., :1]) + ops.cast(self.zoneout, x.dtype)
            return [mean, mean]
        shape = (*ops.shape(x)[:-1], self.state_size[0])
        draws = [keras.random.uniform(shape, seed=self.scan_seed) for _ in range(2)]
        return [ops.cast(draw < self.zoneout, x.dtype) for draw in draws]

    def dropped(self, kernel: Any, training: bool) -> Any:
        """Applies weight dropout to the recurrent kernel in training."""
        if not (training and self.recurrent_weight_dropout):
            return kernel
        return keras.random.dropout(kernel, self.recurrent_weight_dropout, seed=self.scan_seed)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Builds the cell, and fixes the number of input features."""
        super().build(sequences_shape, initial_state_shape)  # type: ignore
        self.input_spec = keras.layers.InputSpec(ndim=self.input_spec.ndim, axes={-1: sequences_shape[-1]})

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Checks the arguments, more strictly than Keras, then calls `keras.layers.RNN`."""
        if sequences.shape[1] == 0:
            raise ValueError(f"Expected sequences of at least one step. Received: inputs of shape {sequences.shape}")
        sequences = ops.cast(sequences, self.compute_dtype)  # Keras itself casts only floating-point inputs
        if initial_state is not None:
            self._check_states("an initial_state", tree.flatten(initial_state), sequences.shape)
        if mask is not None:
            mask = _checked_mask(tree.flatten(mask)[0], sequences)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)  # type: ignore

    def inner_loop(self, sequences: Any, initial_state: list, mask: Any, training: bool = False) -> tuple:
        """Implements Keras's hook for the time loop; returns (last output, outputs, states).

        A masked step keeps the state and outputs it again; before the first real step this is the initial state.
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
        """Returns the shapes of the states for inputs of this shape; unknown dimensions are None."""
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
    """Returns whether two shapes are equal in all known dimensions."""
    return len(shape) == len(other) and all(a == b or None in (a, b) for a, b in zip(shape, other, strict=True))


def _shape(value: Any) -> tuple:
    """Returns the shape of a tensor or an array; () for anything else."""
    return tuple(getattr(value, "shape", ()))


def _checked_mask(mask: Any, sequences: Any) -> Any:
    """Returns the mask after checking that it has one value for each step of the sequences (batch, time, ...)."""
    received, expected = _shape(mask), _shape(sequences)[:2]
    wanted = "Expected a mask (batch, time) with one value for each step of the inputs"
    if not may_be_equal(received, expected):
        raise ValueError(f"{wanted}, {expected}. Received: {received}")
    return backend.of_shape(mask, sequences, wanted) if None in (*received, *expected) else mask


def check_positive(**values: Any) -> None:
    """Raises ValueError unless all values are positive integers."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value}")


def refuse_unknown(layer: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Raises ValueError for options that Keras's LSTM or GRU has but this layer lacks; it lists the valid ones.

    Args:
        layer: the layer's class name.
        given: names of the keyword arguments.
        known: the layer's own options, without those of `keras.layers.RNN`.
    """
    theirs = {name for twin in (keras.layers.LSTM, keras.layers.GRU) for name in inspect.signature(twin).parameters}
    everywhere = inspect.signature(keras.layers.RNN).parameters
    for name in given:
        if name in theirs and name not in known and name not in everywhere:
            raise ValueError(
                f"`{name}` is not an option of {layer}. Its options are {', '.join(known)} and those of "
                "keras.layers.RNN."
            )
