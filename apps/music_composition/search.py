"""Finds the most likely piece with a given melody, by beam search over its tokens with a compiled step."""

import numpy as np
from keras import ops

from .piece import Piece
from .predict import Predictor
from .tokens import VOCABULARY


def search(
    predictor: Predictor, known: np.ndarray, allowed: np.ndarray, like: Piece, beam: int, free: bool
) -> tuple[Piece, float]:
    """Returns the most likely piece found, and its nats per frame.

    Args:
        known: plan (time, 5). allowed: (time, slots, vocabulary), the tokens allowed at each position.
        like: piece whose bars and fermatas to use. beam: hypotheses kept after each token. free: allow voice crossing.
    """
    # The loop's own mask would make forced tokens certain; masking here, an unlikely melody costs its nats.
    every = np.ones((beam, *allowed.shape), bool)
    logits, states = predictor.begin(np.repeat(known[None], beam, 0), every, free)
    fixed = states[-3:]  # these states are the same for all hypotheses
    scores = np.where(np.arange(beam) == 0, 0.0, -np.inf)  # all hypotheses are equal at the start, so only one is kept
    written = np.zeros((beam, 0), np.int64)
    for _ in range(len(like) * predictor.slots):
        slot, time = (np.array(state) for state in states[-5:-3])
        fitting = allowed[np.minimum(time, len(allowed) - 1), slot]  # (beam, vocabulary)
        each = np.where(fitting, scores[:, None] - _nats(np.array(logits, np.float64)), -np.inf)
        best = np.argsort(-each, axis=None, kind="stable")[:beam]
        parents, tokens = np.divmod(best, VOCABULARY)
        scores = each[parents, tokens]
        written = np.concatenate([written[parents], tokens[:, None]], axis=1)
        states = [ops.take(state, parents, axis=0) for state in states[:-3]] + list(fixed)
        logits, states = predictor.stepper(ops.convert_to_tensor(tokens.astype(np.int32)), states)
    return predictor.piece(written[0], like), float(-scores[0] / len(like))


def _nats(logits: np.ndarray) -> np.ndarray:
    """Returns -log softmax (batch, vocabulary)."""
    return np.logaddexp.reduce(logits, axis=-1, keepdims=True) - logits
