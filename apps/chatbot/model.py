"""The network: word and character encoders, bidirectional recurrent layers, an intent, and a tag for each word.

Liu and Lane (2016), arXiv:1609.01454: one encoder for both outputs; here the tags also depend on the whole request.
"""

from typing import Any

import keras
from keras import ops

from shared.layers.stack import Stack

from .config import Config
from .crf import CRF
from .tokens import LETTERS_A_WORD

FAR = -1e9  # a score that is never selected by softmax or maximum
LETTER_WIDTH = 24  # width of the letter embeddings
SEEN = 3  # width of the filters in letters


def build(config: Config, info: dict) -> keras.Model:
    """Ids (batch, time, 1 + letters), mask (batch, time) -> logits {"intent": (batch, intents), "slots": (.., tags)}.

    Words where the mask is False do not affect the output.
    """
    ids = keras.Input((None, 1 + LETTERS_A_WORD), dtype="int32", name="ids")
    mask = keras.Input((None,), dtype="bool", name="mask")
    x = _embedding(len(info["words"]), config.embedding, "words")(ids[..., 0])  # (batch, time, embedding)
    if config.letters:
        x = ops.concatenate([x, read_letters(config.letters, len(info["letters"]), ids[..., 1:])], axis=-1)
    x = keras.layers.Dropout(config.embedding_dropout, noise_shape=(None, 1, None), name="embedding_dropout")(x)
    stack = Stack(config.arch, config.units, config.layers, dropout=config.dropout, bidirectional=True, name="encoder")
    states = stack(x, mask=mask)  # (batch, time, 2 units)
    whole = keras.layers.Dropout(config.dropout, name="dropout")(pool(states, mask))  # (batch, 4 units)
    intent = keras.layers.Dense(len(info["intents"]), name="intent")(whole)
    # The topic of the whole request, appended to each word: "play" suggests a song, "rate" a book.
    topic = keras.layers.Dense(config.units, activation="tanh", name="topic")(whole)
    # A product, since on TensorFlow Keras's sum of shapes (1, 1, n) and (1, n, 1) has shape (1, 1, n).
    beside = ops.expand_dims(topic, 1) * ops.ones_like(states[..., :1])  # (batch, time, units)
    x = keras.layers.Dropout(config.dropout, noise_shape=(None, 1, None))(ops.concatenate([states, beside], axis=-1))
    emissions = keras.layers.Dense(len(info["tags"]), name="emissions")(x)
    slots = CRF(info["tags"], free=config.tags == "crf", name="slots")(emissions)
    return keras.Model([ids, mask], {"intent": intent, "slots": slots}, name="chatbot")


def read_letters(filters: int, count: int, letters: Any) -> Any:
    """Letters (batch, time, letters) -> (batch, time, filters): the maximum of each filter over the word.

    Ma and Hovy (2016), arXiv:1603.01354, section 2.1.
    """
    x = _embedding(count, LETTER_WIDTH, "letters")(letters)
    x = x * ops.cast(ops.expand_dims(letters > 0, -1), x.dtype)  # zeros after the end of a word
    # A convolution as a matrix product of adjacent letters, which on a CPU is faster than Keras's convolution.
    windows = ops.concatenate([x[:, :, i : LETTERS_A_WORD - SEEN + 1 + i] for i in range(SEEN)], axis=-1)
    return ops.max(keras.layers.Dense(filters, activation="relu", name="filters")(windows), axis=2)


def pool(states: Any, mask: Any) -> Any:
    """Pools states (batch, time, width) -> (batch, 2 width): attention (Yang et al. 2016) and maximum over time."""
    real = ops.expand_dims(mask, -1)
    hidden = keras.layers.Dense(states.shape[-1] // 2, activation="tanh", name="attention_hidden")(states)
    scores = keras.layers.Dense(1, use_bias=False, name="attention")(hidden)
    weights = ops.softmax(ops.where(real, scores, FAR), axis=1)  # (batch, time, 1)
    return ops.concatenate([ops.sum(weights * states, axis=1), ops.max(ops.where(real, states, FAR), axis=1)], axis=-1)


def _embedding(count: int, width: int, name: str) -> keras.layers.Embedding:
    # Keras's default range of +-0.05 gives the recurrent layer too small inputs in the first epoch.
    spread = keras.initializers.RandomNormal(stddev=0.3)
    return keras.layers.Embedding(count, width, embeddings_initializer=spread, name=name)
