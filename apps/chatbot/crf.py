"""A linear-chain conditional random field over tags: forward algorithm, best path, layer and loss.

Lafferty et al. (2001), "Conditional random fields"; Lample et al. (2016), arXiv:1603.01360, equations 1 to 4.
For one sentence with emissions e (time, tags), transitions A (tags, tags) and scores of the first tag a (tags):

    s(y) = a[y_1] + e[1, y_1] + sum over t > 1 of A[y_{t-1}, y_t] + e[t, y_t]
    log Z = log of the sum over all paths y of exp(s(y)),        p(y) = exp(s(y) - log Z)

`transitions` holds A with a as its last row, (tags + 1, tags). With zero transitions this is a softmax at every step.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers import backend

from .config import APP

FORBIDDEN = -1e4  # score of a forbidden transition
LEAST = 1e-37  # keeps the logarithm of a vanishing sum finite


def log_partition(emissions: Any, mask: Any, transitions: Any) -> Any:
    """The forward algorithm: emissions (batch, time, tags), mask (batch, time) bool -> log Z (batch,).

    Masked steps must come after the real ones, and are ignored.
    """
    moves = ops.exp(transitions[:-1])  # allows a matrix product, which is 20 times faster than logsumexp

    def step(carry: Sequence, now: Sequence) -> tuple:
        (alpha,), (emission, real) = carry, now
        top = ops.max(alpha, axis=-1, keepdims=True)
        after = ops.log(ops.matmul(ops.exp(alpha - top), moves) + LEAST) + top + emission
        return [ops.where(real[:, None], after, alpha)], []

    (alpha,), _ = backend.scan(step, [emissions[:, 0] + transitions[-1]], _rest(emissions, mask), outputs=0)
    return ops.logsumexp(alpha, axis=-1)


def path_score(emissions: Any, tags: Any, mask: Any, transitions: Any) -> Any:
    """s(y) of one path: emissions (batch, time, tags), tags and mask (batch, time) -> (batch,)."""
    real = ops.cast(mask, emissions.dtype)
    emitted = ops.take_along_axis(emissions, tags[..., None], axis=-1)[..., 0]
    first = ops.take(transitions[-1], tags[:, 0])
    pairs = tags[:, :-1] * ops.shape(transitions)[1] + tags[:, 1:]
    moved = ops.take(ops.reshape(transitions[:-1], (-1,)), pairs)
    return first + ops.sum(emitted * real, axis=1) + ops.sum(moved * real[:, 1:], axis=1)


def best_path(emissions: Any, mask: Any, transitions: Any) -> Any:
    """Viterbi: emissions (batch, time, tags), mask (batch, time) -> tags (batch, time) int32.

    The backward pass recovers the path from the best scores, without back pointers. A masked step repeats the last tag.
    """
    moves = transitions[:-1]

    def forth(carry: Sequence, now: Sequence) -> tuple:
        (best,), (emission, real) = carry, now
        after = ops.max(best[:, :, None] + moves, axis=1) + emission
        best = ops.where(real[:, None], after, best)
        return [best], [best]

    def back(carry: Sequence, now: Sequence) -> tuple:
        (tag,), (best, real) = carry, now
        before = ops.cast(ops.argmax(best + ops.take(ops.transpose(moves), tag, axis=0), axis=-1), "int32")
        before = ops.where(real, before, tag)
        return [before], [before]

    first = emissions[:, 0] + transitions[-1]
    # scores (time - 1, batch, tags)
    (last,), (scores,) = backend.scan(forth, [first], _rest(emissions, mask), outputs=1)
    scores = ops.concatenate([first[None], scores], axis=0)
    tag = ops.cast(ops.argmax(last, axis=-1), "int32")
    _, (earlier,) = backend.scan(back, [tag], [scores[:-1], ops.transpose(mask)[1:]], outputs=1, reverse=True)
    return ops.transpose(ops.concatenate([earlier, tag[None]], axis=0))


def _rest(emissions: Any, mask: Any) -> list:
    """Returns all steps after the first, time-major."""
    return [ops.transpose(emissions, (1, 0, 2))[1:], ops.transpose(mask)[1:]]


def allowed(tags: list[str]) -> np.ndarray:
    """Returns (tags + 1, tags): 0, or FORBIDDEN for what violates IOB: I-x at the start or not after B-x or I-x."""
    table = np.zeros((len(tags) + 1, len(tags)), np.float32)
    for column, tag in enumerate(tags):
        if tag.startswith("I-"):
            table[:, column] = FORBIDDEN
            before = [row for row, other in enumerate(tags) if other in (tag, f"B-{tag[2:]}")]
            table[before, column] = 0
    return table


@keras.saving.register_keras_serializable(package=APP)
class CRF(keras.layers.Layer):
    """Holds the transitions, and passes emissions (batch, time, tags) through unchanged.

    Args:
        tags: their names, in IOB format: paths that violate it are forbidden.
        free: learn the transitions; False fixes them to zero except for forbidden ones, a softmax at every step.
    """

    def __init__(self, tags: list[str], free: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tags, self.free = list(tags), free

    def build(self, input_shape: tuple) -> None:
        """Creates the transitions (tags + 1, tags); the last row is for the first tag."""
        shape = (len(self.tags) + 1, len(self.tags))
        self.learned = self.add_weight(shape=shape, initializer="zeros", trainable=self.free, name="transitions")

    def transitions(self) -> Any:
        """Returns the `transitions` argument of the functions in this file."""
        return self.learned + allowed(self.tags) if self.free else ops.convert_to_tensor(allowed(self.tags))

    def call(self, emissions: Any) -> Any:
        """Returns the emissions unchanged."""
        return emissions

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Returns the input shape."""
        return input_shape

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        return {**super().get_config(), "tags": self.tags, "free": self.free}


class TagLoss(keras.losses.Loss):
    """-log p(tags) of each sentence: targets (batch, at least time) int, -1 after the end -> (batch,) nats."""

    def __init__(self, crf: CRF) -> None:
        super().__init__(name="tags", reduction="mean_with_sample_weight")
        self.crf = crf

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """See the class docstring."""
        tags, mask = _targets(y_true, y_pred)
        if not self.crf.free:  # equivalent, without a loop
            scores = ops.log_softmax(y_pred, axis=-1)
            picked = ops.take_along_axis(scores, tags[..., None], axis=-1)[..., 0]
            return -ops.sum(picked * ops.cast(mask, picked.dtype), axis=1)
        table = self.crf.transitions()
        return log_partition(y_pred, mask, table) - path_score(y_pred, tags, mask, table)


def exact(y_true: Any, found: Any) -> Any:
    """Whether the path (batch, time) of each sentence is correct at every step, bool; for targets see `TagLoss`."""
    tags, mask = _targets(y_true, found)
    return ops.all(ops.logical_or(ops.equal(found, tags), ops.logical_not(mask)), axis=1)


def _targets(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Returns tags and mask (batch, time), cut to the length of the emissions."""
    tags = ops.cast(y_true, "int32")[:, : ops.shape(y_pred)[1]]
    return ops.maximum(tags, 0), tags >= 0
