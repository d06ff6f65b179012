"""Beam search for the most probable sequences under a step function. The whole search is one compiled program.

search = BeamSearch(step, variables, vocabulary_size, end=3)
found = search(first, states, beam=5, length=40)
found.tokens[0, 0]                                 # the best sequence of the first row
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from shared import InputError
from shared.layers import backend

Tensor = Any
KEPT = 1.0  # candidate value of a finished sequence: above every log-probability
ROOM = 16  # the token buffer's length is rounded up to a multiple of it, so that few lengths are compiled


@dataclass(frozen=True)
class Found:
    """The sequences found for each row, best first.

    Attributes:
        tokens: (batch, beam, length) int32; finished sequences are padded with `end`.
        lengths: (batch, beam) int32, tokens in each sequence, including `end`.
        scores: (batch, beam) float32, by which the sequences are ranked; -inf where fewer than `beam` exist.
        log_probabilities: (batch, beam) float32, of the whole sequence, in nats.
    """

    tokens: NDArray[np.int32]
    lengths: NDArray[np.int32]
    scores: NDArray[np.float32]
    log_probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """The static arguments that a program is compiled for; see `BeamSearch.__call__`."""

    beam: int
    room: int
    block_ngrams: int
    constrained: bool


class BeamSearch:
    """Keeps the `beam` most probable sequences of each row. Finished ones keep their slots, so fewer are extended.

    Bahdanau et al. (2015), arXiv:1409.0473, appendix B.2.2. At the end, sequences y of |y| tokens are ranked by

        score(y) = log p(y) / ((5 + |y|) / 6) ** length_penalty
                   + coverage_penalty * sum over positions j of log(min(sum over t of a_tj, 1))

    Wu et al. (2016), arXiv:1609.08144, equation 14, where a_tj is the attention weight of step t on position j. Ties
    between candidates go to the higher-ranked sequence, then to the lower token id. With `beam=1` this is greedy
    decoding; if the beam is as wide as the number of possible sequences, it is exhaustive search.

    Args:
        step: a pure function in `keras.ops`: (tokens (rows,) int32, states, *constants) -> (logits (rows, vocabulary),
            states), where states is a list of tensors (rows, ...) whose shapes do not change.
        variables: the Keras variables that `step` reads; each call uses their current values.
        vocabulary_size: positive int, number of tokens.
        end: the token that ends a sequence.
        coverage: index of the state with the sums of a_tj so far (rows, positions); positions that need not be
            covered start at 1. None: there is no such state.
    """

    def __init__(
        self, step: Callable, variables: Sequence[Any], vocabulary_size: int, end: int, coverage: int | None = None
    ) -> None:
        self._model_step, self._variables = step, list(variables)
        self.vocabulary_size, self.end, self.coverage = vocabulary_size, end, coverage
        self._programs: dict[Shape, Callable] = {}

    def __call__(
        self,
        first: Any,
        states: Sequence[Tensor],
        constants: Sequence[Tensor] = (),
        *,
        beam: int = 5,
        length: int = 50,
        length_penalty: float = 0.0,
        coverage_penalty: float = 0.0,
        block_ngrams: int = 0,
        banned: Sequence[int] = (),
        allowed: Any = None,
    ) -> Found:
        """Searches for each row of the batch.

        Args:
            first: (batch,) integers, the input token of the first step.
            states: (batch, ...) each, before the first step.
            constants: (batch, ...) each, passed unchanged to every step.
            beam: positive int, sequences kept for each row.
            length: positive int, maximum tokens in a sequence; an unfinished one is ranked as it is.
            length_penalty: float >= 0; 0 ranks by total log-probability, 1 roughly by log-probability per token.
            coverage_penalty: float >= 0, needs `coverage`.
            block_ngrams: int >= 0; no sequence contains the same n-gram of this length twice; 0: no restriction.
            banned: tokens that are never generated.
            allowed: (1 or batch, length, vocabulary) bool, the tokens allowed at each position. None: all.

        Raises:
            InputError: (a ValueError) if an argument is out of range, or the model's logits are NaN.
        """
        first = np.asarray(first, np.int32)
        _check_settings(beam, length, length_penalty, coverage_penalty, block_ngrams)
        if coverage_penalty and self.coverage is None:
            raise InputError("`coverage_penalty` needs a state that holds the coverage. Received: coverage=None")
        shape = Shape(beam, -(-length // ROOM) * ROOM, block_ngrams, allowed is not None)
        if shape not in self._programs:
            self._programs[shape] = backend.compiled(self._search(shape), self._variables)
        penalties = np.array([length_penalty, coverage_penalty], np.float32)
        limits = [self._forbidden(banned), np.int32(length), penalties]
        if allowed is not None:
            limits.append(self._padded(allowed, len(first), length, shape.room))
        tensors = [[ops.convert_to_tensor(value) for value in values] for values in (states, constants, limits)]
        found = self._programs[shape](ops.convert_to_tensor(first), *tensors)
        tokens, lengths, scores, log_p = (np.array(ops.convert_to_numpy(value)) for value in found)
        if np.isnan(log_p).any():
            raise InputError(
                "The model's logits are not numbers: its training has diverged. "
                "Train it again, with a smaller learning rate."
            )
        return Found(tokens[:, :, :length], lengths, scores, log_p)

    def _search(self, shape: Shape) -> Callable:
        """Builds the program for one shape: first, states, constants, limits -> tokens, lengths, scores, log p."""

        def search(first: Tensor, states: list, constants: list, limits: list) -> tuple:
            batch, beam = first.shape[0], shape.beam
            states, constants = ([ops.repeat(x, beam, axis=0) for x in some] for some in (states, constants))
            length, penalties = limits[1], limits[2]

            def body(t, tokens, last, log_p, done, lengths, states):
                logits, after = self._model_step(ops.reshape(last, (-1,)), list(states), *constants)
                after = [ops.cast(new, old.dtype) for new, old in zip(after, states, strict=True)]
                log_q = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
                log_q = self._restricted(ops.reshape(log_q, (batch, beam, -1)), tokens, t, limits, shape)
                if self.coverage is not None:  # a finished sequence keeps the coverage that it ended with
                    flat_done = ops.reshape(done, (-1, 1))
                    after[self.coverage] = ops.where(flat_done, states[self.coverage], after[self.coverage])
                values, parent, token = self._best(log_p, log_q, done)
                tokens, log_p, lengths = (_taken(x, parent) for x in (tokens, log_p, lengths))
                tokens = ops.where(ops.arange(shape.room) == t, token[..., None], tokens)
                old = values > 0  # finished before
                log_p, lengths = ops.where(old, log_p, values), ops.where(old, lengths, lengths + 1)
                done = ops.logical_or(old, ops.logical_and(token == self.end, values > -math.inf))
                rows = ops.reshape(parent + beam * ops.arange(batch, dtype="int32")[:, None], (-1,))
                return t + 1, tokens, token, log_p, done, lengths, [ops.take(x, rows, axis=0) for x in after]

            def unfinished(t, tokens, last, log_p, done, *_):
                over = ops.logical_or(done, log_p == -math.inf)
                return ops.logical_and(t < length, ops.logical_not(ops.all(over)))

            start = (
                ops.zeros((), "int32"),
                ops.full((batch, beam, shape.room), self.end, "int32"),
                ops.repeat(first[:, None], beam, axis=1),
                # At the start all sequences of a row are the same empty one: only the first of them may be extended.
                ops.where(ops.arange(beam) == 0, 0.0, -math.inf) + ops.zeros((batch, 1), "float32"),
                ops.zeros((batch, beam), "bool"),
                ops.zeros((batch, beam), "int32"),
                states,
            )
            _, tokens, _, log_p, _, lengths, states = ops.while_loop(unfinished, body, start)
            scores, order = ops.top_k(self._scores(log_p, lengths, states, penalties), beam)
            return tuple(_taken(x, order) if x is not scores else x for x in (tokens, lengths, scores, log_p))

        return search

    def _best(self, log_p: Tensor, log_q: Tensor, done: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the best candidates (batch, beam): log-probabilities (`KEPT` if finished), parents, tokens."""
        batch, beam = log_p.shape
        kept = ops.where(ops.arange(self.vocabulary_size) == self.end, KEPT, -math.inf)
        candidates = ops.where(done[..., None], kept, log_p[..., None] + log_q)
        # Top k within each sequence first: several short sorts instead of one long one.
        each = min(beam, self.vocabulary_size)
        values, tokens = ops.top_k(candidates, each)  # (batch, beam, each)
        values, place = ops.top_k(ops.reshape(values, (batch, -1)), beam)
        token = ops.take_along_axis(ops.reshape(tokens, (batch, -1)), place, axis=1)
        return values, ops.cast(place // each, "int32"), ops.cast(token, "int32")

    def _restricted(self, log_q: Tensor, tokens: Tensor, t: Tensor, limits: list, shape: Shape) -> Tensor:
        """Returns log q (batch, beam, vocabulary) with -inf for all tokens that may not come next."""
        log_q = log_q + limits[0]
        if shape.constrained:
            log_q = log_q + ops.slice(limits[3], (0, t, 0), (limits[3].shape[0], 1, self.vocabulary_size))
        if not shape.block_ngrams:
            return log_q
        repeated = _repeated(ops.reshape(tokens, (-1, shape.room)), t, shape.block_ngrams, self.vocabulary_size)
        return ops.where(ops.reshape(repeated, log_q.shape), -math.inf, log_q)

    def _scores(self, log_p: Tensor, lengths: Tensor, states: list, penalties: Tensor) -> Tensor:
        """Returns the score of the class docstring (batch, beam)."""
        scores = log_p / ((5.0 + ops.cast(lengths, "float32")) / 6.0) ** penalties[0]
        if self.coverage is None:
            return scores
        # Clipped so that a position that is never attended to does not make the score -inf.
        covered = ops.log(ops.clip(ops.cast(states[self.coverage], "float32"), 1e-6, 1.0))
        return scores + penalties[1] * ops.reshape(ops.sum(covered, axis=-1), log_p.shape)

    def _forbidden(self, banned: Sequence[int]) -> NDArray[np.float32]:
        """Returns a bias (vocabulary,): -inf for banned tokens, else 0."""
        if banned and not 0 <= min(banned) <= max(banned) < self.vocabulary_size:
            raise InputError(f"Expected banned tokens in [0, {self.vocabulary_size}). Received: {sorted(banned)}")
        bias = np.zeros(self.vocabulary_size, np.float32)
        bias[list(banned)] = -np.inf
        return bias

    def _padded(self, allowed: Any, batch: int, length: int, room: int) -> NDArray[np.float32]:
        """Returns a bias (1 or batch, room, vocabulary): -inf where a token is not allowed, else 0."""
        allowed = np.asarray(allowed, bool)
        if allowed.shape not in [(rows, length, self.vocabulary_size) for rows in (1, batch)]:
            raise InputError(
                f"Expected `allowed` of shape (1 or {batch}, {length}, {self.vocabulary_size}). "
                f"Received: {allowed.shape}"
            )
        bias = np.where(allowed, 0.0, -np.inf).astype(np.float32)
        return np.pad(bias, ((0, 0), (0, room - length), (0, 0)))


def _repeated(tokens: Tensor, t: Tensor, size: int, vocabulary_size: int) -> Tensor:
    """Returns whether each token would repeat an n-gram of length `size` of the first t: (rows, vocabulary) bool."""
    rows, room = tokens.shape
    places = room - size + 1  # where an n-gram may begin
    if places < 1:
        return ops.zeros((rows, vocabulary_size), "bool")
    last = ops.slice(tokens, (0, ops.maximum(t - size + 1, 0)), (rows, size - 1))
    same = ops.broadcast_to(ops.arange(places) + size <= t, (rows, places))  # only n-grams that are already complete
    for number in range(size - 1):
        same = ops.logical_and(same, tokens[:, number : number + places] == last[:, number : number + 1])
    following = tokens[:, size - 1 :]  # (rows, places)
    row = ops.broadcast_to(ops.arange(rows, dtype="int32")[:, None], (rows, places))
    indices = ops.reshape(ops.stack([row, following], axis=-1), (-1, 2))
    return ops.scatter(indices, ops.reshape(ops.cast(same, "float32"), (-1,)), (rows, vocabulary_size)) > 0


def _taken(values: Tensor, index: Tensor) -> Tensor:
    """Returns values[b, index[b, k]] for values (batch, beam, ...)."""
    if len(values.shape) == 3:
        index = index[..., None]
    return ops.take_along_axis(values, index, axis=1)


def _check_settings(beam: int, length: int, length_penalty: float, coverage_penalty: float, block_ngrams: int) -> None:
    """Raises an InputError that names the first setting that is out of range."""
    for name, value, least in (
        ("beam", beam, 1),
        ("length", length, 1),
        ("length_penalty", length_penalty, 0),
        ("coverage_penalty", coverage_penalty, 0),
        ("block_ngrams", block_ngrams, 0),
    ):
        if not least <= value < math.inf:
            raise InputError(f"`{name}` must be at least {least}. Received: {name}={value}")
