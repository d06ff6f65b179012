"""The network: word embeddings, bidirectional recurrent layers, pooling into one vector, one logit per label.

It consists only of Keras layers and operations, so a saved model loads without this file.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from shared.data.text import SPECIALS, UNKNOWN
from shared.layers.stack import Stack

from .config import Config
from .tokens import PIECES_A_WORD

FAR = -1e9  # a score that is never selected by softmax or maximum


def build(config: Config, info: dict, vectors: np.ndarray | None = None) -> keras.Model:
    """Ids (batch, time, 1 + pieces) and mask (batch, time) -> logits (batch, labels).

    Words where the mask is False do not affect the output.

    Args:
        vectors: pretrained word vectors (words, width), kept frozen; None if there are none.
    """
    width = 1 + (PIECES_A_WORD if len(info["pieces"]) > len(SPECIALS) else 0)
    ids = keras.Input((None, width), dtype="int32", name="ids")
    mask = keras.Input((None,), dtype="bool", name="mask")
    x = read_words(config, info, ids, vectors)  # (batch, time, embedding)
    x = keras.layers.Dropout(config.word_dropout, noise_shape=(None, None, 1), name="word_dropout")(x)
    x = keras.layers.Dropout(config.embedding_dropout, noise_shape=(None, 1, None), name="embedding_dropout")(x)
    stack = Stack(config.arch, config.units, config.layers, dropout=config.dropout, bidirectional=True, name="encoder")
    x = stack(x, mask=mask)  # (batch, time, 2 units)
    x = keras.layers.Dropout(config.dropout, name="dropout")(pool(config.pooling, x, mask))
    logits = keras.layers.Dense(len(info["labels"]), name="logits")(x)
    return keras.Model([ids, mask], logits, name="sentiment_analysis")


def read_words(config: Config, info: dict, ids: Any, vectors: np.ndarray | None) -> Any:
    """Embeds words (batch, time, width): own vector plus mean vector of its n-grams, then the pretrained vector."""
    word = ids[..., 0]
    learned = ops.where(word < info["learned"], word, SPECIALS.index(UNKNOWN))  # others have a given vector only
    x = _embedding(info["learned"], config.embedding, "words")(learned)
    if ids.shape[-1] > 1:
        runs = ids[..., 1:]
        real = ops.cast(ops.expand_dims(ops.not_equal(runs, 0), -1), "float32")  # (batch, time, pieces, 1)
        each = _embedding(len(info["pieces"]), config.embedding, "pieces")(runs)  # (batch, time, pieces, embedding)
        x = x + ops.sum(each * real, axis=2) / ops.maximum(ops.sum(real, axis=2), 1.0)
    if vectors is not None:
        given = keras.layers.Embedding(*vectors.shape, weights=[vectors], trainable=False, name="vectors")
        x = ops.concatenate([x, given(word)], axis=-1)
    return x


def _embedding(count: int, width: int, name: str) -> keras.layers.Embedding:
    # Keras's default range of +-0.05 gives the recurrent layer too small inputs in the first epoch.
    spread = keras.initializers.RandomNormal(stddev=0.3)
    return keras.layers.Embedding(count, width, embeddings_initializer=spread, name=name)


def pool(kind: str, x: Any, mask: Any) -> Any:
    """Pools states (batch, time, units) into (batch, units), twice as wide for "both"; masked steps are ignored.

    For attention pooling see Yang et al. (2016), doi:10.18653/v1/N16-1174, equations 8 to 10.
    """
    real, pooled = ops.expand_dims(mask, -1), []
    if kind in ("attention", "both"):
        hidden = keras.layers.Dense(x.shape[-1] // 2, activation="tanh", name="attention_hidden")(x)
        scores = keras.layers.Dense(1, use_bias=False, name="attention")(hidden)
        weights = ops.softmax(ops.where(real, scores, FAR), axis=1)  # (batch, time, 1)
        pooled.append(ops.sum(weights * x, axis=1))
    if kind in ("max", "both"):
        pooled.append(ops.max(ops.where(real, x, FAR), axis=1))
    return ops.concatenate(pooled, axis=-1) if len(pooled) > 1 else pooled[0]
