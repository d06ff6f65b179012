"""The network as a step function for shared.decoding: computes what `build` does for a piece, one token at a time.

The states hold those of the recurrent layers, the current frame, the plan of all frames, and the allowed tokens; so
the loop treats given melodies, primers and ranges alike.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from .model import NEVER, falling, holdable, note_features, plan_features
from .piece import SLOTS
from .tokens import NOTHING_NEW, PAD, REST, VOCABULARY, slots

UNLIKELY = -1e4  # penalty of a token that is only chosen if nothing else is allowed
# For soprano, bass, alto, tenor: the nearest slot above and below among those already written in the frame; -1: none.
ABOVE, BELOW = (-1, 0, 0, 2), (-1, -1, 1, 1)


def step(model: keras.Model, representation: str) -> Callable:
    """Returns `step(tokens (batch,), states) -> (logits (batch, vocabulary), states)`, sharing the model's weights."""
    width = slots(representation)

    def one_step(tokens: Any, states: list) -> tuple[Any, list]:
        *inner, context, earlier, _, frame, before, sounding, slot, time, known, allowed, strict = states
        here = ops.one_hot(slot, width, dtype="int32")  # (batch, slots)
        held = ops.sum(sounding * here, axis=-1)
        sounds = ops.where(ops.equal(tokens, NOTHING_NEW), held, tokens) if representation == "voices" else tokens
        sounding = sounding * (1 - here) + sounds[:, None] * here
        note = note_features(tokens, sounds)  # (batch, NOTE)
        placed = ops.cast(here, "float32")[:, :, None] * note[:, None]
        frame = frame + ops.reshape(placed, ops.shape(frame))
        earlier = earlier + _own(model, placed) + model.get_layer("earlier_alike")(note)
        done = ops.equal(slot, width - 1)
        if representation == "roll":
            done = ops.logical_or(done, ops.equal(tokens, NOTHING_NEW))
        time = time + ops.cast(done, "int32")
        ahead, after = advance(model, frame, _at(known, time), inner)

        def over(new: Any, old: Any) -> Any:
            return ops.where(ops.reshape(done, (-1, *[1] * (len(old.shape) - 1))), ops.cast(new, old.dtype), old)

        inner = [over(new, old) for new, old in zip(after, inner, strict=True)]
        written = [over(ahead, context), *(over(ops.zeros_like(x), x) for x in (earlier, note, frame))]
        before = over(sounding, before)
        states = [*inner, *written, before, sounding, over(ops.zeros_like(slot), slot + 1)]
        states += [time, known, allowed, strict]
        return masked(model, representation, states), states

    return one_step


def advance(model: keras.Model, frame: Any, known: Any, states: list) -> tuple[Any, list]:
    """Advances by a frame: its features (batch, slots * NOTE), the next plan -> context (batch, hidden), states."""
    features = plan_features(known)
    x = model.get_layer("frame")(ops.concatenate([frame, features], axis=-1))
    h, states = model.get_layer("stack").step(x, states)
    return model.get_layer("context")(ops.concatenate([h, features, frame], axis=-1)), states


def masked(model: keras.Model, representation: str, states: list) -> Any:
    """Returns the logits of the next token (batch, vocabulary), with tokens masked or penalised by the rules."""
    *_, context, earlier, previous, _, before, sounding, slot, time, _, allowed, strict = states
    z = context + earlier + model.get_layer("previous")(previous) + model.get_layer("slot")(slot)
    z = ops.relu(z)
    z = z + model.get_layer("deeper")(z)
    logits = model.get_layer("logits")(z)
    width = slots(representation)
    flat = ops.reshape(allowed, (ops.shape(allowed)[0], -1, VOCABULARY))
    here = ops.minimum(time * width + slot, ops.shape(flat)[1] - 1)
    logits = ops.where(ops.take_along_axis(flat, here[:, None, None], axis=1)[:, 0], logits, NEVER)
    if representation == "roll":
        first = ops.equal(slot, 0)
        last = ops.argmax(previous[:, :VOCABULARY], axis=-1)
        return ops.where(falling(ops.where(first, PAD, ops.cast(last, "int32"))), logits, NEVER)
    held = ops.sum(sounding * ops.one_hot(slot, width, dtype="int32"), axis=-1)
    logits = ops.where(holdable(held), logits, NEVER)
    crosses = ops.cast(_crosses(sounding, slot, held), "float32")
    parallel = ops.cast(_parallel(before, sounding, slot, held), "float32")
    return logits + UNLIKELY * strict[:, None] * (2 * crosses + parallel)  # a parallel is the lesser evil


def _own(model: keras.Model, placed: Any) -> Any:
    """Returns the written slot's contribution to later ones: (batch, slots, NOTE), else zeros -> (batch, hidden)."""
    return ops.einsum("bsf,sfh->bh", placed, model.get_layer("earlier_own").kernel)


def _at(known: Any, time: Any) -> Any:
    """Returns known[b, time[b]], (batch, 5); the last row after the end."""
    time = ops.minimum(time, ops.shape(known)[1] - 1)
    return ops.take_along_axis(known, time[:, None, None], axis=1)[:, 0]


def _crosses(sounding: Any, slot: Any, held: Any) -> Any:
    """Returns which tokens would cross a higher or a lower voice (batch, vocabulary)."""
    pitch = _pitches(held)
    crossed = ops.zeros_like(pitch, dtype="bool")
    for number in range(SLOTS):
        for other, sign in ((ABOVE[number], 1), (BELOW[number], -1)):
            if other >= 0:
                far = sign * (pitch - sounding[:, other][:, None]) > 0
                both = ops.logical_and(pitch != REST, ops.not_equal(sounding[:, other], REST)[:, None])
                here = ops.logical_and(ops.logical_and(far, both), ops.equal(slot, number)[:, None])
                crossed = ops.logical_or(crossed, here)
    return crossed


def _parallel(before: Any, sounding: Any, slot: Any, held: Any) -> Any:
    """Returns which tokens would make parallel fifths or octaves with an earlier slot (batch, vocabulary).

    `held` is the slot's note in the previous frame, `before` those of all slots.
    """
    pitch = _pitches(held)
    step = pitch - held[:, None]
    found = ops.zeros_like(pitch, dtype="bool")
    for other in range(SLOTS - 1):
        then, now = before[:, other][:, None], sounding[:, other][:, None]
        interval = ops.abs(held[:, None] - then) % 12
        perfect = ops.logical_or(ops.equal(interval, 0), ops.equal(interval, 7))
        alike = ops.logical_and(perfect, ops.equal(ops.abs(pitch - now) % 12, interval))
        # REST is a placeholder far below the pitches of resting voices: its intervals are meaningless.
        sung = ops.logical_and(ops.minimum(ops.minimum(then, now), held[:, None]) != REST, pitch != REST)
        moved = ops.logical_and(step * (now - then) > 0, ops.less(other, slot)[:, None])
        found = ops.logical_or(found, functools.reduce(ops.logical_and, [alike, sung, moved]))
    return found


def _pitches(held: Any) -> Any:
    """Returns the sounding note after each token in a voice that sounded `held` (batch,): (batch, vocabulary)."""
    ids = ops.arange(VOCABULARY, dtype="int32")[None]
    return ops.where(ops.equal(ids, NOTHING_NEW), held[:, None], ids)
