"""A trained run, ready to write: token after token, by the same network that reads whole pieces.

`step` is what `build` computes, seen from inside the loop of shared.decoding. Its states carry the recurrent layers'
own, the frame as far as it is written, what is known of all frames, and which tokens may stand where.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from shared import runs
from shared.data.sequences import pad
from shared.decoding import Decoder
from shared.layers import backend

from .data import frames
from .model import NEVER, NOTE, falling, holdable, note_features, plan_features
from .piece import LOWEST, SLOTS, Piece, make
from .tokens import FIRST, NOTHING_NEW, ORDER, PAD, PLAN, REST, VOCABULARY, decode, encode, plan, slots

LENGTHS = 64  # frames; lengths are rounded up to a multiple, so that few are compiled
UNLIKELY = -1e4  # a score that is only taken where nothing else is left
# The slots above and below each slot of soprano, bass, alto, tenor, of those already written in the frame; -1: none.
ABOVE, BELOW = (-1, 0, 0, 2), (-1, -1, 1, 1)


class Writer:
    """A run's network and what it learned from its training pieces."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info, self.model = run, run.info(), run.load_model()
        self.form, self.steps = self.info["form"], self.info["steps"]
        self.slots = slots(self.form)
        self._decoders: dict[bool, Decoder] = {}
        self._steppers: dict[bool, Callable] = {}

    def decoder(self, free: bool) -> Decoder:
        """The compiled loops; with `free` the voices may cross."""
        if free not in self._decoders:
            self._decoders[free] = Decoder(step(self.model, self.form, free), self.model.variables, VOCABULARY)
        return self._decoders[free]

    def stepper(self, free: bool) -> Callable:
        """The compiled step alone, for a search."""
        if free not in self._steppers:
            self._steppers[free] = backend.compiled(step(self.model, self.form, free), self.model.variables)
        return self._steppers[free]

    def begin(self, known: np.ndarray, allowed: np.ndarray) -> tuple[Any, list]:
        """Before the first token: plan (batch, time, 5), allowed (batch, time, slots, vocabulary) -> logits, states."""
        batch, time = known.shape[:2]
        more = -time % LENGTHS
        known = np.pad(known, ((0, 0), (0, more), (0, 0)), mode="edge")
        allowed = np.pad(allowed, ((0, 0), (0, more), (0, 0), (0, 0)), mode="edge")
        stack = self.model.get_layer("stack")
        states = [ops.convert_to_tensor(state) for state in stack.get_initial_state(batch)]
        empty = np.zeros((batch, self.slots * NOTE), np.float32)
        context, states = advance(self.model, ops.convert_to_tensor(empty), ops.convert_to_tensor(known[:, 0]), states)
        zeros = np.zeros_like(ops.convert_to_numpy(context))
        fields = [zeros, np.zeros((batch, NOTE), np.float32), empty, np.full((batch, self.slots), REST, np.int32)]
        fields += [np.zeros(batch, np.int32), np.zeros(batch, np.int32), known.astype(np.int32), allowed]
        states = [*states, context, *(ops.convert_to_tensor(field) for field in fields)]
        return masked(self.model, self.form, True, states), states

    def write(
        self,
        pieces: list[Piece],
        allowed: np.ndarray,
        *,
        temperature: float,
        top_p: float,
        seed: int,
        free: bool = False,
    ) -> list[Piece]:
        """Pieces of the length, bars, fermatas and keys of the given ones, with notes of its own.

        Raises:
            InputError: temperature or top_p out of range.
        """
        frames_most = max(map(len, pieces))
        known = [plan(piece, self.form) for piece in pieces]
        known = np.stack([np.pad(each, ((0, frames_most - len(each)), (0, 0)), mode="edge") for each in known])
        logits, states = self.begin(known, allowed)
        length = frames_most * self.slots
        chunks = self.decoder(free).sample(
            logits, states, length, temperature=temperature, top_p=top_p, seed=seed, chunk=256
        )
        tokens = np.concatenate(list(chunks), axis=1)
        return [self.piece(row, like) for row, like in zip(tokens, pieces, strict=True)]

    def piece(self, tokens: np.ndarray, like: Piece) -> Piece:
        """The piece that a row of tokens (time * slots,) writes, with the bars of another."""
        rows = np.full((len(like), self.slots), PAD, np.int64)
        if self.form == "voices":
            rows[:] = tokens[: rows.size].reshape(rows.shape)
        else:
            tokens = iter(tokens.tolist())
            for row in rows:  # a roll's frame ends early
                for slot in range(self.slots):
                    row[slot] = next(tokens)
                    if row[slot] == NOTHING_NEW:
                        break
        pitches, struck = decode(rows, self.form)
        known = {name: getattr(like, name) for name in ("position", "bar", "fermata", "key")}
        return make(like.name, pitches, struck, self.steps, **known)

    def nats(self, piece: Piece) -> np.ndarray:
        """The surprise of each frame and slot of a piece (time, slots); 0 beyond the end of a roll's frame."""
        return measured(self.model, [piece], self.form)[0][0]


def measured(
    model: keras.Model, pieces: list[Piece], form: str, batch: int = 16
) -> tuple[list[np.ndarray], np.ndarray]:
    """-log p of each token of whole pieces, each (time, slots), and how often each slot's likeliest token is right.

    The nats are computed in float64 from the logits; what lies beyond the end of a roll's frame has none.
    """
    found: list[np.ndarray] = [np.zeros(0)] * len(pieces)
    right, seen = np.zeros(slots(form)), np.zeros(slots(form))
    order = np.argsort([len(piece) for piece in pieces], kind="stable")
    for start in range(0, len(order), batch):
        numbers = order[start : start + batch]
        rows, mask = pad([frames(pieces[n], form) for n in numbers], -(-len(pieces[numbers[-1]]) // LENGTHS) * LENGTHS)
        logits = np.array(model([rows.astype(np.int32), mask], training=False), np.float64)
        tokens = rows[..., : slots(form)]
        real = (tokens < PAD) & mask[..., None]
        picked = np.take_along_axis(logits, np.minimum(tokens, VOCABULARY - 1)[..., None], axis=-1)[..., 0]
        each = (np.logaddexp.reduce(logits, axis=-1) - picked) * real
        right += ((logits.argmax(axis=-1) == tokens) & real).sum(axis=(0, 1))
        seen += real.sum(axis=(0, 1))
        for number, row in zip(numbers, each, strict=True):
            found[number] = row[: len(pieces[number])]
    return found, right / np.maximum(seen, 1)


def step(model: keras.Model, form: str, free: bool) -> Callable:
    """`step(tokens (batch,), states) -> (logits (batch, vocabulary), states)` with the model's own weights."""
    width = slots(form)

    def one_step(tokens: Any, states: list) -> tuple[Any, list]:
        *inner, context, earlier, _, frame, sounding, slot, time, known, allowed = states
        here = ops.one_hot(slot, width, dtype="int32")  # (batch, slots)
        held = ops.sum(sounding * here, axis=-1)
        sounds = ops.where(ops.equal(tokens, NOTHING_NEW), held, tokens) if form == "voices" else tokens
        sounding = sounding * (1 - here) + sounds[:, None] * here
        note = note_features(tokens, sounds)  # (batch, NOTE)
        placed = ops.cast(here, "float32")[:, :, None] * note[:, None]
        frame = frame + ops.reshape(placed, ops.shape(frame))
        earlier = earlier + _own(model, placed) + model.get_layer("earlier_alike")(note)
        done = ops.equal(slot, width - 1)
        if form == "roll":
            done = ops.logical_or(done, ops.equal(tokens, NOTHING_NEW))
        time = time + ops.cast(done, "int32")
        ahead, after = advance(model, frame, _at(known, time), inner)

        def over(new: Any, old: Any) -> Any:
            return ops.where(ops.reshape(done, (-1, *[1] * (len(old.shape) - 1))), ops.cast(new, old.dtype), old)

        inner = [over(new, old) for new, old in zip(after, inner, strict=True)]
        written = [over(ahead, context), *(over(ops.zeros_like(x), x) for x in (earlier, note, frame))]
        states = [*inner, *written, sounding, over(ops.zeros_like(slot), slot + 1), time, known, allowed]
        return masked(model, form, free, states), states

    return one_step


def advance(model: keras.Model, frame: Any, known: Any, states: list) -> tuple[Any, list]:
    """One frame on: its features (batch, slots * NOTE), plan of the next (batch, 5) -> context (batch, hidden), states."""
    features = plan_features(known)
    x = model.get_layer("frame")(ops.concatenate([frame, features], axis=-1))
    h, states = model.get_layer("stack").step(x, states)
    return model.get_layer("context")(ops.concatenate([h, features, frame], axis=-1)), states


def masked(model: keras.Model, form: str, free: bool, states: list) -> Any:
    """The scores of the next token (batch, vocabulary); far down where it may not stand."""
    *_, context, earlier, previous, _, sounding, slot, time, _, allowed = states
    z = context + earlier + model.get_layer("previous")(previous) + model.get_layer("slot")(slot)
    z = ops.relu(z)
    z = z + model.get_layer("deeper")(z)
    logits = model.get_layer("logits")(z)
    width = slots(form)
    flat = ops.reshape(allowed, (ops.shape(allowed)[0], -1, VOCABULARY))
    here = ops.minimum(time * width + slot, ops.shape(flat)[1] - 1)
    logits = ops.where(ops.take_along_axis(flat, here[:, None, None], axis=1)[:, 0], logits, NEVER)
    if form == "roll":
        first = ops.equal(slot, 0)
        last = ops.argmax(previous[:, :VOCABULARY], axis=-1)
        return ops.where(falling(ops.where(first, PAD, ops.cast(last, "int32"))), logits, NEVER)
    held = ops.sum(sounding * ops.one_hot(slot, width, dtype="int32"), axis=-1)
    logits = ops.where(holdable(held), logits, NEVER)
    return logits if free else logits + UNLIKELY * ops.cast(_crosses(sounding, slot, held), "float32")


def _own(model: keras.Model, placed: Any) -> Any:
    """What the written slot says to the later ones: (batch, slots, NOTE), zeros elsewhere -> (batch, hidden)."""
    return ops.einsum("bsf,sfh->bh", placed, model.get_layer("earlier_own").kernel)


def _at(known: Any, time: Any) -> Any:
    """known[b, time[b]] -> (batch, 5); after the end the last row."""
    time = ops.minimum(time, ops.shape(known)[1] - 1)
    return ops.take_along_axis(known, time[:, None, None], axis=1)[:, 0]


def _crosses(sounding: Any, slot: Any, held: Any) -> Any:
    """Which tokens would put the slot's voice over a higher or under a lower one (batch, vocabulary)."""
    ids = ops.arange(VOCABULARY, dtype="int32")[None]
    pitch = ops.where(ops.equal(ids, NOTHING_NEW), held[:, None], ids)
    crossed = ops.zeros_like(pitch, dtype="bool")
    for number in range(SLOTS):
        for other, sign in ((ABOVE[number], 1), (BELOW[number], -1)):
            if other >= 0:
                far = sign * (pitch - sounding[:, other][:, None]) > 0
                both = ops.logical_and(pitch != REST, ops.not_equal(sounding[:, other], REST)[:, None])
                here = ops.logical_and(ops.logical_and(far, both), ops.equal(slot, number)[:, None])
                crossed = ops.logical_or(crossed, here)
    return crossed


def free_tokens(writer: Writer, pieces: list[Piece], ranges: bool) -> np.ndarray:
    """Which tokens may stand where (batch, time, slots, vocabulary): pitches in the voices' ranges, rests if they had any.

    In a roll all pitches of the training pieces may.
    """
    one = np.zeros((writer.slots, VOCABULARY), bool)
    one[:, NOTHING_NEW] = True
    pitches = np.arange(VOCABULARY) - FIRST + LOWEST
    for slot in range(writer.slots):
        bounds = writer.info["ranges"]
        low, high = (
            bounds[ORDER[slot]] if writer.form == "voices" else (min(b[0] for b in bounds), max(b[1] for b in bounds))
        )
        inside = (pitches >= low) & (pitches <= high) if ranges else np.ones(VOCABULARY, bool)
        one[slot, FIRST:] = inside[FIRST:] & bool(high)
        one[slot, REST] = writer.form == "voices" and (not high or writer.info["rests"][ORDER[slot]] > 0.02)
    return np.broadcast_to(one, (len(pieces), max(map(len, pieces)), *one.shape)).copy()


def force(allowed: np.ndarray, piece: Piece, form: str, frames_kept: slice, slots_kept: slice) -> None:
    """Leaves of `allowed` (time, slots, vocabulary) the piece's own tokens alone, in these frames and slots."""
    tokens, _ = encode(piece, form)
    for time in range(*frames_kept.indices(len(piece))):
        for slot in range(*slots_kept.indices(allowed.shape[1])):
            if tokens[time, slot] < PAD:
                allowed[time, slot] = False
                allowed[time, slot, tokens[time, slot]] = True
