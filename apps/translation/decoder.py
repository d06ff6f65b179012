"""The decoder: a GRU with attention to the source and input feeding."""

from typing import Any

import keras
from keras import ops

from . import loop
from .config import APP

FAR = -1e9  # a score with zero softmax weight


@keras.saving.register_keras_serializable(package=APP)
class AttentionDecoder(keras.layers.Layer):
    """A GRU with attention and input feeding, over whole target sentences or one token at a time.

    Luong et al. (2015), "Effective approaches to attention-based neural machine translation", arXiv:1508.04025,
    equations 5 to 8 and section 3.3; Bahdanau et al. (2015), arXiv:1409.0473, appendix A.1.2, for its score.
    x_t is the embedding of the previous token, h_j the encoder's output at source token j, s the state, o the output.

        s_0 = tanh(W_0 mean_j h_j + b_0),  o_0 = 0
        z_t, r_t = sigmoid(W_zr x_t + F_zr o_{t-1} + U_zr s_{t-1} + b_zr)
        g_t = tanh(W_g x_t + F_g o_{t-1} + b_g + r_t * (U_g s_{t-1} + d_g))
        s_t = z_t * s_{t-1} + (1 - z_t) * g_t
        e_tj = s_t . K h_j                                luong
        e_tj = v . tanh(Q s_t + K h_j)                    bahdanau
        a_t = softmax over j of e_tj
        o_t = tanh(S s_t + sum_j a_tj V h_j + b_o)

    V h_j, K h_j and W x_t do not depend on the recurrence: they are computed by single products over all tokens, and
    only F, U, S and Q remain in the loop. The sum is Luong's W_c [c_t; s_t] with W_c c_t = sum_j a_tj V h_j.
    Differences from the papers: the cell is a GRU; Bahdanau's score uses the new state rather than the previous one.

    Args:
        units: positive int, width of the state. output_units: positive int, width of o.
        attention: "luong" or "bahdanau".

    Call:     encoded (batch, source, features); source_mask (batch, source) bool, False after the end of the source;
              tokens (batch, target, embedding).
    Returns:  o (batch, target, output_units), a (batch, target, source).
    """

    def __init__(self, units: int, output_units: int, attention: str = "luong", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.output_units, self.attention = units, output_units, attention
        self.supports_masking = True  # the mask is an explicit argument, and is not propagated

    def build(self, encoded_shape: tuple, source_mask_shape: tuple, tokens_shape: tuple) -> None:
        """Creates the weights; the order of the gates is z r g."""
        features, embedding, units = encoded_shape[-1], tokens_shape[-1], self.units

        def matrix(name: str, *shape: int, initializer: str = "glorot_uniform") -> Any:
            return self.add_weight(shape=shape, name=name, initializer=initializer)

        self.initial = matrix("initial", features, units)
        self.initial_bias = matrix("initial_bias", units, initializer="zeros")
        self.kernel = matrix("kernel", embedding, 3 * units)
        self.bias = matrix("bias", 3 * units, initializer="zeros")
        self.feeding_kernel = matrix("feeding_kernel", self.output_units, 3 * units)
        self.recurrent_kernel = matrix("recurrent_kernel", units, 3 * units, initializer="orthogonal")
        self.recurrent_bias = matrix("recurrent_bias", units, initializer="zeros")
        self.key_kernel = matrix("key_kernel", features, units)
        self.value_kernel = matrix("value_kernel", features, self.output_units)
        self.state_kernel = matrix("state_kernel", units, self.output_units)
        self.output_bias = matrix("output_bias", self.output_units, initializer="zeros")
        if self.attention == "bahdanau":
            self.query_kernel = matrix("query_kernel", units, units)
            self.score_vector = matrix("score_vector", units, 1)

    def call(self, encoded: Any, source_mask: Any, tokens: Any) -> tuple[Any, Any]:
        """See the class docstring."""
        states, memory = self.start(encoded, source_mask)
        projected = ops.swapaxes(self.project(tokens), 0, 1)  # (target, batch, 3 units)
        outputs, attention = loop.over_time(projected, states, memory, self.loop_weights(projected.dtype))
        return ops.swapaxes(outputs, 0, 1), ops.swapaxes(attention, 0, 1)

    def start(self, encoded: Any, source_mask: Any) -> tuple[list, list]:
        """Returns the initial states [s_0, o_0], and the memory to attend to, in the format of `loop.one_step`."""
        weights = ops.cast(source_mask, encoded.dtype)[..., None]
        mean = ops.sum(encoded * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)
        state = ops.tanh(ops.matmul(mean, self.initial) + self.initial_bias)
        output = ops.zeros((ops.shape(state)[0], self.output_units), state.dtype)
        keys, values = ops.matmul(encoded, self.key_kernel), ops.matmul(encoded, self.value_kernel)
        return [state, output], [keys, values, ops.where(source_mask, 0.0, FAR)]

    def project(self, tokens: Any) -> Any:
        """W x + b: (..., embedding) -> (..., 3 units)."""
        return ops.matmul(tokens, self.kernel) + self.bias

    def one_step(self, x: Any, state: Any, output: Any, memory: list) -> list:
        """One step, x (batch, 3 units) from `project` -> [s_t (batch, units), o_t, a_t (batch, source)]."""
        return loop.one_step(x, state, output, memory, self.loop_weights(x.dtype))[0]

    def loop_weights(self, dtype: Any) -> list:
        """Returns the weights used in the loop, in its order and in the compute dtype."""
        weights = [self.feeding_kernel, self.recurrent_kernel, self.recurrent_bias, self.state_kernel, self.output_bias]
        weights += [self.query_kernel, self.score_vector] if self.attention == "bahdanau" else []
        return [ops.cast(weight, dtype) for weight in weights]

    def compute_mask(self, *arguments: Any, **named: Any) -> None:
        """Returns None: no mask is propagated."""

    def compute_output_shape(self, encoded_shape: tuple, source_mask_shape: tuple, tokens_shape: tuple) -> tuple:
        """Returns the shapes of o and a."""
        return (*tokens_shape[:2], self.output_units), (*tokens_shape[:2], encoded_shape[1])

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        names = ("units", "output_units", "attention")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
