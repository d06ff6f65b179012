"""The TensorFlow backend: every scan, forward or backward, is one program compiled by XLA."""

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from shared.layers.backend.tensorflow_derivatives import (
    Differentiable,
    constants,
    refuse_forward_mode,
    there,
    within_xla,
)

Tensors = Sequence[Any]
Step = Callable[[Tensors, Tensors], tuple[Tensors, Tensors]]
Axes = Sequence[int | None]
ARRAYS = (np.ndarray, tf.__internal__.EagerTensor)
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_gpu() -> bool:
    """Returns whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def scan(step: Step, carry: Tensors, sequences: Tensors, outputs: int, reverse: bool = False) -> tuple:
    """Runs `step(carry, slices) -> (carry, outputs)` over the first axis of every sequence.

    Args:
        step: the body of the loop; `slices` is `sequence[t]` of each sequence.
        carry: tensors passed from step to step; their shapes and dtypes never change.
        sequences: tensors (time, ...), all of the same length.
        outputs: number of outputs of a step, all with the dtype of `carry[0]`.
        reverse: run from the last step to the first; output t still corresponds to input t.

    Returns:
        (final carry, [outputs stacked along time (time, ...)]).
    """
    length = tf.shape(sequences[0])[0]
    dtype = carry[0].dtype
    # XLA reads and writes slices of tensor arrays in place. TensorFlow without XLA would copy them, but not `s[t]`.
    readers = [
        tf.TensorArray(s.dtype, size=length).unstack(s).read if within_xla() else s.__getitem__ for s in sequences
    ]
    results = [tf.TensorArray(dtype, size=length) for _ in range(outputs)]

    def body(index, carry, results):
        t = length - 1 - index if reverse else index
        carry, values = step(carry, [read(t) for read in readers])
        written = [result.write(t, value) for result, value in zip(results, values, strict=True)]
        return index + 1, list(carry), written

    _, final, results = tf.while_loop(
        lambda index, *_: index < length, body, (0, list(carry), results), maximum_iterations=length
    )
    return final, [result.stack() for result in results]


def differentiable(
    forward: Callable,
    backward: Callable,
    jit: bool = True,
    batch: tuple[Axes, Axes] | None = None,
    finish: Callable | None = None,
) -> Callable:
    """Returns a function with a hand-written gradient; each direction is one program.

    Args:
        forward: `forward(*inputs) -> (outputs, residuals)`, two lists of tensors.
        backward: `backward(residuals, output_gradients) -> input_gradients`, None for inputs without a gradient.
        jit: compile with XLA; False where XLA is slow (convolutions on a CPU).
        batch: the batch axis of each input and of each output, None for weights. If given, a CPU with several cores
            runs the two halves of a batch in parallel: the small products of one half's loop, and the operations
            between them, leave cores idle that the other half uses.
        finish: `finish(residuals, found) -> input_gradients`, if `backward` returns something else. It runs outside
            the compiled program: on a CPU TensorFlow multiplies and transposes large matrices faster than XLA.

    Returns:
        `function(*inputs) -> outputs`. Higher-order derivatives are TensorFlow's own, of `forward` and `backward`
        together: correct, but slower.
    """
    run_forward = _without_copies(forward, jit)
    run_backward = tf.function(backward, jit_compile=jit, autograph=False)

    def gradients_of(residuals, output_gradients):
        found = constants(run_backward(residuals, list(output_gradients)))
        # All at once: otherwise the loops of the previous layer would queue behind half of these products.
        return found if finish is None else tf.tuple(finish(residuals, found))

    def again(*inputs_and_gradients, count):
        """Recomputes the gradients from the inputs, for second derivatives."""
        _, residuals = forward(*inputs_and_gradients[:count])
        found = backward(residuals, list(inputs_and_gradients[count:]))
        return there(found if finish is None else finish(residuals, found))

    @functools.cache
    def gradient_program(count):
        return Differentiable(functools.partial(again, count=count), jit)

    @tf.custom_gradient
    def function(*inputs):
        refuse_forward_mode(inputs)
        values = constants(inputs)
        if batch is None or _rows(values, batch[0]) == 1 or not _side_by_side():
            outputs, residuals = run_forward(*values)
            return outputs, lambda *gradients: gradient(gradients, lambda g: gradients_of(residuals, g), inputs)
        ran = [run_forward(*half) for half in _halves(values, batch[0])]

        def joined_gradients(output_gradients):
            halves = _halves(output_gradients, batch[1])
            found = [gradients_of(residuals, half) for (_, residuals), half in zip(ran, halves, strict=True)]
            return _joined(found, batch[0])

        outputs = _joined([outputs for outputs, _ in ran], batch[1])
        return outputs, lambda *gradients: gradient(gradients, joined_gradients, inputs)

    def gradient(output_gradients, first, inputs):
        known: list[bool] = []

        def run(*values):
            found = first(values[len(inputs) :])
            known[:] = [g is not None for g in found]
            return there(found)

        found = iter(gradient_program(len(inputs))(run, *inputs, *output_gradients))
        return [next(found) if yes else None for yes in known]

    return function


def _without_copies(forward: Callable, jit: bool) -> Callable:
    """Compiles `forward`. Residuals that are inputs are not returned by the program, which would copy them."""
    places: list[int | None] = []

    def program(*inputs):
        outputs, residuals = forward(*inputs)
        known = {id(value): place for place, value in enumerate(inputs)}
        places[:] = [known.get(id(value)) for value in residuals]
        return outputs, [value for value, place in zip(residuals, places, strict=True) if place is None]

    run = tf.function(program, jit_compile=jit, autograph=False)

    def call(*inputs):
        outputs, made = constants(run(*inputs))
        made = iter(made)
        return outputs, [next(made) if place is None else inputs[place] for place in places]

    return call


def _side_by_side() -> bool:
    """Returns whether to run halves of a batch in parallel: not on a GPU, nor within XLA, which runs loops serially."""
    return CORES > 1 and not on_gpu() and not tf.executing_eagerly() and not within_xla()


def _rows(values: Tensors, axes: Axes) -> int | None:
    """Returns the batch size, None if it is unknown."""
    return next(value.shape[axis] for value, axis in zip(values, axes, strict=True) if axis is not None)


def _halves(values: Tensors, axes: Axes) -> list[list]:
    """Splits the values into two halves of the batch; weights, without a batch axis, are passed whole to both."""
    size = next(tf.shape(value)[axis] for value, axis in zip(values, axes, strict=True) if axis is not None)
    sizes = tf.stack([size // 2, size - size // 2])
    cut = [
        [value] * 2 if axis is None else tf.split(value, sizes, axis, num=2)
        for value, axis in zip(values, axes, strict=True)
    ]
    return [[halves[number] for halves in cut] for number in range(2)]


def _joined(halves: Sequence[Tensors], axes: Axes) -> list:
    """Joins the results of both halves along the batch axis; gradients of weights are added."""
    return [
        None if one is None else one + other if axis is None else tf.concat([one, other], axis)
        for one, other, axis in zip(*halves, axes, strict=True)
    ]


def of_shape(value: Any, like: Any, expected: str) -> Any:
    """Returns `value`, with a run-time error unless its shape equals that of the first axes of `like`.

    Args:
        value: a tensor. like: a tensor with at least as many axes. expected: the beginning of the error message.
    """
    shape = tf.shape(like)[: len(value.shape)]
    if within_xla():
        # XLA removes assertions, but it can stack only tensors of equal shape.
        return tf.stack([value, tf.zeros(shape, value.dtype)])[0]
    with tf.control_dependencies([tf.debugging.assert_equal(tf.shape(value), shape, f"{expected}.")]):
        return tf.identity(value)


def compiled(function: Callable, variables: Sequence[Any]) -> Callable:
    """Compiles `function` to one XLA program, once for each set of argument shapes.

    Args:
        function: a pure function of tensors, written in `keras.ops`. Its arguments may also be NumPy arrays.
        variables: the Keras variables it reads; each call uses their current values.
    """
    del variables  # a traced function captures TensorFlow's variables by reference
    program = tf.function(function, jit_compile=True, autograph=False)
    traced: dict[tuple, Callable] = {}

    def call(*arguments: Any) -> Any:
        leaves = tf.nest.flatten(arguments)
        if not all(isinstance(leaf, ARRAYS) for leaf in leaves):
            return program(*arguments)
        # `tf.function` takes longer to convert arrays and to find the trace, .3 ms, as long as a small network's step.
        kinds = tuple([(leaf.shape, leaf.dtype) for leaf in leaves])
        leaves = [tf.constant(leaf) if isinstance(leaf, np.ndarray) else leaf for leaf in leaves]
        tensors = tf.nest.pack_sequence_as(arguments, leaves)
        if kinds not in traced:
            traced[kinds] = program.get_concrete_function(*tensors)
        return traced[kinds](*tensors)

    return call


def fused(function: Callable) -> Callable:
    """Compiles a part of a larger program with XLA, also where the program itself is not.

    It has a gradient, unlike what `compiled` returns on some backends.

    Args:
        function: a pure function of tensors, written in `keras.ops`.
    """
    return tf.function(function, jit_compile=True, autograph=False)
