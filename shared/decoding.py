"""Sampling from a language model one token at a time: the whole loop is one compiled program.

decoder = Decoder(step, variables, vocabulary_size)
logits, states = decoder.read(prompt, states)
for chunk in decoder.sample(logits, states, length=500, temperature=0.8, seed=1):
    ...                                            # (batch, <= chunk) tokens, as they are generated
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from shared import InputError
from shared.layers import backend

Tensor = Any
Step = Callable[[Tensor, list], tuple[Tensor, list]]


@dataclass(frozen=True)
class Rule:
    """How the next token is chosen. One program is compiled for each rule.

    Attributes:
        greedy: take the most probable token, the lowest id in a tie.
        top_k: sample from the `top_k` most probable tokens, at most the whole vocabulary; 0 for all.
        nucleus: sample from the smallest set of most probable tokens whose total probability reaches `top_p`.
    """

    greedy: bool = False
    top_k: int = 0
    nucleus: bool = False


def choose(logits: Tensor, uniform: Tensor, rule: Rule, temperature: Tensor, top_p: Tensor) -> Tensor:
    """Draws one token for each row by inverting the cumulative distribution.

    Nucleus sampling: Holtzman et al. (2020), "The curious case of neural text degeneration", arXiv:1904.09751, applied
    to the tokens that `top_k` keeps, renormalised. Ties go to the lower token id.

    Args:
        logits: (batch, vocabulary) float; -inf bans a token, at least one per row is finite.
        uniform: (batch,) uniform random numbers in [0, 1).
        rule: determines the candidates.
        temperature: positive scalar that divides the logits.
        top_p: scalar in (0, 1].

    Returns:
        (batch,) int32.
    """
    if rule.greedy:
        return ops.cast(ops.argmax(logits, axis=-1), "int32")
    tokens = None
    if rule.top_k or rule.nucleus:
        logits, tokens = ops.top_k(logits, rule.top_k or logits.shape[-1])
    # Subtract the maximum first, so that a small temperature does not overflow.
    weights = ops.exp((logits - ops.max(logits, axis=-1, keepdims=True)) / temperature)
    if rule.nucleus:
        before = ops.cumsum(weights, axis=-1) - weights
        weights = ops.where(before < top_p * ops.sum(weights, axis=-1, keepdims=True), weights, 0.0)
    cumulative = ops.cumsum(weights, axis=-1)
    possible = weights > 0
    # The maximum over the candidates, not the last entry: rounding may make a cumulative sum decrease slightly.
    total = ops.max(ops.where(possible, cumulative, 0.0), axis=-1, keepdims=True)
    hit = ops.logical_and(possible, cumulative > uniform[:, None] * total)
    places = ops.arange(logits.shape[-1], dtype="int32")
    place = ops.min(ops.where(hit, places, logits.shape[-1]), axis=-1)
    if tokens is None:
        return place
    return ops.cast(ops.take_along_axis(tokens, place[:, None], axis=-1)[:, 0], "int32")


def score(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the surprisal of each target: -log softmax(logits)[target].

    Args:
        logits: (..., vocabulary) float, cast to float32.
        targets: (...) integers.

    Returns:
        (...) float32, in nats.
    """
    logits = ops.cast(logits, "float32")
    picked = ops.take_along_axis(logits, ops.expand_dims(ops.cast(targets, "int32"), -1), axis=-1)
    return ops.logsumexp(logits, axis=-1) - picked[..., 0]


class Decoder:
    """Runs a language model one token at a time. Each loop is one compiled program that carries the state.

    Each distinct shape and `Rule` is compiled once, on first use.

    Args:
        step: a pure function in `keras.ops`: (tokens (batch,) int32, states) -> (logits (batch, vocabulary),
            states), where states is a list of tensors (batch, ...) whose shapes do not change.
        variables: the Keras variables that `step` reads; each call uses their current values.
        vocabulary_size: positive int, number of tokens.
    """

    def __init__(self, step: Step, variables: Sequence[Any], vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self._model_step = step
        self._variables = list(variables)
        self._read = backend.compiled(self._read_loop, self._variables)
        self._nats = backend.compiled(self._nats_loop, self._variables)
        self._samplers: dict[Rule, Callable] = {}

    def read(self, ids: Any, states: Sequence[Tensor]) -> tuple[Tensor, list]:
        """Processes a prompt. Its length is padded to a power of two, so that few lengths are compiled.

        Args:
            ids: (batch, time) integers in [0, vocabulary_size), at least one step.
            states: the state before the prompt.

        Returns:
            (logits (batch, vocabulary) float32 after the last token, states).

        Raises:
            InputError: (a ValueError) if `ids` has the wrong shape, is empty or is outside the vocabulary.
        """
        tokens = self._checked(ids)
        length = tokens.shape[1]
        padded = _padded(tokens.T, 1 << (length - 1).bit_length())
        logits, states = self._read(_tensor(padded), _scalar(length, "int32"), _tensors(states))
        return logits, list(states)

    def sample(
        self,
        logits: Tensor,
        states: Sequence[Tensor],
        length: int,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
        chunk: int = 512,
        banned: Sequence[int] = (),
    ) -> Iterator[NDArray[np.int32]]:
        """Generates `length` tokens and yields them in chunks. See `choose` for the order of the filters.

        The random numbers come from `numpy.random.Philox(seed)`, one per token, so neither `chunk` nor the backend
        changes the text (except through rounding differences in the logits between backends).

        Args:
            logits: (batch, vocabulary) float, after the last token so far, as `read` returns them.
            states: the corresponding states.
            length: int >= 0, tokens to generate in each row.
            temperature: float >= 0 that divides the logits; below 1e-6 decoding is greedy.
            top_k: int >= 0, samples from the `top_k` most probable tokens; 0 for all.
            top_p: float in (0, 1], samples from the smallest set of tokens whose total probability reaches it.
            seed: int >= 0.
            chunk: positive int, tokens per chunk; the last one may be shorter. The overhead of a chunk is about the
                cost of 15 tokens (measured, 2 x 512).
            banned: tokens that are never generated.

        Yields:
            (batch, <= chunk) int32.

        Raises:
            InputError: (a ValueError) immediately if an argument is out of range; while sampling if the model's
                logits are NaN.
        """
        _check_settings(length, temperature, top_k, top_p, seed, chunk)
        bias = np.zeros(self.vocabulary_size, np.float32)
        bias[self._banned(banned)] = -np.inf
        greedy = temperature < 1e-6
        top_k = 0 if greedy or top_k >= self.vocabulary_size else top_k
        rule = Rule(greedy=greedy, top_k=top_k, nucleus=not greedy and top_p < 1)
        settings = (_scalar(temperature, "float32"), _scalar(top_p, "float32"), _tensor(bias))
        logits = ops.convert_to_tensor(logits, "float32")
        return self._chunks(rule, logits, _tensors(states), length, settings, seed, chunk)

    def nats(self, ids: Any, states: Sequence[Tensor], chunk: int = 1024) -> NDArray[np.float32]:
        """Returns the surprisal of every token of a text after the first; the state is carried through the text.

        Args:
            ids: (batch, time) integers in [0, vocabulary_size).
            states: the state before the text.
            chunk: positive int, tokens passed to the compiled loop at a time.

        Returns:
            (batch, time - 1) -log p(ids[:, t + 1] | ids[:, :t + 1]), in nats.

        Raises:
            InputError: (a ValueError) if `ids` has the wrong shape, is empty or is outside the vocabulary, or if
                `chunk` is not positive.
        """
        if chunk < 1:
            raise InputError(f"`chunk` must be at least 1. Received: chunk={chunk}")
        tokens = self._checked(ids).T
        inputs, targets = tokens[:-1], tokens[1:]
        states = _tensors(states)
        found = [np.zeros((tokens.shape[1], 0), np.float32)]
        for start in range(0, len(inputs), chunk):
            now = slice(start, start + chunk)
            count = len(inputs[now])
            window = _tensor(_padded(inputs[now], chunk)), _tensor(_padded(targets[now], chunk))
            nats, states = self._nats(*window, _scalar(count, "int32"), list(states))
            found.append(ops.convert_to_numpy(nats)[:count].T)
        return np.concatenate(found, axis=1)

    def _chunks(
        self, rule: Rule, logits: Tensor, states: list, length: int, settings: tuple, seed: int, chunk: int
    ) -> Iterator[NDArray[np.int32]]:
        if rule not in self._samplers:
            self._samplers[rule] = backend.compiled(self._sample_loop(rule), self._variables)
        random = np.random.Generator(np.random.Philox(seed))
        for start in range(0, length, chunk):
            count = min(chunk, length - start)
            uniform = _padded(random.random((count, logits.shape[0]), dtype=np.float32), chunk)
            tokens, logits, states = self._samplers[rule](
                logits, list(states), _tensor(uniform), _scalar(count, "int32"), *settings
            )
            written = ops.convert_to_numpy(tokens)[:count].T
            if np.isnan(ops.convert_to_numpy(logits)).any() or (written >= self.vocabulary_size).any():
                raise InputError(
                    "The model's logits are not numbers: its training has diverged. "
                    "Train it again, with a smaller learning rate."
                )
            yield written

    def _step(self, tokens: Tensor, states: list) -> tuple[Tensor, list]:
        """Calls the model's step, casting logits and states to the dtypes that the loops carry."""
        logits, after = self._model_step(tokens, list(states))
        return ops.cast(logits, "float32"), [ops.cast(new, old.dtype) for new, old in zip(after, states, strict=True)]

    def _read_loop(self, ids: Tensor, length: Tensor, states: list) -> tuple:
        def body(index, logits, states):
            logits, states = self._step(_row(ids, index), states)
            return index + 1, logits, states

        logits = ops.zeros((ids.shape[1], self.vocabulary_size), "float32")
        _, logits, states = _repeat(length, body, logits, list(states))
        return logits, states

    def _nats_loop(self, inputs: Tensor, targets: Tensor, length: Tensor, states: list) -> tuple:
        def body(index, nats, states):
            logits, states = self._step(_row(inputs, index), states)
            found = score(logits, _row(targets, index))
            return index + 1, ops.slice_update(nats, (index, 0), found[None]), states

        nats = ops.zeros(inputs.shape, "float32")
        _, nats, states = _repeat(length, body, nats, list(states))
        return nats, states

    def _sample_loop(self, rule: Rule) -> Callable:
        def loop(logits, states, uniform, length, temperature, top_p, bias):
            def body(index, logits, written, states):
                tokens = choose(logits + bias, _row(uniform, index), rule, temperature, top_p)
                written = ops.slice_update(written, (index, 0), tokens[None])
                logits, states = self._step(tokens, states)
                return index + 1, logits, written, states

            written = ops.zeros(uniform.shape, "int32")
            _, logits, written, states = _repeat(length, body, logits, written, list(states))
            return written, logits, states

        return loop

    def _checked(self, ids: Any) -> NDArray[np.int32]:
        """Returns the ids as int32 (batch, time) after checking that all are in the vocabulary."""
        tokens = np.asarray(ids)
        if tokens.ndim != 2 or not tokens.size or not np.issubdtype(tokens.dtype, np.integer):
            raise InputError(
                f"Expected token ids of shape (batch, time), at least one. Received: {tokens.dtype} {tokens.shape}"
            )
        if not 0 <= tokens.min() <= tokens.max() < self.vocabulary_size:
            raise InputError(
                f"Expected token ids in [0, {self.vocabulary_size}). Received: {tokens.min()} to {tokens.max()}"
            )
        return tokens.astype(np.int32)

    def _banned(self, banned: Sequence[int]) -> list[int]:
        """Returns the banned tokens, sorted, after checking that they exist and leave at least one token."""
        tokens = sorted(set(banned))
        if tokens and not 0 <= tokens[0] <= tokens[-1] < self.vocabulary_size:
            raise InputError(f"Expected banned tokens in [0, {self.vocabulary_size}). Received: {tokens}")
        if len(tokens) == self.vocabulary_size:
            raise InputError(f"All {self.vocabulary_size} tokens are banned; leave at least one.")
        return tokens


def _check_settings(length: int, temperature: float, top_k: int, top_p: float, seed: int, chunk: int) -> None:
    """Raises an InputError that names the first setting of `Decoder.sample` that is out of range."""
    for name, value, fine, expected in (
        ("length", length, length >= 0, "at least 0"),
        ("temperature", temperature, 0 <= temperature < math.inf, "a number of at least 0"),
        ("top_k", top_k, top_k >= 0, "at least 0"),
        ("top_p", top_p, 0 < top_p <= 1, "above 0 and at most 1"),
        ("seed", seed, seed >= 0, "at least 0"),
        ("chunk", chunk, chunk >= 1, "at least 1"),
    ):
        if not fine:
            raise InputError(f"`{name}` must be {expected}. Received: {name}={value}")


def _repeat(length: Tensor, body: Callable, *carried: Any) -> tuple:
    """Calls `body(index, *carried)` for index 0 ... length - 1. A new `length` needs no new compilation."""
    return ops.while_loop(lambda index, *_: index < length, body, (ops.zeros((), "int32"), *carried))


def _row(values: Tensor, index: Tensor) -> Tensor:
    """Returns values[index]: (time, batch) -> (batch,)."""
    return ops.slice(values, (index, 0), (1, values.shape[1]))[0]


def _padded(values: NDArray, length: int) -> NDArray:
    """Pads (time, batch) with zeros at the end to (length, batch)."""
    return np.pad(values, ((0, length - len(values)), (0, 0)))


def _tensor(values: NDArray) -> Tensor:
    return ops.convert_to_tensor(values)


def _scalar(value: float, dtype: str) -> Tensor:
    return ops.convert_to_tensor(value, dtype)


def _tensors(states: Sequence[Tensor]) -> list:
    return [ops.convert_to_tensor(state) for state in states]
