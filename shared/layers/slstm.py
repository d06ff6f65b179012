"""The scalar LSTM of xLSTM: exponential gating, with which it can revise what it has stored."""

from typing import Any

import keras
from keras import ops

from shared.layers import bptt
from shared.layers.cells import StepCell, StepRNN, affine


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    del vectors
    i, f, g, o = ops.split(mixed, 4, axis=-1)
    _, c, n, m = states
    log_f = ops.log_sigmoid(f) + m
    # At the first step, where n = 0, there is nothing to keep and no previous scale.
    m_new = ops.where(n > 0, ops.maximum(log_f, i), i)
    keep, add = ops.exp(ops.minimum(log_f - m_new, 0)), ops.exp(i - m_new)
    c_new, n_new = keep * c + add * ops.tanh(g), keep * n + add
    return [ops.sigmoid(o) * c_new / n_new, c_new, n_new, m_new]


@keras.saving.register_keras_serializable(package="gallery")
class SLSTMCell(StepCell):
    """One step of `SLSTM`; its docstring has the equations, arguments and weights."""

    # c, n and m are meaningful only together, so zoneout applies to the output only.
    STEP = bptt.Step(_advance, zoned=(True, False, False, False), adds=True)
    OPTIONS: tuple[str, ...] = (*StepCell.OPTIONS, "unit_forget_bias")

    def __init__(self, units: int, unit_forget_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.state_size = [units] * 4
        self.unit_forget_bias = unit_forget_bias

    def build(self, input_shape: tuple) -> None:
        """Creates kernel, recurrent_kernel and bias, gates i f g o."""
        self.kernel = self.add_kernel("kernel", input_shape[-1], 4 * self.units)
        self.recurrent_kernel = self.add_recurrent("recurrent_kernel", self.units, 4 * self.units)
        self.bias = self.add_gates_bias("bias", 4, ones=1 if self.unit_forget_bias else None)

    def project(self, inputs: Any) -> list:
        """See `StepCell`."""
        return [affine(inputs, self.kernel, self.bias)]

    def kernel_and_vectors(self) -> tuple[Any, list]:
        """See `StepCell`."""
        return self.recurrent_kernel, []


@keras.saving.register_keras_serializable(package="gallery")
class SLSTM(StepRNN):
    """Scalar LSTM: an exponential input gate can outweigh everything stored before; the state is a weighted mean.

    Beck et al. (2024), "xLSTM: extended long short-term memory", arXiv:2405.04517, equations 8 to 17.

        i~, f~, g~, o~ = W x_t + U h_{t-1} + b
        m_t = max(log sigmoid(f~) + m_{t-1}, i~),  at the first step i~        (the stabiliser)
        i'_t = exp(i~ - m_t),  f'_t = exp(log sigmoid(f~) + m_{t-1} - m_t)
        c_t = f'_t * c_{t-1} + i'_t * tanh(g~)
        n_t = f'_t * n_{t-1} + i'_t
        h_t = sigmoid(o~) * c_t / n_t

    Differences from the paper: the sigmoid variant of the forget gate; one head, so that U is a full matrix; only the
    layer, without the surrounding block; b_f starts at 1.

    Args:
        units: positive int, width of h and of the output.
        unit_forget_bias: whether b_f starts at 1. Default True.
        use_bias, kernel_initializer, recurrent_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.LSTM`.
        zoneout (of h only), recurrent_weight_dropout, recompute: see `Scanned`.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0, c0, n0, m0], n0 >= 0.
    Returns:  (batch, units), or (batch, time, units); then h, c, n and m if return_state.
    State:    [h, c, n, m, each (batch, units)], zeros at the start; state[0] is the output. n >= 1 after a step.
    Weights:  kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units), gates i f g o.
    Masking:  a masked step keeps the state. Cost: O(time) steps.
    Raises:   ValueError if units < 1.

    >>> tuple(SLSTM(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = SLSTMCell
