"""What every scanned layer does around its scan: checks, time first, masks as columns, backwards, which output."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops, tree


class Scanned:
    """Mixed in before a `keras.layers.RNN`: its time loop becomes `recurrence()`, all other features stay Keras's.

    A subclass defines `recurrence` and `loop_weights`, and `falls_back` where Keras's own loop must serve.
    """

    # What `keras.layers.RNN` gives.
    cell: Any
    state_size: list
    go_backwards: bool
    zero_output_for_mask: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def falls_back(self) -> bool:
        """Whether an option was chosen that only Keras's own, slower loop knows."""
        return False

    def loop_weights(self, dtype: Any) -> list:
        """The tensors that `recurrence` takes after the states, in the dtype of the computation."""
        raise NotImplementedError

    def recurrence(self) -> Callable:
        """`f(x (time, batch, features), mask None or (time, batch, 1) bool, *states, *loop_weights) ->
        [outputs (time, batch, units), *last states]`."""
        raise NotImplementedError

    def step(self, x: Any, states: list) -> tuple[Any, list]:
        """One step for streaming: x (batch, features), states [(batch, units)] -> output (batch, units), states."""
        output, states = self.cell(x, states)
        return output, list(states)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Checks what Keras does not, then calls `keras.layers.RNN`."""
        if sequences.shape[1] == 0:
            raise ValueError(f"Expected sequences of at least one step. Received: inputs of shape {sequences.shape}")
        if initial_state is not None:
            self._check_states(tree.flatten(initial_state))
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)  # type: ignore

    def inner_loop(self, sequences: Any, initial_state: list, mask: Any, training: bool = False) -> tuple:
        """Keras's hook for the time loop: -> (last output, outputs, states).

        A masked step keeps the state and repeats it as output; before the first real step that is the initial state.
        """
        if self.falls_back():
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)  # type: ignore
        if training and getattr(self.cell, "dropout", False):
            sequences = sequences * ops.expand_dims(self.cell.get_dropout_mask(sequences[:, 0, :]), 1)
        x = ops.swapaxes(sequences, 0, 1)
        steps = None
        if mask is not None:
            steps = ops.expand_dims(ops.swapaxes(ops.cast(tree.flatten(mask)[0], "bool"), 0, 1), -1)
        if self.go_backwards:
            x = ops.flip(x, axis=0)
            steps = None if steps is None else ops.flip(steps, axis=0)
        outputs, *states = self.recurrence()(x, steps, *initial_state, *self.loop_weights(sequences.dtype))
        last = states[0]
        if self.zero_output_for_mask and steps is not None:
            outputs = outputs * ops.cast(steps, outputs.dtype)
            last = outputs[-1]
        return last, ops.swapaxes(outputs, 0, 1), states

    def _check_states(self, states: list) -> None:
        widths = [state.shape[-1] for state in states]
        if widths != list(self.state_size):
            raise ValueError(
                f"Expected an initial_state of {len(self.state_size)} tensors (batch, units) of widths "
                f"{self.state_size}. Received widths: {widths}"
            )


def dense_weights(cell: Any, dtype: Any) -> list:
    """The cell's [kernel, recurrent_kernel, bias] in the dtype of the computation; no bias counts as zeros."""
    width = cell.kernel.shape[-1]
    bias = cell.bias if cell.use_bias else ops.zeros((width,), dtype)
    return [ops.cast(w, dtype) for w in (cell.kernel, cell.recurrent_kernel, bias)]
