"""The baseline: a Markov chain for each voice."""

import numpy as np

from .piece import Piece
from .tokens import NOTHING_NEW, PAD, VOCABULARY, encode, slots

ORDERS = (1, 2, 3)
START = VOCABULARY + 1  # symbol for positions before the first frame


class Markov:
    """A back-off model of one voice's tokens given its last `order` frames and the earlier voices of the same frame.

    Witten and Bell (1991), "The zero-frequency problem", doi:10.1109/18.87000, method C, interpolated:

        p_k(w | h) = (c(h w) + n(h) p_{k-1}(w | h')) / (c(h) + n(h)),   p_{-1}(w) = 1 / vocabulary

    c is a count, n(h) the number of different tokens after h, and h' drops the oldest part of h. The context holds,
    newest first, the sounding notes of the earlier slots in this frame (at most `within`), then this slot's past notes.

    Args:
        order: number of past frames of the slot. within: number of slots of the same frame.
    """

    def __init__(self, order: int, within: int = 0) -> None:
        self.order, self.within = order, within
        self.name = f"markov_{order}" + (f"_within_{within}" if within else "")
        self.counts: list[list[dict[tuple, dict[int, int]]]] = []

    def fit(self, pieces: list[Piece], representation: str) -> "Markov":
        """Counts the pieces; returns the model itself."""
        self.representation = representation
        depth = self.order + self.within
        self.counts = [[{} for _ in range(depth + 1)] for _ in range(slots(representation))]
        for piece in pieces:
            tokens, contexts = _contexts(piece, representation, self.order, self.within)
            for slot in range(tokens.shape[1]):
                for token, context in zip(tokens[:, slot].tolist(), contexts[slot], strict=True):
                    if token == PAD:
                        continue
                    for k in range(len(context) + 1):
                        after = self.counts[slot][k].setdefault(context[:k], {})
                        after[token] = after.get(token, 0) + 1
        return self

    def chances(self, slot: int, context: tuple) -> np.ndarray:
        """Returns p of every token (vocabulary,) in the slot, given the context, newest first."""
        p = np.full(VOCABULARY, 1 / VOCABULARY)
        for k in range(len(context) + 1):
            after = self.counts[slot][k].get(context[:k])
            if not after:
                break
            counts = np.zeros(VOCABULARY)
            counts[list(after)] = list(after.values())
            p = (counts + len(after) * p) / (counts.sum() + len(after))
        return p

    def measure(self, pieces: list[Piece]) -> tuple[np.ndarray, np.ndarray]:
        """Returns the nats of each piece (pieces,), and the top-1 accuracy of each slot (slots,)."""
        nats = np.zeros(len(pieces))
        right, seen = np.zeros(slots(self.representation)), np.zeros(slots(self.representation))
        known: dict[tuple, np.ndarray] = {}
        for number, piece in enumerate(pieces):
            tokens, contexts = _contexts(piece, self.representation, self.order, self.within)
            for slot in range(tokens.shape[1]):
                for token, context in zip(tokens[:, slot].tolist(), contexts[slot], strict=True):
                    if token == PAD:
                        continue
                    key = (slot, context)
                    if key not in known:
                        known[key] = self.chances(slot, context)
                    p = known[key]
                    nats[number] -= np.log(p[token])
                    right[slot] += p.argmax() == token
                    seen[slot] += 1
        return nats, right / np.maximum(seen, 1)

    def harmonise(self, piece: Piece) -> np.ndarray:
        """Returns the most likely tokens (time, slots) given the first slot's, each voice given the earlier choices."""
        tokens, sounding = encode(piece, self.representation)
        tokens, sounding = tokens.copy(), sounding.copy()
        for time in range(len(tokens)):
            for slot in range(1, tokens.shape[1]):
                p = self.chances(slot, _context(sounding, time, slot, self.order, self.within))
                token = int(p.argmax())
                if token == NOTHING_NEW and time == 0:
                    token = int(np.argsort(-p)[1])
                tokens[time, slot] = token
                sounding[time, slot] = sounding[time - 1, slot] if token == NOTHING_NEW else token
        return tokens


def _context(sounding: np.ndarray, time: int, slot: int, order: int, within: int) -> tuple:
    """Returns the context, newest first: the frame's earlier slots, from the first one, then the slot's own past."""
    same = sounding[time, : min(slot, within)].tolist()
    past = [int(sounding[t, slot]) if t >= 0 else START for t in range(time - 1, time - 1 - order, -1)]
    return (*same, *past)


def _contexts(piece: Piece, representation: str, order: int, within: int) -> tuple[np.ndarray, list[list[tuple]]]:
    tokens, sounding = encode(piece, representation)
    return tokens, [
        [_context(sounding, t, slot, order, within) for t in range(len(tokens))] for slot in range(tokens.shape[1])
    ]
