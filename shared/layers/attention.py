"""A block of causal self-attention over a sliding window: no recurrence, the state is a cache of past steps."""

from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers.causal import Causal, CausalCell, cell_options
from shared.layers.scanned import check_positive

EPSILON = 1e-5  # added to the variance, as usual in layer normalisation
BASE = 10000.0  # base of the wavelengths of the rotations, as in the paper
NOTHING = -1e30  # score of a masked step


@keras.saving.register_keras_serializable(package="gallery")
class AttentionCell(CausalCell):
    """One step of `Attention`; its docstring has the equations, arguments and weights."""

    arguments = ("units", "heads", "context", "feed_forward", "use_bias")

    def __init__(
        self,
        units: int,
        heads: int | None = None,
        context: int = 128,
        feed_forward: int = 4,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        check_positive(units=units, context=context, feed_forward=feed_forward)
        if units % 2:
            raise ValueError(
                f"`units` must be an even positive integer: rotary positions turn pairs of features. "
                f"Received: units={units}"
            )
        if heads is None:
            heads = next(count for count in (4, 2, 1) if units % (2 * count) == 0)
        check_positive(heads=heads)
        if units % (2 * heads):
            raise ValueError(
                f"`heads` must divide `units` into heads of even width. Received: heads={heads}, units={units}"
            )
        super().__init__(units, **kwargs)
        self.heads = heads
        self.context = context
        self.feed_forward = feed_forward
        self.use_bias = use_bias
        self.keep([(context - 1, units), (context - 1, units), (context - 1, 1)])

    def build(self, input_shape: tuple) -> None:
        """Creates the kernels and biases of five projections, and scale and shift of two normalisations."""
        units, wide = self.units, self.feed_forward * self.units
        shapes = {
            "input": (input_shape[-1], units),
            "attention": (units, 3 * units),
            "merge": (units, units),
            "widen": (units, wide),
            "narrow": (wide, units),
        }
        self.kernels, self.biases, self.scales, self.shifts = {}, {}, {}, {}
        for name, shape in shapes.items():
            self.kernels[name] = self.add_weight(shape=shape, name=f"{name}_kernel", initializer="glorot_uniform")
            if self.use_bias:
                self.biases[name] = self.add_weight(shape=shape[1:], name=f"{name}_bias", initializer="zeros")
        for name in ("attention", "widen"):
            self.scales[name] = self.add_weight(shape=(units,), name=f"{name}_scale", initializer="ones")
            self.shifts[name] = self.add_weight(shape=(units,), name=f"{name}_shift", initializer="zeros")

    def sequence(self, x: Any, pasts: list, training: bool = False) -> tuple[Any, list]:
        """See `CausalCell`; pasts are keys, values (batch, context - 1, units), and which of these steps exist."""
        del training
        u = self._product("input", x)
        q, k, v = ops.split(self._product("attention", self._norm("attention", u)), 3, axis=-1)
        there = ops.ones_like(k[..., :1])
        histories = [ops.concatenate(pair, axis=1) for pair in zip(pasts, (k, v, there), strict=True)]
        r = u + self._product("merge", self._attend(q, *histories))
        wide = ops.relu(self._product("widen", self._norm("widen", r)))
        return r + self._product("narrow", wide), histories

    def _product(self, name: str, x: Any) -> Any:
        y = ops.matmul(x, self.kernels[name])
        return y + self.biases[name] if self.use_bias else y

    def _norm(self, name: str, x: Any) -> Any:
        """Applies layer normalisation, with sums in at least float32."""
        y = ops.cast(x, _wide(x.dtype))
        y = y - ops.mean(y, axis=-1, keepdims=True)
        y = y * ops.rsqrt(ops.mean(ops.square(y), axis=-1, keepdims=True) + EPSILON)
        return ops.cast(y, x.dtype) * self.scales[name] + self.shifts[name]

    def _attend(self, q: Any, keys: Any, values: Any, there: Any) -> Any:
        """Attends: q (batch, time, units), the others (batch, context - 1 + time, ...) -> (batch, time, units).

        Queries are processed in blocks of at most `context`; a block attends to its own slots and the `context` before
        them. No query needs more, and memory is O(time * context) instead of O(time ** 2).
        """
        batch, time, units = ops.shape(q)
        shorter = min if isinstance(time, int) else ops.minimum
        block = shorter(time, self.context)
        blocks = (time + block - 1) // block
        behind = blocks * block - time

        def windows(history):
            """Cuts (batch, context - 1 + time, n) into overlapping windows (batch, blocks, context + block, n)."""
            width = history.shape[-1]
            after = ops.zeros((batch, behind, width), history.dtype)
            slots = ops.concatenate([ops.zeros_like(history[:, :1]), history, after], axis=1)
            # A single block's past is the first `context` slots; several blocks are each `context` long.
            past = ops.reshape(slots[:, : blocks * self.context], (batch, blocks, self.context, width))
            own = ops.reshape(slots[:, self.context :], (batch, blocks, block, width))
            return ops.concatenate([past, own], axis=2)

        def split(x, length):
            return ops.reshape(x, (batch, blocks, length, self.heads, units // self.heads))

        length = self.context + block
        q = ops.concatenate([q, ops.zeros((batch, behind, units), q.dtype)], axis=1)
        q = self._rotate(split(q, block), self.context, length)
        keys = self._rotate(split(windows(keys), length), 0, length)
        slot = ops.arange(length, dtype="int32")
        query = ops.expand_dims(slot[self.context :], 1)
        band = ops.logical_and(slot <= query, slot > query - self.context)  # (block, length)
        seen = ops.logical_and(ops.expand_dims(windows(there)[..., 0] > 0.5, 2), band)  # (batch, blocks, block, length)
        scores = ops.cast(ops.einsum("bnqhd,bnkhd->bnhqk", q, keys), _wide(q.dtype))
        scores = ops.where(ops.expand_dims(seen, 2), scores / float(np.sqrt(units // self.heads)), NOTHING)
        share = ops.cast(ops.softmax(scores, axis=-1), values.dtype)
        mixed = ops.einsum("bnhqk,bnkhd->bnqhd", share, split(windows(values), length))
        return ops.reshape(mixed, (batch, blocks * block, units))[:, :time]

    def _rotate(self, x: Any, start: int, stop: Any) -> Any:
        """Rotates x (batch, blocks, length, heads, d) by the positions start .. stop - 1 within its window."""
        half = x.shape[-1] // 2
        wave = BASE ** (-np.arange(half) / half)
        angles = np.arange(2 * self.context)[:, None, None] * wave  # (positions, 1, d / 2)
        cos, sin = (ops.convert_to_tensor(f(angles), dtype=x.dtype)[start:stop] for f in (np.cos, np.sin))
        first, second = ops.split(x, 2, axis=-1)
        return ops.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)


def _wide(dtype: Any) -> str:
    """Returns the dtype for sums and exponentials: at least float32."""
    return keras.backend.result_type(dtype, "float32")


@keras.saving.register_keras_serializable(package="gallery")
class Attention(Causal, keras.layers.RNN):
    """Causal self-attention over the last `context` steps and a feed-forward network: one transformer block.

    Vaswani et al. (2017), "Attention is all you need", arXiv:1706.03762, equations 1 and 2; Su et al. (2021),
    "RoFormer: enhanced transformer with rotary position embedding", arXiv:2104.09864, equation 34.

        u_t = W_u x_t + b_u
        q_t, k_t, v_t = W_a n_a(u_t) + b_a
        s_tj = (R^t q_t) . (R^j k_j) / sqrt(d)                      in each head, of width d = units / heads
        m_t = sum over j of softmax_j(s_tj) v_j                     j = t - context + 1 .. t, in each head
        r_t = u_t + W_m m_t + b_m
        h_t = r_t + W_n relu(W_w n_w(r_t) + b_w) + b_n
        n(y) = scale * (y - mean(y)) / sqrt(variance(y) + 1e-5) + shift
        R^p rotates features (i, i + d/2) of a head by the angle p 10000^(-2i/d), i = 0 .. d/2 - 1

    Differences from the papers: one decoder block without cross-attention; pre-normalisation (Xiong et al. 2020,
    arXiv:2002.04745), so a stack of blocks ends without a normalisation; a sliding window (Beltagy et al. 2020,
    arXiv:2004.05150) instead of the whole past; R pairs i with i + d/2, not adjacent features, which is equivalent up
    to the order of features; no dropout.

    Args:
        units: positive even int, width of the block and of the output.
        heads: positive int that divides units into heads of even width. Default None: the largest of 4, 2, 1 that
            does.
        context: positive int, number of steps attended to, including the current one. Default 128.
        feed_forward: positive int, width of the feed-forward network in multiples of units. Default 4.
        use_bias: whether to add the biases b. Default True.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state: all of State.
    Returns:  (batch, units), or (batch, time, units); then each state if return_state.
    State:    [h (batch, units), keys and values of the last context - 1 steps, flattened (batch, steps * units), not
              rotated by R, and (batch, steps) values above 0.5 where the step exists], zeros at the start;
              state[0] is the output.
    Weights:  input_kernel W_u (features, units); attention_kernel W_a (units, 3 units), in the order q k v;
              merge_kernel W_m (units, units); widen_kernel W_w (units, feed_forward units); narrow_kernel W_n; a bias
              for each; attention_scale, attention_shift of n_a and widen_scale, widen_shift of n_w (units).
    Masking:  a masked step keeps the states, is not attended to by later steps and does not count as a position.
              Cost: O(1) depth, O(time context) work and memory.
    Raises:   ValueError if units, heads, context or feed_forward < 1, units is odd, or heads do not fit.

    >>> tuple(Attention(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    WIDTH_STEP = 2  # features are rotated in pairs

    def __init__(
        self,
        units: int,
        heads: int | None = None,
        context: int = 128,
        feed_forward: int = 4,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        cell = AttentionCell(
            units, heads, context, feed_forward, use_bias, name="cell", **cell_options(AttentionCell, kwargs)
        )
        super().__init__(cell, **kwargs)
