"""The network: shared token embeddings, a bidirectional encoder, and a decoder with attention to it."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers import backend
from shared.layers.bias import Bias
from shared.layers.stack import Stack

from .config import Config
from .decoder import AttentionDecoder


def build(config: Config, info: dict) -> keras.Model:
    """Source ids (batch, source) and target ids (batch, target), padded with 0 -> logits (batch, target, vocabulary).

    The target ids are the decoder's input, shifted by one: they start with <bos>, and position t predicts token t.
    """
    vocabulary = len(info["frequencies"])
    source, target = (keras.Input((None,), dtype="int32", name=name) for name in ("source", "target"))
    mask = ops.not_equal(source, 0)
    embedding = keras.layers.ReversibleEmbedding(
        vocabulary,
        config.embedding,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=0.1),
        name="embedding",
    )
    read = _one_mask(config.embedding_dropout, "source_dropout")(embedding(source))  # (batch, source, embedding)
    shape = {"arch": config.arch, "units": config.units, "layers": config.layers}
    encoder = Stack(**shape, dropout=config.dropout, bidirectional=True, name="encoder")
    encoded = encoder(read, mask=mask)  # (batch, source, 2 units)
    written = _one_mask(config.embedding_dropout, "target_dropout")(embedding(target))  # (batch, target, embedding)
    decoder = AttentionDecoder(config.units, config.embedding, config.attention, name="decoder")
    outputs, _ = decoder(encoded, mask, written)  # (batch, target, embedding)
    # Only the decoder's recurrence is sequential; the logits are a single matrix product over all steps.
    outputs = keras.layers.Dropout(config.dropout, name="dropout")(outputs)
    bias = Bias(name="bias")
    model = keras.Model([source, target], bias(embedding(outputs, reverse=True)), name="translation")
    bias.set_weights([np.log(np.array(info["frequencies"]) + 1.0) - np.log(sum(info["frequencies"]) + 1.0)])
    return model


def _one_mask(rate: float, name: str) -> keras.layers.Layer:
    """Gal and Ghahramani (2016), arXiv:1512.05287: the same dropout mask for all tokens of a sentence."""
    return keras.layers.Dropout(rate, noise_shape=(None, 1, None), name=name)


def with_attention(model: keras.Model) -> keras.Model:
    """Returns the network with attention weights as a second output: [logits, attention (batch, target, source)]."""
    return keras.Model(model.inputs, [model.output, model.get_layer("decoder").output[1]])


def compiled_encoder(model: keras.Model) -> Callable:
    """Returns the compiled encoder: source ids (batch, source) -> (states, constants) of `decoder_step`."""
    layers = [model.get_layer(name) for name in ("embedding", "encoder", "decoder")]

    def encode(source: Any) -> tuple[list, list]:
        embedding, encoder, decoder = layers
        mask = ops.not_equal(source, 0)
        states, constants = decoder.start(encoder(embedding(source), mask=mask), mask)
        return [*states, ops.where(mask, 0.0, 1.0)], constants

    return backend.compiled(encode, model.variables)


def decoder_step(model: keras.Model) -> Callable:
    """Returns a decoder step: (tokens (batch,), states, *constants) -> (logits (batch, vocabulary), states).

    The last state is the sum of attention received by each source token, (batch, source); padding counts as covered.
    """
    embedding, decoder, bias = (model.get_layer(name) for name in ("embedding", "decoder", "bias"))

    def step(tokens: Any, states: list, *constants: Any) -> tuple[Any, list]:
        state, output, coverage = states
        x = decoder.project(embedding(tokens))
        state, output, attention = decoder.one_step(x, state, output, list(constants))
        return bias(embedding(output, reverse=True)), [state, output, coverage + attention]

    return step
