"""Training on long sequences in less memory: most of what the gradient needs is computed again instead of stored.

Chen et al. (2016), "Training deep nets with sublinear memory cost", arXiv:1604.06174. The sequence is cut into pieces;
the forward pass stores each piece's first states only, the backward pass runs each piece forward again before it goes
back through it. That costs one more forward pass, and leaves the memory of one piece.
"""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from shared.layers import backend


def in_pieces(
    forward: Callable, backward: Callable, sequences: int, extras: int, states: int, length: int
) -> tuple[Callable, Callable]:
    """Forward and backward of the same signature that store the states at every `length`th step only.

    Args:
        forward: `(*sequences, *extras, *states, *weights) -> ([outputs, *last states], residuals)`; the first two
            are time-major, and the first of the extras is a mask.
        backward: `(residuals, output gradients) -> input gradients`, None for the extras.
        sequences, extras, states: how many there are of each.
        length: positive int, steps in a piece.
    """

    def pieces(values):
        """(time, ...) -> (pieces, length, ...), filled up with masked steps."""
        found = []
        for value in values:
            missing = ops.zeros((-ops.shape(value)[0] % length, *ops.shape(value)[1:]), value.dtype)
            filled = ops.concatenate([value, missing], axis=0)
            found.append(ops.reshape(filled, (-1, length, *ops.shape(value)[1:])))
        return found

    def joined(value, time):
        return ops.reshape(value, (-1, *ops.shape(value)[2:]))[:time]

    def run_forward(*flat):
        in_time, start, weights = cut(flat, (sequences + extras, states, len(flat)))

        def body(carry, slices):
            outputs, _ = forward(*slices, *carry, *weights)
            return outputs[1:], [outputs[0], *carry]

        last, (h, *starts) = backend.scan(body, start, pieces(in_time), 1 + states)
        return [joined(h, ops.shape(flat[0])[0]), *last], [*starts, *flat]

    def run_backward(residuals, gradients):
        starts, in_time, _, weights = cut(residuals, (states, sequences + extras, states, len(residuals)))

        def body(carry, slices):
            d_states, d_weights = cut(carry, (states, len(weights)))
            (dh,), values, start = cut(slices, (1, sequences + extras, states))
            _, kept = forward(*values, *start, *weights)
            found = backward(kept, [dh, *d_states])
            d_sequences, _, d_states, d_more = cut(found, (sequences, extras, states, len(weights)))
            return [*d_states, *sums(d_weights, d_more)], d_sequences

        zeros = [ops.zeros_like(weight) for weight in weights]
        steps = [*pieces([gradients[0]]), *pieces(in_time), *starts]
        carry, found = backend.scan(body, [*gradients[1:], *zeros], steps, sequences, reverse=True)
        time = ops.shape(in_time[0])[0]
        return [*(joined(value, time) for value in found), *[None] * extras, *carry]

    return run_forward, run_backward


def all_steps(x: Any) -> Any:
    """A mask that takes every step of x (time, batch, ...)."""
    return ops.ones((*ops.shape(x)[:2], *[1] * (len(x.shape) - 2)), "bool")


def cut(values: Sequence[Any], counts: Sequence[int]) -> list[list[Any]]:
    """The values as consecutive lists of the given lengths; the last may be shorter."""
    values, pieces, start = list(values), [], 0
    for count in counts:
        pieces.append(values[start : start + count])
        start += count
    return pieces


def sums(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
    """The sums pair by pair."""
    return [a + b for a, b in zip(left, right, strict=True)]
