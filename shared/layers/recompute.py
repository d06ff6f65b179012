"""Gradient checkpointing: trains on long sequences in less memory by recomputing activations instead of storing them.

Chen et al. (2016), "Training deep nets with sublinear memory cost", arXiv:1604.06174. The sequence is cut into
segments; the forward pass stores only the initial states of each segment, and the backward pass runs each segment
forward again before back-propagating through it. This costs one more forward pass, and takes the memory of one segment.
"""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from shared.layers import backend


def in_pieces(
    forward: Callable, backward: Callable, sequences: int, extras: int, states: int, length: int
) -> tuple[Callable, Callable]:
    """Returns forward and backward with the same signatures that store the states only at every `length`th step.

    Args:
        forward: `(*sequences, *extras, *states, *weights) -> ([outputs, *last states], residuals)`; sequences and
            extras are time-major, and the first of the extras is a mask.
        backward: `(residuals, output gradients) -> input gradients`, None for the extras.
        sequences, extras, states: number of each.
        length: positive int, steps per segment.
    """

    def pieces(values):
        """Cuts (time, ...) into segments (pieces, length, ...), padded with masked steps."""
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
    """Returns a mask in which every step of x (time, batch, ...) is real."""
    return ops.ones((*ops.shape(x)[:2], *[1] * (len(x.shape) - 2)), "bool")


def cut(values: Sequence[Any], counts: Sequence[int]) -> list[list[Any]]:
    """Splits the values into consecutive lists of the given lengths; the last one may be shorter."""
    values, pieces, start = list(values), [], 0
    for count in counts:
        pieces.append(values[start : start + count])
        start += count
    return pieces


def sums(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
    """Returns the pairwise sums."""
    return [a + b for a, b in zip(left, right, strict=True)]
