"""TensorFlow: every scan, forward or backward, is one program that XLA compiles."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Tensors = Sequence[Any]
Step = Callable[[Tensors, Tensors], tuple[Tensors, Tensors]]


def on_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def scan(step: Step, carry: Tensors, sequences: Tensors, outputs: int, reverse: bool = False) -> tuple:
    """Runs `step(carry, slices) -> (carry, outputs)` over the first axis of every sequence.

    Args:
        step: the loop's body; `slices` holds `sequence[t]` of each sequence.
        carry: tensors handed from step to step; shapes and dtypes never change.
        sequences: tensors (time, ...), all of the same length.
        outputs: how many outputs a step returns, all of the dtype of `carry[0]`.
        reverse: from the last step to the first; output t still belongs to input t.

    Returns:
        (final carry, [outputs stacked along time (time, ...)]).
    """
    length = tf.shape(sequences[0])[0]
    dtype = carry[0].dtype
    # Tensor arrays rather than indexing: XLA then reads and writes slices in place.
    sources = [tf.TensorArray(s.dtype, size=length).unstack(s) for s in sequences]
    results = [tf.TensorArray(dtype, size=length) for _ in range(outputs)]

    def body(index, carry, results):
        t = length - 1 - index if reverse else index
        carry, values = step(carry, [source.read(t) for source in sources])
        written = [result.write(t, value) for result, value in zip(results, values, strict=True)]
        return index + 1, list(carry), written

    _, final, results = tf.while_loop(
        lambda index, *_: index < length, body, (0, list(carry), results), maximum_iterations=length
    )
    return final, [result.stack() for result in results]


def differentiable(forward: Callable, backward: Callable, jit: bool = True) -> Callable:
    """A function whose gradient is written by hand; each direction is one program.

    Args:
        forward: `forward(*inputs) -> (outputs, residuals)`, two lists of tensors.
        backward: `backward(residuals, output_gradients) -> input_gradients`, None for an input without one.
        jit: compile with XLA; False where XLA is slow (convolutions on a CPU).

    Returns:
        `function(*inputs) -> outputs`. It cannot be differentiated twice.
    """
    run_forward = tf.function(forward, jit_compile=jit, autograph=False)
    run_backward = tf.function(backward, jit_compile=jit, autograph=False)

    @tf.custom_gradient
    def function(*inputs):
        # Without stop_gradient TensorFlow would also differentiate the compiled loop itself, whose tensor
        # lists cannot leave XLA ("TensorList crossing the XLA/TF boundary").
        outputs, residuals = run_forward(*[tf.stop_gradient(x) for x in inputs])

        def gradient(*output_gradients):
            return run_backward(residuals, list(output_gradients))

        return outputs, gradient

    return function


def vjp(function: Callable, inputs: Tensors, gradients: Tensors) -> list:
    """The gradients by the inputs, given those by the outputs.

    Args:
        function: `function(*inputs) -> outputs`, a list of tensors.
        inputs: floating-point tensors. gradients: one for each output.

    Returns:
        One for each input, zeros where it has no influence.
    """
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(*inputs)
    zero = tf.UnconnectedGradients.ZERO
    return list(tape.gradient(outputs, list(inputs), output_gradients=list(gradients), unconnected_gradients=zero))


def compiled(function: Callable, variables: Sequence[Any]) -> Callable:
    """`function` as one XLA program, compiled once for each set of argument shapes.

    Args:
        function: a pure function of tensors, written in `keras.ops`.
        variables: the Keras variables it reads; their values at the time of each call are used.
    """
    del variables  # a traced function holds TensorFlow's variables by reference
    return tf.function(function, jit_compile=True, autograph=False)
