"""Back-propagation through time for every cell whose step is a product with the state and a function of the result.

    m_t = mix(enter(x_t, s_{t-1}), kernel)                 the only product inside the loop; with `adds`, plus x_t
    s_t = advance(x_t, m_t, s_{t-1}, vectors)              everything else, elementwise

The reverse scan needs only the gradient of `advance` from the backend; it yields the gradients of all m_t, from which
the kernel gradient is ONE product over all time steps. Masks and zoneout are part of the step, for all cells alike.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from keras import ops

from shared.layers import backend, time_major
from shared.layers.recompute import all_steps, cut, in_pieces, sums

Tensors = list[Any]


@dataclass(frozen=True)
class Mix:
    """A linear map of the state: `forward(h, kernel)`, its transpose, and the kernel gradient over all steps."""

    forward: Callable
    transposed: Callable  # kernel -> the kernel with which `forward` is the transposed map
    kernel_gradient: Callable  # (h (time, batch, ...), output gradients, kernel) -> kernel gradient
    jit: bool = True
    each_step: bool = False  # compute `kernel_gradient` per step, in parallel with the rest of the step, and sum it


DENSE = Mix(ops.matmul, ops.transpose, lambda h, gradients, _: time_major.product_over_time(h, gradients))


@dataclass(frozen=True)
class Step:
    """Defines one step of a cell.

    Attributes:
        advance: `(slices, mixed, states, vectors) -> new states`, of which the first is the output. It also works on
            all time steps at once, with an additional leading axis.
        mix: the product with the recurrent kernel. None: there is none, and `mixed` is None.
        enter: `(slices, states, vectors) -> input of mix`. None: the previous output, states[0].
        zoned: for each state, whether zoneout applies to it.
        adds: whether the first slice is added to the result of `mix`, so that both have the same gradient; `advance`
            then receives the sum as `mixed`, and the other slices.
        read: `(first slice, vectors) -> addend`, if it is cheaper to compute it in each step than to store it for all
            steps. None: the first slice itself.
    """

    advance: Callable
    mix: Mix | None = DENSE
    enter: Callable | None = None
    zoned: tuple[bool, ...] = (True, True)
    adds: bool = False
    read: Callable | None = None

    def added(self, slices: Tensors, mixed: Any, vectors: Tensors) -> tuple[Tensors, Any]:
        """Returns slices and `mixed` as `advance` takes them."""
        if not self.adds:
            return slices, mixed
        first, *others = slices
        return others, mixed + (first if self.read is None else self.read(first, vectors))


def one(step: Step, slices: Tensors, states: Tensors, kernel: Any, vectors: Tensors) -> Tensors:
    """Returns the states after one step; tensors (batch, ...)."""
    mixed = _mixed(step, slices, states, kernel, vectors)
    return step.advance(*step.added(slices, mixed, vectors), states, vectors)


def scan(
    step: Step,
    sequences: Tensors,
    states: Tensors,
    kernel: Any,
    vectors: Tensors,
    mask: Any = None,
    zones: Sequence[Any] = (),
    recompute: int = 0,
) -> Tensors:
    """Runs all steps, with the gradient described in the module docstring.

    Args:
        sequences: inputs of the steps, (time, batch, ...) each. states: before the first step, (batch, ...).
        kernel: the kernel of `step.mix`, or None. vectors: the cell's other weights.
        mask: (time, batch, 1), for images (time, batch, 1, 1, 1), bool; a masked step keeps all states.
        zones: none, or two tensors that broadcast to (time, batch, units): the fraction of the old state kept in
            states[0], and in the others (see `held`).
        recompute: 0, or the length of the segments of which only the initial states are stored, see `recompute.py`.

    Returns:
        [outputs (time, batch, units), *last states].
    """
    if recompute and mask is None:
        mask = all_steps(sequences[0])
    program = _program(step, len(sequences), len(states), len(vectors), mask is not None, len(zones), recompute)
    kernels = [] if step.mix is None else [kernel]
    return program(*sequences, *([] if mask is None else [mask]), *zones, *states, *kernels, *vectors)


def held(zoned: Sequence[bool], old: Tensors, new: Tensors, zones: Sequence[Any]) -> Tensors:
    """Applies zoneout, Krueger et al. (2017), arXiv:1606.01305: units keep old values at random, or on average."""
    if not zones:
        return new
    kept = [zones[min(number, 1)] for number in range(len(new))]
    return [z * o + (1 - z) * n if yes else n for z, o, n, yes in zip(kept, old, new, zoned, strict=False)]


def _mixed(step: Step, slices: Tensors, states: Tensors, kernel: Any, vectors: Tensors) -> Any:
    if step.mix is None:
        return None
    return step.mix.forward(_entered(step, slices, states, vectors), kernel)


def _entered(step: Step, slices: Tensors, states: Tensors, vectors: Tensors) -> Any:
    return states[0] if step.enter is None else step.enter(slices, states, vectors)


@functools.cache
def _program(
    step: Step, sequences: int, states: int, vectors: int, masked: bool, zones: int, recompute: int
) -> Callable:
    program = _Program(step, sequences, states, vectors, masked, zones)
    both = program.forward, program.backward
    if recompute:
        both = in_pieces(*both, sequences, masked + zones, states, recompute)
    jit = step.mix is None or step.mix.jit
    # Without jit there is no need to split the batch: TensorFlow's convolutions already use all cores.
    return backend.differentiable(*both, jit=jit, batch=program.batch() if jit else None)


class _Program:
    """Forward and backward over flat lists of tensors: sequences, mask, zones, states, kernel, vectors."""

    def __init__(self, step: Step, sequences: int, states: int, vectors: int, masked: bool, zones: int) -> None:
        self.step = step
        self.mixes = int(step.mix is not None)
        self.counts = (sequences, int(masked), zones, states, self.mixes, vectors)
        self.reads = int(step.read is not None)
        self.forgotten = int(step.adds and not self.reads)  # a first slice that is only added is not a residual

    def batch(self) -> tuple[list, list]:
        """Returns the batch axis of each tensor in the flat list, and of each output."""
        sequences, mask, zones, states, kernels, vectors = self.counts
        in_time = [1] * (sequences + mask + zones)
        return [*in_time, *[0] * states, *[None] * (kernels + vectors)], [1, *[0] * states]

    def new_states(self, slices: Tensors, mixed: Any, states: Tensors, vectors: Tensors, mask: Tensors, zones: Tensors):
        """Computes one step with zoneout and mask."""
        new = held(self.step.zoned, states, self.step.advance(slices, mixed, states, vectors), zones)
        if mask:
            new = [ops.where(mask[0], n, o) for n, o in zip(new, states, strict=True)]
        return [ops.cast(n, o.dtype) for n, o in zip(new, states, strict=True)]

    def forward(self, *flat):
        """Returns ([outputs, *last states], residuals)."""
        sequences, mask, zones, states, kernels, vectors = cut(flat, self.counts)

        def body(carry, slices):
            x, mask_t, zones_t = cut(slices, (len(sequences), len(mask), len(zones)))
            mixed = _mixed(self.step, x, carry, kernels[0], vectors) if kernels else None
            x, mixed = self.step.added(x, mixed, vectors)
            new = self.new_states(x, mixed, carry, vectors, mask_t, zones_t)
            return new, [*new, *([mixed] if kernels else [])]

        outputs = len(states) + self.mixes
        last, history = backend.scan(body, states, [*sequences, *mask, *zones], outputs)
        return [history[0], *last], [*flat[self.forgotten :], *history]

    def backward(self, residuals, gradients):
        """Returns the gradients of all tensors in the flat list; None for mask and zones."""
        counts = (self.counts[0] - self.forgotten, *self.counts[1:])
        flat, history = residuals[: sum(counts)], residuals[sum(counts) :]
        sequences, mask, zones, states, kernels, vectors = cut(flat, counts)
        mixed = history[len(states) :]
        old = [time_major.before(s, h) for s, h in zip(states, history[: len(states)], strict=True)]
        transposed = self.step.mix.transposed(kernels[0]) if kernels else None
        summed = kernels if kernels and self.step.mix.each_step else []
        parts = (len(sequences) - self.reads, self.mixes, len(states), len(vectors))

        def body(carry, slices):
            (dh,), read, x, m, old_t, mask_t, zones_t = cut(slices, (1, self.reads, *parts[:3], len(mask), len(zones)))
            d_states, d_vectors, d_kernels = cut(carry, (len(states), len(vectors), len(summed)))

            def function(*inputs):
                x, m, old_t, vectors = cut(inputs, parts)
                return self.new_states(x, m[0] if m else None, old_t, vectors, mask_t, zones_t)

            d_new = [d_states[0] + dh, *d_states[1:]]
            dx, dm, d_old, d_used = cut(backend.vjp(function, [*x, *m, *old_t, *vectors], d_new), parts)
            if summed:
                found = self.step.mix.kernel_gradient(_entered(self.step, x, old_t, vectors), dm[0], summed[0])
                d_kernels = [d_kernels[0] + found]
            if m:
                d_entered = self.step.mix.forward(dm[0], transposed)
                dx, d_old, d_used = self.through_enter(d_entered, x, old_t, vectors, dx, d_old, d_used)
            if read:
                d_used = sums(d_used, backend.vjp(lambda *v: [self.step.read(read[0], v)], vectors, dm))
            return [*d_old, *sums(d_vectors, d_used), *d_kernels], [*dx, *dm]

        start = [*gradients[1:], *[ops.zeros_like(v) for v in [*vectors, *summed]]]
        steps = [gradients[0], *sequences, *mixed, *old, *mask, *zones]
        carry, found = backend.scan(body, start, steps, parts[0] + self.mixes, reverse=True)
        d_states, d_vectors, d_kernel = cut(carry, (len(states), len(vectors), len(summed)))
        if kernels and not summed:
            entered = _entered(self.step, sequences, old, vectors)
            d_kernel = [self.step.mix.kernel_gradient(entered, found[-1], kernels[0])]
        d_sequences, d_first = found[: parts[0]], found[-1:] if self.step.adds else []
        if self.reads:
            d_first = backend.vjp(lambda first: [self.step.read(first, vectors)], sequences[:1], d_first)
        return [*d_first, *d_sequences, *[None] * (len(mask) + len(zones)), *d_states, *d_kernel, *d_vectors]

    def through_enter(self, d_entered, x, old, vectors, dx, d_old, d_vectors):
        """Back-propagates through `enter`: adds its gradients to those of slices, states and vectors."""
        if self.step.enter is None:
            return dx, [d_old[0] + d_entered, *d_old[1:]], d_vectors
        parts = (len(x), len(old), len(vectors))
        found = backend.vjp(lambda *v: [self.step.enter(*cut(v, parts))], [*x, *old, *vectors], [d_entered])
        return [sums(a, b) for a, b in zip((dx, d_old, d_vectors), cut(found, parts), strict=True)]
