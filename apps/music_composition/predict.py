"""Loads a trained run to compose pieces and to compute their surprise."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from shared import lines, runs
from shared.data.sequences import pad
from shared.decoding import Decoder
from shared.layers import backend

from .config import APP
from .data import frames
from .model import NOTE
from .piece import LOWEST, Piece, make
from .token_step import advance, masked, step
from .tokens import FIRST, NOTHING_NEW, ORDER, PAD, REST, VOCABULARY, decode, encode, plan, slots

RESTS = 0.02  # a voice that rests for a smaller share of the training pieces never rests in new ones
LENGTHS = 64  # frames; lengths are padded to a multiple of this, so that few are compiled


class Predictor:
    """A trained run, ready for inference: its network and the statistics of its training pieces."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info, self.model = run, run.info(), run.load_model()
        self.representation, self.steps = self.info["representation"], self.info["steps"]
        self.slots = slots(self.representation)
        one_step = step(self.model, self.representation)
        self.decoder = Decoder(one_step, self.model.variables, VOCABULARY)
        self.stepper = backend.compiled(one_step, self.model.variables)  # a single step, for beam search

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, wishes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Composes a piece for each wish: options of predict by name, such as {"key": "G major", "bars": 8, "seed": 1}.

        Returns:
            Each as described in `compose.described`.

        Raises:
            InputError: an option is unknown or invalid.
        """
        from . import compose  # it knows this class

        return [compose.wished(self, wish) for wish in lines.several(wishes, Mapping, "dicts")]

    def begin(self, known: np.ndarray, allowed: np.ndarray, free: bool = False) -> tuple[Any, list]:
        """Plan (batch, time, 5), allowed (batch, time, slots, vocabulary) -> logits of the first token, initial states.

        Unless `free`, crossing voices and parallel fifths or octaves are avoided where possible.
        """
        batch, time = known.shape[:2]
        more = -time % LENGTHS
        known = np.pad(known, ((0, 0), (0, more), (0, 0)), mode="edge")
        allowed = np.pad(allowed, ((0, 0), (0, more), (0, 0), (0, 0)), mode="edge")
        stack = self.model.get_layer("stack")
        states = [ops.convert_to_tensor(state) for state in stack.get_initial_state(batch)]
        empty = np.zeros((batch, self.slots * NOTE), np.float32)
        context, states = advance(self.model, ops.convert_to_tensor(empty), ops.convert_to_tensor(known[:, 0]), states)
        zeros = np.zeros_like(ops.convert_to_numpy(context))
        silent = np.full((batch, self.slots), REST, np.int32)
        fields = [zeros, np.zeros((batch, NOTE), np.float32), empty, silent, silent]
        fields += [np.zeros(batch, np.int32), np.zeros(batch, np.int32), known.astype(np.int32), allowed]
        fields.append(np.full(batch, 0.0 if free else 1.0, np.float32))
        states = [*states, context, *(ops.convert_to_tensor(field) for field in fields)]
        return masked(self.model, self.representation, states), states

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
        """Composes pieces with the length, bars, fermatas and keys of the given ones.

        Raises:
            InputError: temperature or top_p is out of range.
        """
        frames_most = max(map(len, pieces))
        known = [plan(piece, self.representation) for piece in pieces]
        known = np.stack([np.pad(each, ((0, frames_most - len(each)), (0, 0)), mode="edge") for each in known])
        logits, states = self.begin(known, allowed, free)
        length = frames_most * self.slots
        chunks = self.decoder.sample(logits, states, length, temperature=temperature, top_p=top_p, seed=seed, chunk=256)
        tokens = np.concatenate(list(chunks), axis=1)
        return [self.piece(row, like) for row, like in zip(tokens, pieces, strict=True)]

    def piece(self, tokens: np.ndarray, like: Piece) -> Piece:
        """Converts a row of tokens (time * slots,) to a piece, with the bars of another."""
        rows = np.full((len(like), self.slots), PAD, np.int64)
        if self.representation == "voices":
            rows[:] = tokens[: rows.size].reshape(rows.shape)
        else:
            tokens = iter(tokens.tolist())
            for row in rows:  # a roll's frame may end early
                for slot in range(self.slots):
                    row[slot] = next(tokens)
                    if row[slot] == NOTHING_NEW:
                        break
        pitches, struck = decode(rows, self.representation)
        known = {name: getattr(like, name) for name in ("position", "bar", "fermata", "key")}
        return make(like.name, pitches, struck, self.steps, **known)

    def nats(self, piece: Piece) -> np.ndarray:
        """Returns the nats of each frame and slot of a piece (time, slots); 0 after the end of a roll's frame."""
        return measured(self.model, [piece], self.representation)[0][0]


def measured(
    model: keras.Model, pieces: list[Piece], representation: str, batch: int = 16
) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns -log p of each token of whole pieces, each (time, slots), and the top-1 accuracy of each slot.

    The nats are computed in float64 from the logits; padding after the end of a roll's frame has none.
    """
    found: list[np.ndarray] = [np.zeros(0)] * len(pieces)
    right, seen = np.zeros(slots(representation)), np.zeros(slots(representation))
    order = np.argsort([len(piece) for piece in pieces], kind="stable")
    for start in range(0, len(order), batch):
        numbers = order[start : start + batch]
        rows, mask = pad(
            [frames(pieces[n], representation) for n in numbers], -(-len(pieces[numbers[-1]]) // LENGTHS) * LENGTHS
        )
        logits = np.array(model([rows.astype(np.int32), mask], training=False), np.float64)
        tokens = rows[..., : slots(representation)]
        real = (tokens < PAD) & mask[..., None]
        picked = np.take_along_axis(logits, np.minimum(tokens, VOCABULARY - 1)[..., None], axis=-1)[..., 0]
        each = (np.logaddexp.reduce(logits, axis=-1) - picked) * real
        right += ((logits.argmax(axis=-1) == tokens) & real).sum(axis=(0, 1))
        seen += real.sum(axis=(0, 1))
        for number, row in zip(numbers, each, strict=True):
            found[number] = row[: len(pieces[number])]
    return found, right / np.maximum(seen, 1)


def free_tokens(predictor: Predictor, pieces: list[Piece], ranges: bool) -> np.ndarray:
    """Returns the allowed tokens (batch, time, slots, vocabulary): pitches in the voices' ranges, rests if they rest.

    In a roll, all pitches within the range of the training pieces are allowed.
    """
    one = np.zeros((predictor.slots, VOCABULARY), bool)
    one[:, NOTHING_NEW] = True
    pitches = np.arange(VOCABULARY) - FIRST + LOWEST
    for slot in range(predictor.slots):
        bounds = predictor.info["ranges"]
        low, high = (
            bounds[ORDER[slot]]
            if predictor.representation == "voices"
            else (min(b[0] for b in bounds), max(b[1] for b in bounds))
        )
        inside = (pitches >= low) & (pitches <= high) if ranges else np.ones(VOCABULARY, bool)
        one[slot, FIRST:] = inside[FIRST:] & bool(high)
        one[slot, REST] = predictor.representation == "voices" and (
            not high or predictor.info["rests"][ORDER[slot]] > RESTS
        )
    return np.broadcast_to(one, (len(pieces), max(map(len, pieces)), *one.shape)).copy()


def force(allowed: np.ndarray, piece: Piece, representation: str, frames_kept: slice, slots_kept: slice) -> None:
    """Restricts `allowed` (time, slots, vocabulary) to the piece's own tokens in these frames and slots, in place."""
    tokens, _ = encode(piece, representation)
    for time in range(*frames_kept.indices(len(piece))):
        for slot in range(*slots_kept.indices(allowed.shape[1])):
            if tokens[time, slot] < PAD:
                allowed[time, slot] = False
                allowed[time, slot, tokens[time, slot]] = True
