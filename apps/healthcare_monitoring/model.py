"""The network: recurrent layers over the steps, beside them a summary of all seen, one hazard for each interval."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers.stack import Stack

from .config import Config

BATCH = 256  # patients judged at a time


def build(config: Config, info: dict) -> tuple[keras.Model, keras.Model]:
    """Two models of the same weights over inputs and summary of every step, see `steps.Running.advance`.

    Returns:
        the one to train -> logits (batch, steps, members, intervals, 1 + causes), and the one to use -> probabilities
        (batch, steps, intervals, 1 + causes), the members' mean: of nothing and of each cause happening in an interval,
        given that nothing happened before it.
    """
    variables, choices = len(info["variables"]), 1 + len(info["causes"])
    inputs = keras.Input((None, 3 * variables), name="inputs")
    summary = keras.Input((None, len(info["summaries"]) * variables + 1), name="summary")
    pieces = bent(summary, info["knots"])
    logits = []
    for member in range(config.members):
        parts = [Stack(config.arch, config.units, config.layers, name=f"steps_{member}")(inputs)]
        if config.summary:
            seen = keras.layers.Dropout(config.dropout)(pieces)
            parts.append(keras.layers.Dense(config.summary, activation="relu", name=f"summary_{member}")(seen))
        joined = keras.layers.Concatenate()(parts) if config.summary else parts[0]
        joined = keras.layers.Dropout(config.dropout)(joined)
        scores = keras.layers.Dense(info["intervals"] * choices, name=f"scores_{member}")(joined)
        if info["knots"]:
            # The loss is the members' mean, and so is the penalty.
            penalty = keras.regularizers.L2(config.penalty / config.members)
            direct = {"use_bias": False, "kernel_initializer": "zeros", "kernel_regularizer": penalty}
            scores = scores + keras.layers.Dense(scores.shape[-1], **direct, name=f"direct_{member}")(pieces)
        logits.append(keras.layers.Reshape((-1, info["intervals"], choices))(scores))
    trained = keras.Model([inputs, summary], ops.stack(logits, axis=2), name="members")
    chances = [keras.layers.Softmax()(member) for member in logits]
    mean = keras.layers.Average()(chances) if len(chances) > 1 else chances[0]
    return trained, keras.Model([inputs, summary], mean, name="healthcare_monitoring")


def bent(x: Any, knots: list) -> Any:
    """Values (..., features) -> (..., features (1 + knots)): beside each how far it lies above each knot, else 0.

    With them even a linear answer can rise for what is too low and for what is too high: pieces of lines.
    """
    return ops.concatenate([x, *(ops.relu(x - knot) for knot in knots)], axis=-1) if knots else x


class Nats(keras.losses.Loss):
    """Cross-entropy of each known interval in nats, the mean over the members, each of which learns for itself."""

    def __init__(self) -> None:
        super().__init__(name="nats", reduction="mean_with_sample_weight")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Targets (batch, steps, intervals), logits of all members -> (batch, steps, intervals)."""
        targets = ops.broadcast_to(ops.expand_dims(y_true, 2), ops.shape(y_pred)[:-1])
        nats = ops.sparse_categorical_crossentropy(ops.cast(targets, "int32"), y_pred, from_logits=True)
        return ops.mean(nats, axis=2)


def answers(model: keras.Model, inputs: np.ndarray, summary: np.ndarray) -> np.ndarray:
    """Inputs and summary of patients, as `steps.encode` makes them -> (patients, steps, intervals, 1 + causes)."""
    return model.predict((inputs, np.nan_to_num(summary)), batch_size=BATCH, verbose=0)


def zero_states(model: keras.Model) -> list:
    """The states of all members before the first step of one patient."""
    return [state for stack in _stacks(model) for state in stack.get_initial_state(1)]


def step(model: keras.Model, knots: list) -> Callable:
    """`step(inputs (1, 3 variables), summary, states) -> (probabilities (1, intervals, 1 + causes), states)`.

    This is the same network, of one layer's weights after the other, seen from inside the loop over the steps.
    """
    stacks = _stacks(model)
    _, intervals, choices = model.output_shape[1:]
    names = {layer.name: layer for layer in model.layers}

    def one_step(inputs: Any, summary: Any, states: list) -> tuple[Any, list]:
        chances, after, states, seen = [], [], list(states), bent(summary, knots)
        for member, stack in enumerate(stacks):
            before, states = states[: len(stack.state_size)], states[len(stack.state_size) :]
            x, new = stack.step(inputs, before)
            after += new
            if f"summary_{member}" in names:
                x = ops.concatenate([x, names[f"summary_{member}"](seen)], axis=-1)
            scores = names[f"scores_{member}"](x)
            if knots:
                scores = scores + names[f"direct_{member}"](seen)
            scores = ops.reshape(scores, (-1, intervals, choices))
            chances.append(ops.softmax(scores, axis=-1))
        return sum(chances) / len(chances), after

    return one_step


def _stacks(model: keras.Model) -> list:
    return [layer for layer in model.layers if isinstance(layer, Stack)]
