"""The network: an encoder of the context, a decoder that attends to it, and logits of the next word.

Luong et al. (2015), arXiv:1508.04025, equations 5, 6 and 8 ("general" attention, global). The decoder's initial state
is zero; it reads the context through attention, and as a vector appended to each input word.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers.bias import Bias
from shared.layers.stack import Stack

from .config import TalkConfig

FAR = -1e9  # a score that is never selected by softmax or maximum


def build(config: TalkConfig, info: dict) -> keras.Model:
    """Ids written (batch, time) and said (batch, said) -> logits of the next words (batch, time, words)."""
    written = keras.Input((None,), dtype="int32", name="written")
    said = keras.Input((None,), dtype="int32", name="said")
    heard = said > 0
    embedding = keras.layers.ReversibleEmbedding(
        len(info["words"]),
        config.embedding,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=0.05),
        name="embedding",
    )
    spread = keras.layers.Rescaling(8.0, name="spread")  # tied vectors start small, too small for recurrent layers
    drop = keras.layers.Dropout(config.dropout, noise_shape=(None, 1, None), name="embedding_dropout")
    reader = Stack(config.arch, config.units // 2, dropout=config.dropout, bidirectional=True, name="reader")
    memory = reader(drop(spread(embedding(said))), mask=heard)  # (batch, time, units)
    gist = keras.layers.Dense(config.embedding, activation="tanh", name="gist")(strongest(memory, heard))
    x = drop(spread(embedding(written)))
    x = ops.concatenate([x, ops.expand_dims(gist, 1) * ops.ones_like(x)], axis=-1)
    states = Stack(config.arch, config.units, dropout=config.dropout, name="writer")(x)
    keys = keras.layers.Dense(config.units, use_bias=False, name="keys")(memory)
    context = attended(states, keys, memory, heard)
    spoken = keras.layers.Dense(config.embedding, activation="tanh", name="spoken")
    x = keras.layers.Dropout(config.dropout)(spoken(ops.concatenate([states, context], axis=-1)))
    return keras.Model([written, said], Bias(name="bias")(embedding(x, reverse=True)), name="smalltalk")


def strongest(memory: Any, heard: Any) -> Any:
    """The maximum over the real steps: (batch, time, units), (batch, time) -> (batch, units)."""
    return ops.max(ops.where(ops.expand_dims(heard, -1), memory, FAR), axis=1)


def attended(states: Any, keys: Any, memory: Any, heard: Any) -> Any:
    """The attention-weighted mean of memory: states (batch, written, units), the others (batch, said, ...)."""
    scores = ops.matmul(states, ops.transpose(keys, (0, 2, 1)))  # (batch, written, said)
    weights = ops.softmax(ops.where(ops.expand_dims(heard, 1), scores, FAR), axis=-1)
    return ops.matmul(weights, memory)


def read(model: keras.Model) -> Callable:
    """Returns `read(said (batch, time)) -> states`, the initial states for `step`."""
    layer = model.get_layer

    def read_all(said: Any) -> list:
        heard = said > 0
        memory = layer("reader")(layer("spread")(layer("embedding")(said)), mask=heard)
        gist = layer("gist")(strongest(memory, heard))
        return [memory, layer("keys")(memory), ops.cast(heard, "float32"), gist]

    return read_all


def step(model: keras.Model) -> Callable:
    """Returns `step(tokens (batch,), states) -> (logits (batch, words), states)`: `build` for one word at a time."""
    layer = model.get_layer

    def one_step(tokens: Any, states: list) -> tuple[Any, list]:
        memory, keys, heard, gist, *inner = states
        x = ops.concatenate([layer("spread")(layer("embedding")(tokens)), gist], axis=-1)
        h, inner = layer("writer").step(x, inner)
        context = attended(h[:, None], keys, memory, heard > 0)[:, 0]
        x = layer("spoken")(ops.concatenate([h, context], axis=-1))
        return layer("bias")(layer("embedding")(x, reverse=True)), [memory, keys, heard, gist, *inner]

    return one_step


def set_frequencies(model: keras.Model, counts: np.ndarray) -> None:
    """Initialises the output bias with the log word frequencies, from counts (words,)."""
    model.get_layer("bias").set_weights([np.log(counts + 1.0)])
