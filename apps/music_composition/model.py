"""The network: a recurrent stack reads frames; a small network predicts each voice given the previous voices.

p(frame t) = product over slots k of p(token_k | frames before t, what is known of frame t, tokens of slots < k)

The second part is that of NADE (Larochelle and Murray 2011) with one more layer, so the likelihood is exact, without
sampling. It consists only of Keras layers and operations, so a saved model loads without this file.
"""

from typing import Any

import keras
from keras import ops

from shared.layers.stack import Stack

from .config import Config
from .tokens import COUNTDOWN, FIRST, NOTHING_NEW, PAD, PLAN, REST, UNKNOWN_KEY, VOCABULARY, slots

NEVER = -1e9  # a score with zero softmax weight
LONGEST_BAR = 48  # frames; longer bars are clipped to this length
NOTE = VOCABULARY + 1  # number of features of a slot: the sounding note, and whether it starts here


def build(config: Config, info: dict) -> keras.Model:
    """Frames (batch, time, 2 slots + 5) and mask (batch, time) -> logits (batch, time, slots, vocabulary).

    A frame holds its tokens, the sounding note of each slot, and what is known in advance. The logits of a slot depend
    on all earlier frames, on the earlier slots of its own frame, and on what is known of that frame.
    """
    width, hidden = slots(info["representation"]), config.hidden
    frames = keras.Input((None, 2 * width + len(PLAN)), dtype="int32", name="frames")
    mask = keras.Input((None,), dtype="bool", name="mask")
    tokens, sounding, known = frames[..., :width], frames[..., width : 2 * width], frames[..., 2 * width :]
    notes = note_features(tokens, sounding)  # (batch, time, slots, NOTE)
    before = shifted(keras.layers.Reshape((-1, width * NOTE))(notes), axis=1)  # the whole previous frame
    known_features = plan_features(known)
    x = ops.concatenate([keras.layers.Dropout(config.input_dropout)(before), known_features], axis=-1)
    x = keras.layers.Dense(config.embedding, name="frame")(x)
    stack = Stack(config.arch, config.units, config.layers, dropout=config.dropout, name="stack")
    context = keras.layers.Dense(hidden, name="context")(
        ops.concatenate([stack(x, mask=mask), known_features, before], axis=-1)
    )
    own = keras.layers.EinsumDense("btsf,sfh->btsh", (None, width, hidden), name="earlier_own")(notes)
    alike = keras.layers.Dense(hidden, use_bias=False, name="earlier_alike")(notes)
    earlier = shifted(ops.cumsum(own + alike, axis=2), axis=2)  # over the earlier slots: (batch, time, slots, hidden)
    last = keras.layers.Dense(hidden, use_bias=False, name="previous")(shifted(notes, axis=2))
    slot = keras.layers.Embedding(width, hidden, name="slot")(ops.cumsum(ops.ones_like(tokens), axis=2) - 1)
    z = ops.expand_dims(context, 2) + earlier + last + slot
    z = keras.layers.Dropout(config.head_dropout)(ops.relu(z))
    z = z + keras.layers.Dense(hidden, activation="relu", name="deeper")(z)
    logits = keras.layers.Dense(VOCABULARY, name="logits")(keras.layers.Dropout(config.head_dropout)(z))
    if info["representation"] == "roll":
        logits = ops.where(falling(shifted(tokens, axis=2, value=PAD)), logits, NEVER)
    else:
        logits = ops.where(holdable(shifted(sounding, axis=1, value=REST)), logits, NEVER)
    return keras.Model([frames, mask], logits, name="music_composition")


def note_features(tokens: Any, sounding: Any) -> Any:
    """(..., slots) -> (..., slots, NOTE); padding after the end of a roll's frame is all zeros."""
    begins = ops.cast(ops.logical_and(tokens >= FIRST, tokens < PAD), "float32")
    return ops.concatenate([ops.one_hot(sounding, VOCABULARY), ops.expand_dims(begins, -1)], axis=-1)


def plan_features(known: Any) -> Any:
    """(..., 5) integers -> (..., features): position in the bar on several scales, upcoming fermata, key."""
    position, bar, countdown, last, key = (known[..., column] for column in range(len(PLAN)))
    parts = [
        ops.one_hot(ops.minimum(position, LONGEST_BAR), LONGEST_BAR + 1),
        *(ops.one_hot(position % period, period) for period in (2, 4, 8)),
        ops.one_hot(ops.minimum(bar, LONGEST_BAR), LONGEST_BAR + 1),
        ops.one_hot(countdown, COUNTDOWN + 1),
        ops.expand_dims(ops.cast(last, "float32"), -1),
        ops.one_hot(key, UNKNOWN_KEY),
        ops.one_hot(key % 12, 12),
    ]
    return ops.concatenate(parts, axis=-1)


def falling(previous: Any) -> Any:
    """Returns the tokens that may follow `previous` (...) in a roll: lower pitches or the end, (..., vocabulary)."""
    ids = ops.arange(VOCABULARY, dtype="int32")
    lower = ops.logical_and(ops.less(ids, ops.expand_dims(previous, -1)), ids >= FIRST)
    return ops.logical_or(lower, ops.equal(ids, NOTHING_NEW))


def holdable(held: Any) -> Any:
    """Returns which tokens may follow a voice's last note (...): a rest cannot be held, (..., vocabulary)."""
    ids = ops.arange(VOCABULARY, dtype="int32")
    return ops.logical_or(ops.not_equal(ids, NOTHING_NEW), ops.not_equal(ops.expand_dims(held, -1), REST))


def shifted(x: Any, axis: int, value: float = 0) -> Any:
    """Shifts x by one along the axis, with `value` at the first position."""
    width = [(0, 0)] * len(x.shape)
    width[axis] = (1, 0)
    kept = [slice(None)] * len(x.shape)
    kept[axis] = slice(None, -1)
    return ops.pad(x, width, constant_values=value)[tuple(kept)]
