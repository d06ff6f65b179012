"""Back-propagation through time, written once for every step that is a product with the state and a function of it.

    m_t = mix(enter(x_t, s_{t-1}), kernel)                 the only product inside the loop; with `adds`, plus x_t
    s_t = advance(x_t, m_t, s_{t-1}, vectors)              all the rest, element by element

The reverse scan asks the backend for the gradient of `advance` alone; it yields the gradients of all m_t, after which
the kernel's gradient is ONE product over all time steps. Masks and zoneout are part of the step, for every cell alike.
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
    """A linear map of the state: `forward(h, kernel)`, its transpose, and the kernel's gradient over all steps."""

    forward: Callable
    transposed: Callable  # kernel -> the kernel with which `forward` is the transposed map
    kernel_gradient: Callable  # (h (time, batch, ...), gradients of the results, kernel) -> gradient of the kernel
    jit: bool = True
    each_step: bool = False  # `kernel_gradient` over each step alone, beside the rest of the step, then summed


DENSE = Mix(ops.matmul, ops.transpose, lambda h, gradients, _: time_major.product_over_time(h, gradients))


@dataclass(frozen=True)
class Step:
    """What a cell does in a step.

    Attributes:
        advance: `(slices, mixed, states, vectors) -> new states`, the first being the output. It also works on all
            time steps at once, with one more leading axis.
        mix: the product with the recurrent kernel; None: there is none, `mixed` is None.
        enter: `(slices, states, vectors) -> what is mixed`; None: the output before, states[0].
        zoned: for each state whether zoneout may hold it.
        adds: the first of the slices is added to what is mixed, so that both have one gradient, and `advance` sees
            the sum as `mixed` and the other slices.
        read: `(first slice, vectors) -> what is added`, where that is cheaper to compute in each step than to keep
            for all of them; None: the first slice itself.
    """

    advance: Callable
    mix: Mix | None = DENSE
    enter: Callable | None = None
    zoned: tuple[bool, ...] = (True, True)
    adds: bool = False
    read: Callable | None = None

    def added(self, slices: Tensors, mixed: Any, vectors: Tensors) -> tuple[Tensors, Any]:
        """The slices and what is mixed, as `advance` takes them."""
        if not self.adds:
            return slices, mixed
        first, *others = slices
        return others, mixed + (first if self.read is None else self.read(first, vectors))


def one(step: Step, slices: Tensors, states: Tensors, kernel: Any, vectors: Tensors) -> Tensors:
    """The states after one step; tensors (batch, ...)."""
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
    """All steps, with the gradient described above.

    Args:
        sequences: what each step reads, (time, batch, ...) each. states: before the first step, (batch, ...).
        kernel: what `step.mix` takes, or None. vectors: the cell's other weights.
        mask: (time, batch, 1), for images (time, batch, 1, 1, 1), bool; a masked step keeps every state.
        zones: none, or two tensors that broadcast to (time, batch, units): the share of the old state kept by
            states[0], and by the others (see `held`).
        recompute: 0, or the length of the pieces of which only the first states are stored, see `recompute.py`.

    Returns:
        [outputs (time, batch, units), *last states].
    """
    if recompute and mask is None:
        mask = all_steps(sequences[0])
    program = _program(step, len(sequences), len(states), len(vectors), mask is not None, len(zones), recompute)
    kernels = [] if step.mix is None else [kernel]
    return program(*sequences, *([] if mask is None else [mask]), *zones, *states, *kernels, *vectors)


def held(zoned: Sequence[bool], old: Tensors, new: Tensors, zones: Sequence[Any]) -> Tensors:
    """Zoneout, Krueger et al. (2017), arXiv:1606.01305: each unit keeps its old value by chance, or in its mean."""
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
    # TensorFlow's own convolutions use all cores already.
    return backend.differentiable(*both, jit=jit, batch=program.batch() if jit else None)


class _Program:
    """Forward and backward over flat lists of tensors: sequences, mask, zones, states, kernel, vectors."""

    def __init__(self, step: Step, sequences: int, states: int, vectors: int, masked: bool, zones: int) -> None:
        self.step = step
        self.mixes = int(step.mix is not None)
        self.counts = (sequences, int(masked), zones, states, self.mixes, vectors)
        self.reads = int(step.read is not None)
        self.forgotten = int(step.adds and not self.reads)  # the gradient needs no first slice that is only added

    def batch(self) -> tuple[list, list]:
        """The axis of the batch in each of the flat list, and in each output."""
        sequences, mask, zones, states, kernels, vectors = self.counts
        in_time = [1] * (sequences + mask + zones)
        return [*in_time, *[0] * states, *[None] * (kernels + vectors)], [1, *[0] * states]

    def new_states(self, slices: Tensors, mixed: Any, states: Tensors, vectors: Tensors, mask: Tensors, zones: Tensors):
        """One step with zoneout and mask."""
        new = held(self.step.zoned, states, self.step.advance(slices, mixed, states, vectors), zones)
        if mask:
            new = [ops.where(mask[0], n, o) for n, o in zip(new, states, strict=True)]
        return [ops.cast(n, o.dtype) for n, o in zip(new, states, strict=True)]

    def forward(self, *flat):
        """-> ([outputs, *last states], residuals)."""
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
        """-> the gradients by all of the flat list; None for mask and zones."""
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
        """Adds what the mixed quantity owes to slices, states and vectors."""
        if self.step.enter is None:
            return dx, [d_old[0] + d_entered, *d_old[1:]], d_vectors
        parts = (len(x), len(old), len(vectors))
        found = backend.vjp(lambda *v: [self.step.enter(*cut(v, parts))], [*x, *old, *vectors], [d_entered])
        return [sums(a, b) for a, b in zip((dx, d_old, d_vectors), cut(found, parts), strict=True)]
