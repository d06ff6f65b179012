"""The decoder's loop over the tokens of a sentence, with a hand-written backward pass; tensors here are time-major.

Reason for the latter: on half a core, a training step of 96 pairs of 13 tokens with 4.6 M parameters takes 1.7 s, and
10 s to compile; 2.1 s and 30 s if the whole model is one XLA program and the backend derives the loop's gradient.
"""

import functools
from collections.abc import Callable
from typing import Any

from keras import ops

from shared.layers import backend
from shared.layers.time_major import before, product_over_time

Tensors = list[Any]


def one_step(x: Any, state: Any, output: Any, memory: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
    """One step, with the letters of `AttentionDecoder`.

    Args:
        x: (batch, 3 units), W x_t + b. state: s_{t-1} (batch, units). output: o_{t-1} (batch, output units).
        memory: K h (batch, source, units), V h (batch, source, output units), and a bias for the scores (batch,
            source): 0, or a large negative number after the end of the source.
        weights: F, U, d_g, S, b_o, and for Bahdanau's score Q and v.

    Returns:
        [s_t, o_t, a_t], and further values needed for the gradient: z, r, g, and h_g = U_g s_{t-1} + d_g.
    """
    keys, values, bias = memory
    feeding, recurrent, recurrent_bias, out, out_bias, *score = weights
    x_z, x_r, x_g = ops.split(x + ops.matmul(output, feeding), 3, axis=-1)
    h_z, h_r, h_g = ops.split(ops.matmul(state, recurrent), 3, axis=-1)
    z, r, h_g = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r), h_g + recurrent_bias
    g = ops.tanh(x_g + r * h_g)
    state = z * state + (1 - z) * g
    if score:
        scores = ops.matmul(_hidden(state, keys, score), score[1])[..., 0]
    else:
        scores = ops.einsum("bu,bju->bj", state, keys)
    attention = ops.softmax(scores + bias, axis=-1)
    seen = ops.einsum("bj,bjo->bo", attention, values)
    output = ops.tanh(ops.matmul(state, out) + seen + out_bias)
    return [state, output, attention], [z, r, g, h_g]


def _hidden(state: Any, keys: Any, score: Tensors) -> Any:
    """tanh(Q s_t + K h_j) of Bahdanau's score, (batch, source, units)."""
    return ops.tanh(ops.matmul(state, score[0])[:, None] + keys)


def over_time(x: Any, states: Tensors, memory: Tensors, weights: Tensors) -> tuple[Any, Any]:
    """All steps: x (time, batch, 3 units) -> o (time, batch, output units), a (time, batch, source)."""
    outputs, attention = _program(len(weights))(x, *states, *memory, *weights)
    return outputs, attention


@functools.cache
def _program(weights: int) -> Callable:
    """Returns the compiled forward and backward passes; on several cores, halves of the batch run in parallel."""
    batch = [1, *[0] * 5, *[None] * weights], [1, 1]
    return backend.differentiable(_forward, _backward, batch=batch, finish=_finish)


def _forward(x: Any, *inputs: Any) -> tuple[Tensors, Tensors]:
    states, memory, weights = list(inputs[:2]), list(inputs[2:5]), list(inputs[5:])

    def step(carry: Tensors, slices: Tensors) -> tuple[Tensors, Tensors]:
        (state, output, attention), gates = one_step(slices[0], *carry, memory, weights)
        return [state, output], [state, output, attention, ops.concatenate(gates, axis=-1)]

    _, (state, output, attention, gates) = backend.scan(step, states, [x], outputs=4)
    return [output, attention], [*inputs, state, output, attention, gates]


def _backward(residuals: Tensors, gradients: Tensors) -> Tensors:
    """Back-propagation through time: the gradient at each product; no gradient flows into the returned attention."""
    s0, o0, keys, values, _, feeding, recurrent, _, out, _, *score, state, output, attention, gates = residuals
    transposed = [ops.transpose(weight) for weight in (feeding, recurrent, out)]

    def step(carry: Tensors, slices: Tensors) -> tuple[Tensors, Tensors]:
        (ds, do, *d_memory), (d_out, s, o, a, gate, s_before) = carry, slices
        z, r, g, h_g = ops.split(gate, 4, axis=-1)
        dp = (do + d_out) * (1 - o * o)
        da = ops.einsum("bo,bjo->bj", dp, values)
        de = a * (da - ops.sum(a * da, axis=-1, keepdims=True))
        ds = ds + ops.matmul(dp, transposed[2])
        looked = []
        if score:
            hidden = _hidden(s, keys, score)
            dh = de[..., None] * score[1][:, 0] * (1 - hidden * hidden)  # (batch, source, units)
            dq = ops.sum(dh, axis=1)
            ds, looked = ds + ops.matmul(dq, ops.transpose(score[0])), [dq]
            d_memory = [d_memory[0] + dh, d_memory[1] + ops.einsum("bj,bju->u", de, hidden)]
        else:
            ds = ds + ops.einsum("bj,bju->bu", de, keys)
        dg = ds * (1 - z) * (1 - g * g)
        dz, dr = ds * (s_before - g) * z * (1 - z), dg * h_g * r * (1 - r)
        dx, dh = ops.concatenate([dz, dr, dg], axis=-1), ops.concatenate([dz, dr, dg * r], axis=-1)
        ds_before = ds * z + ops.matmul(dh, transposed[1])
        return [ds_before, ops.matmul(dx, transposed[0]), *d_memory], [dx, dh, dp, de, *looked]

    start = [ops.zeros_like(s0), ops.zeros_like(o0)]
    if score:
        start += [ops.zeros_like(keys), ops.zeros_like(score[1][:, 0])]
    steps = [gradients[0], state, output, attention, gates, before(s0, state)]
    carry, flows = backend.scan(step, start, steps, 4 + len(score) // 2, reverse=True)
    return [*flows, *carry]


def _finish(residuals: Tensors, found: Tensors) -> Tensors:
    """Computes the gradients of the weights and the memory, each as a single product over all steps."""
    s0, o0, *_, state, output, attention, _ = residuals
    dx, dh, dp, de, *others = found
    looked, ds0, do0, *d_memory = others if len(others) > 2 else (None, *others)
    units, s_before, o_before = s0.shape[-1], before(s0, state), before(o0, output)
    d_keys = d_memory[0] if d_memory else ops.einsum("tbj,tbu->bju", de, state)
    d_weights = [
        product_over_time(o_before, dx),
        product_over_time(s_before, dh),
        ops.sum(dh[..., 2 * units :], axis=(0, 1)),
    ]
    d_weights += [product_over_time(state, dp), ops.sum(dp, axis=(0, 1))]
    if d_memory:  # only with Bahdanau's score
        d_weights += [product_over_time(state, looked), d_memory[1][:, None]]
    return [dx, ds0, do0, d_keys, ops.einsum("tbj,tbo->bjo", attention, dp), None, *d_weights]
