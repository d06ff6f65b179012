"""The network: a token embedding, a stack of recurrent layers, and logits of the next token."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from shared import InputError
from shared.layers import layer_class, recurrent
from shared.layers.bias import Bias

from .config import Config


def build(config: Config, info: dict, batch_size: int | None = None) -> keras.Model:
    """Token ids (batch, time) -> logits (batch, time, vocabulary).

    With `batch_size` the recurrent layers are stateful and carry their state from one call to the next, for truncated
    back-propagation through time; without it, each call starts from zero states and accepts any batch size.
    """
    if config.weight_dropout and "recurrent_weight_dropout" not in layer_class(config.arch).SCAN_OPTIONS:
        raise InputError(f"--weight-dropout: expected 0 with --arch {config.arch}; received {config.weight_dropout}")
    vocabulary = len(info["vocabulary"])
    tokens = keras.Input((None,), batch_size=batch_size, dtype="int32", name="tokens")
    # Keras's default of +-0.05 gives too small inputs to the recurrent layer in the first epoch; a tied one needs it.
    spread = 0.05 if config.tied else 1.0
    embedding = keras.layers.ReversibleEmbedding(
        vocabulary,
        config.embedding,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=spread),
        name="embedding",
    )
    x = _variational_dropout(config.embedding_dropout)(embedding(tokens))  # (batch, time, embedding)
    for number in range(config.layers):
        # With tied weights the output layer is the embedding, so the last recurrent layer must have its width.
        units = config.embedding if config.tied and number == config.layers - 1 else config.units
        layer = recurrent(
            config.arch,
            units,
            return_sequences=True,
            stateful=batch_size is not None,
            recurrent_weight_dropout=config.weight_dropout,
            name=f"recurrent_{number}",
        )
        x = _variational_dropout(config.dropout)(layer(x))  # (batch, time, units)
    if not config.tied:
        return keras.Model(tokens, keras.layers.Dense(vocabulary, name="logits")(x), name="text_generation")
    bias = Bias(name="bias")
    model = keras.Model(tokens, bias(embedding(x, reverse=True)), name="text_generation")
    # Initialising with log frequencies: on ptb, 5.9 instead of 8.1 nats per word after 300 steps, compared with zeros.
    bias.set_weights([np.log(np.array(info["frequencies"]) + 1.0)])
    return model


def _variational_dropout(rate: float) -> keras.layers.Layer:
    """Gal and Ghahramani (2016), arXiv:1512.05287: the same dropout mask for all steps of a sequence."""
    return keras.layers.Dropout(rate, noise_shape=(None, 1, None))


def zero_states(model: keras.Model, batch_size: int = 1) -> list:
    """Returns the initial states of all recurrent layers, each (batch, units)."""
    return [state for layer in _recurrent_layers(model) for state in layer.get_initial_state(batch_size)]


def step(model: keras.Model) -> Callable:
    """Returns `step(tokens (batch,), states) -> (logits (batch, vocabulary), states)`, sharing the model's weights.

    It computes what `build` does for a window, one token at a time.
    """
    embedding = model.get_layer("embedding")
    layers = _recurrent_layers(model)
    heads = [layer for layer in model.layers if layer.name == "logits"]

    def one_step(tokens: Any, states: list) -> tuple[Any, list]:
        x, after, states = embedding(tokens), [], list(states)
        for layer in layers:
            before, states = states[: len(layer.state_size)], states[len(layer.state_size) :]
            x, new = layer.step(x, before)
            after += new
        return (heads[0](x) if heads else model.get_layer("bias")(embedding(x, reverse=True))), after

    return one_step


def _recurrent_layers(model: keras.Model) -> list:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)]
