"""The network: an ensemble of recurrent layers over the steps and a summary of the past, with hazards per interval."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers.stack import Stack

from .config import APP, Config

BATCH = 256  # patients per batch in prediction; ...
FEW = 8  # ... up to this many are predicted one at a time,
MULTIPLE = 8  # and steps are padded to a multiple of this number: each new shape is compiled


def build(config: Config, info: dict) -> keras.Model:
    """Inputs and summary of every step, see `steps.Steps` -> logits (batch, steps, networks, intervals, 1 + causes).

    Their softmax gives the probability of no event and of each cause in an interval, given no event before it.
    """
    variables, choices = len(info["variables"]), 1 + len(info["causes"])
    inputs = keras.Input((None, 3 * variables), name="inputs")
    summary = keras.Input((None, len(info["summaries"]) * variables + 1), name="summary")
    pieces = bent(summary, info["knots"])
    logits = []
    for network in range(config.ensemble_size):
        parts = [Stack(config.arch, config.units, config.layers, name=f"steps_{network}")(inputs)]
        if config.summary_units:
            seen = keras.layers.Dropout(config.dropout)(pieces)
            dense = keras.layers.Dense(config.summary_units, activation="relu", name=f"summary_{network}")
            parts.append(dense(seen))
        joined = keras.layers.Concatenate()(parts) if config.summary_units else parts[0]
        joined = keras.layers.Dropout(config.dropout)(joined)
        scores = keras.layers.Dense(info["intervals"] * choices, name=f"scores_{network}")(joined)
        if info["knots"]:
            # The loss is the mean over the ensemble, so the penalty has to be as well.
            penalty = keras.regularizers.L2(config.knots_l2 / config.ensemble_size)
            direct = {"use_bias": False, "kernel_initializer": "zeros", "kernel_regularizer": penalty}
            scores = scores + keras.layers.Dense(scores.shape[-1], **direct, name=f"direct_{network}")(pieces)
        logits.append(keras.layers.Reshape((-1, info["intervals"], choices))(scores))
    return keras.Model([inputs, summary], ops.stack(logits, axis=2), name="networks")


def averaged(model: keras.Model) -> keras.Model:
    """Returns a model with the same weights -> mean probabilities (batch, steps, intervals, 1 + causes)."""
    return keras.Model(model.inputs, ops.mean(ops.softmax(model.output), axis=2), name=APP)


def by_network(model: keras.Model) -> keras.Model:
    """Undoes the average of `averaged` -> probabilities (batch, steps, networks, intervals, 1 + causes)."""
    return keras.Model(model.inputs, model.operations[-1].input, name="by_network")


def bent(x: Any, knots: list) -> Any:
    """(..., features) -> (..., features (1 + knots)): each value, and its excess over each knot or 0.

    A linear function of these is piecewise linear in the value: the risk can rise for both low and high values.
    """
    return ops.concatenate([x, *(ops.relu(x - knot) for knot in knots)], axis=-1) if knots else x


class Nats(keras.losses.Loss):
    """Cross-entropy of each known interval in nats, averaged over the ensemble, whose networks learn independently."""

    def __init__(self) -> None:
        super().__init__(name="nats", reduction="mean_with_sample_weight")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Targets (batch, steps, intervals), logits of all networks -> loss (batch, steps, intervals)."""
        targets = ops.broadcast_to(ops.expand_dims(y_true, 2), ops.shape(y_pred)[:-1])
        nats = ops.sparse_categorical_crossentropy(ops.cast(targets, "int32"), y_pred, from_logits=True)
        return ops.mean(nats, axis=2)


def probabilities(model: keras.Model, inputs: np.ndarray, summary: np.ndarray) -> np.ndarray:
    """Inputs and summary of patients, see `steps.Steps` -> probabilities (patients, steps, intervals, 1 + causes)."""
    patients, steps = inputs.shape[:2]
    size = BATCH if patients > FEW else 1
    found = []
    for start in range(0, patients, size):
        rows = np.resize(np.arange(start, min(start + size, patients)), size)
        batch = (np.pad(np.nan_to_num(x[rows]), ((0, 0), (0, -steps % MULTIPLE), (0, 0))) for x in (inputs, summary))
        found.append(model.predict_on_batch(list(batch))[:, :steps])
    return np.concatenate(found)[:patients]


def zero_states(model: keras.Model) -> list:
    """Returns the initial states of all networks for one patient."""
    return [state for stack in _stacks(model) for state in stack.get_initial_state(1)]


def step(model: keras.Model, knots: list) -> Callable:
    """Returns `step(inputs (1, 3 variables), summary, states) -> (probabilities (1, intervals, 1 + causes), states)`.

    It computes one step of the averaged model.
    """
    stacks = _stacks(model)
    _, intervals, choices = model.output_shape[1:]
    names = {layer.name: layer for layer in model.layers}

    def one_step(inputs: Any, summary: Any, states: list) -> tuple[Any, list]:
        chances, after, states, seen = [], [], list(states), bent(summary, knots)
        for network, stack in enumerate(stacks):
            before, states = states[: len(stack.state_size)], states[len(stack.state_size) :]
            x, new = stack.step(inputs, before)
            after += new
            if f"summary_{network}" in names:
                x = ops.concatenate([x, names[f"summary_{network}"](seen)], axis=-1)
            scores = names[f"scores_{network}"](x)
            if knots:
                scores = scores + names[f"direct_{network}"](seen)
            scores = ops.reshape(scores, (-1, intervals, choices))
            chances.append(ops.softmax(scores, axis=-1))
        return sum(chances) / len(chances), after

    return one_step


def _stacks(model: keras.Model) -> list:
    return [layer for layer in model.layers if isinstance(layer, Stack)]
