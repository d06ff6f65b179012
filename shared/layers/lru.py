"""The linear recurrent unit: a diagonal complex recurrence, stable by construction."""

import math
from typing import Any

import keras
from keras import ops

from shared.layers import bptt, linear_scan
from shared.layers.cells import Cell, CellRNN, affine


def _advance(slices: list, mixed: Any, states: list, vectors: list) -> list:
    """Multiplies s by lambda and adds the input; both are [real, imaginary], concatenated."""
    del mixed
    re, im = ops.split(states[0], 2, axis=-1)
    a_re, a_im = ops.split(vectors[0], 2, axis=-1)
    return [slices[0] + ops.concatenate([a_re * re - a_im * im, a_re * im + a_im * re], axis=-1)]


ROTATE = bptt.Step(_advance, mix=None)


@keras.saving.register_keras_serializable(package="gallery")
class LRUCell(Cell):
    """One step of `LRU`; its docstring has the equations, arguments and weights."""

    WEIGHTS = ("kernel", "bias")
    OPTIONS: tuple[str, ...] = (*Cell.OPTIONS, "r_min", "r_max", "max_phase")

    def __init__(
        self, units: int, r_min: float = 0.9, r_max: float = 0.999, max_phase: float = 2 * math.pi, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        if not 0 <= r_min < r_max < 1:
            raise ValueError(f"Expected 0 <= r_min < r_max < 1. Received: r_min={r_min}, r_max={r_max}")
        if not 0 < max_phase <= 2 * math.pi:
            raise ValueError(f"`max_phase` must be above 0 and at most 2 pi. Received: max_phase={max_phase}")
        self.state_size = [units, 2 * units]
        self.r_min, self.r_max, self.max_phase = r_min, r_max, max_phase

    def build(self, input_shape: tuple) -> None:
        """Creates the logarithms of nu and theta, which define lambda, and of gamma, and the matrices B, C and D."""
        ring, squares = (self.units,), (self.r_min**2, self.r_max**2)

        def nu(shape, dtype=None):
            return ops.log(-0.5 * ops.log(keras.random.uniform(shape, *squares, dtype=dtype)))

        def theta(shape, dtype=None):
            return ops.log(keras.random.uniform(shape, 1e-4, self.max_phase, dtype=dtype))

        def gamma(shape, dtype=None):
            return 0.5 * ops.log1p(-ops.exp(-2 * ops.exp(ops.cast(self.nu_log, dtype))))

        self.nu_log = self.add_weight(shape=ring, name="nu_log", initializer=nu)
        self.theta_log = self.add_weight(shape=ring, name="theta_log", initializer=theta)
        self.gamma_log = self.add_weight(shape=ring, name="gamma_log", initializer=gamma)
        self.kernel = self.add_kernel("kernel", input_shape[-1], 2 * self.units)
        self.output_kernel = self.add_kernel("output_kernel", 2 * self.units, self.units)
        self.skip_kernel = self.add_kernel("skip_kernel", input_shape[-1], self.units)
        self.bias = self.add_bias("bias", self.units)

    def call(self, inputs: Any, states: list, training: bool = False) -> tuple[Any, list]:
        """Computes one step: inputs (batch, features), [h, s] -> output (batch, units), [h, s]."""
        del training
        inputs = ops.cast(inputs, self.compute_dtype)
        (s,) = bptt.one(ROTATE, [self.drive(inputs)], [states[1]], None, [self.eigenvalues(inputs.dtype)])
        h = self.read_out(s, inputs)
        return h, [h, s]

    def eigenvalues(self, dtype: Any) -> Any:
        """Returns lambda (2 units): real parts, imaginary parts."""
        radius, phase = ops.exp(-ops.exp(self.nu_log)), ops.exp(self.theta_log)
        return ops.cast(ops.concatenate([radius * ops.cos(phase), radius * ops.sin(phase)]), dtype)

    def drive(self, inputs: Any) -> Any:
        """Computes gamma * B x: (..., features) -> (..., 2 units)."""
        gamma = ops.exp(ops.cast(self.gamma_log, inputs.dtype))
        return affine(inputs, self.kernel, None) * ops.concatenate([gamma, gamma])

    def read_out(self, s: Any, inputs: Any) -> Any:
        """Computes Re(C s) + D x + b: (..., 2 units), (..., features) -> (..., units)."""
        return affine(s, self.output_kernel, self.bias) + affine(inputs, self.skip_kernel, None)


@keras.saving.register_keras_serializable(package="gallery")
class LRU(CellRNN):
    """Linear recurrent unit: learned oscillating and decaying memories, no gates; the simplest state-space layer.

    Orvieto et al. (2023), "Resurrecting recurrent neural networks for long sequences", arXiv:2303.06349, section 3
    and algorithm in appendix A.

        lambda = exp(-exp(nu) + i exp(theta)),  |lambda| < 1 always
        s_t = lambda * s_{t-1} + exp(gamma) * B x_t         (complex)
        h_t = Re(C s_t) + D x_t + b

    Differences from the paper: D is a full matrix, since features and units may differ; b is added; only the layer,
    without the surrounding block of normalisation, gated unit and skip connection. s is as wide as h.

    Args:
        units: positive int, width of h and of the output.
        r_min, r_max: lambda is initialised uniformly on the ring between these radii. Defaults 0.9, 0.999.
        max_phase: the phase of lambda is initialised uniformly in (0, max_phase]. Default 2 pi.
        use_bias, kernel_initializer, bias_initializer, regularisers, constraints: as in
            `keras.layers.LSTM`.
        form: "auto" (default), "sequential" or "parallel": how the recurrence is computed, see `linear_scan`.
        recompute: see `Scanned`; sequential form only.
        **kwargs: those of `keras.layers.RNN`.

    Call:     inputs (batch, time, features); mask (batch, time) bool; initial_state [h0, s0].
    Returns:  (batch, units), or (batch, time, units); then h and s if return_state.
    State:    [h (batch, units), s (batch, 2 units): real parts, imaginary parts], zeros at the start; state[0] is
              the output.
    Weights:  nu_log, theta_log, gamma_log (units); kernel (features, 2 units), B; output_kernel (2 units, units),
              Re(C) stacked on -Im(C); skip_kernel (features, units), D; bias (units).
    Masking:  a masked step keeps the state. Cost: O(time) steps | O(log time) depth in the parallel form.
    Raises:   ValueError if units < 1, `form` is unknown, or r_min, r_max or max_phase is out of range.

    >>> tuple(LRU(8)(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    cell_class = LRUCell
    SCAN_OPTIONS: tuple[str, ...] = ("recompute",)
    LAYER_OPTIONS: tuple[str, ...] = (*CellRNN.LAYER_OPTIONS, "form")

    def __init__(self, units: int, form: str = "auto", **kwargs: Any) -> None:
        linear_scan.check_form(form)
        super().__init__(units, **kwargs)
        self.form = form

    def over_time(self, x: Any, mask: Any, states: list, training: bool) -> list:
        """See `Scanned`."""
        drive, eigenvalues = self.cell.drive(x), self.cell.eigenvalues(x.dtype)
        if linear_scan.in_parallel(self.form, x):
            s = _doubling(eigenvalues, drive, states[1], mask)
        else:
            s, _ = bptt.scan(ROTATE, [drive], [states[1]], None, [eigenvalues], mask, recompute=self.recompute)
        h = self.cell.read_out(s, x)
        if mask is not None:  # a masked step repeats the previous output
            real = ops.cast(mask, h.dtype)
            h = linear_scan.linear_scan((1 - real) * ops.ones_like(h), real * h, states[0], self.form)
        return [h, h[-1], s[-1]]


def _doubling(eigenvalues: Any, drive: Any, s0: Any, mask: Any) -> Any:
    """Computes all s_t in log2(time) rounds, as in `linear_scan` but with complex numbers."""
    a_re, a_im = (a + ops.zeros_like(drive[..., : a.shape[-1]]) for a in ops.split(eigenvalues, 2, axis=-1))
    if mask is not None:
        a_re, a_im = ops.where(mask, a_re, 1), ops.where(mask, a_im, 0)
        drive = ops.where(mask, drive, 0)
    b_re, b_im = ops.split(drive, 2, axis=-1)
    s_re, s_im = (ops.expand_dims(s, 0) for s in ops.split(s0, 2, axis=-1))
    first_re = b_re[:1] + a_re[:1] * s_re - a_im[:1] * s_im
    first_im = b_im[:1] + a_re[:1] * s_im + a_im[:1] * s_re
    b_re, b_im = ops.concatenate([first_re, b_re[1:]]), ops.concatenate([first_im, b_im[1:]])
    shift, length = 1, drive.shape[0]
    while shift < length:
        (re, im), (old_re, old_im) = (a_re[shift:], a_im[shift:]), (b_re[:-shift], b_im[:-shift])
        b_re, b_im = (
            ops.concatenate([b_re[:shift], b_re[shift:] + re * old_re - im * old_im]),
            ops.concatenate([b_im[:shift], b_im[shift:] + re * old_im + im * old_re]),
        )
        old_re, old_im = a_re[:-shift], a_im[:-shift]
        a_re = ops.concatenate([a_re[:shift], re * old_re - im * old_im])
        a_im = ops.concatenate([a_im[:shift], re * old_im + im * old_re])
        shift *= 2
    return ops.concatenate([b_re, b_im], axis=-1)
