"""Derivatives of every order for loops compiled by XLA, which TensorFlow cannot differentiate by itself.

A hand-written gradient runs as a program that is never differentiated through. A second derivative is taken of the
same equations written as plain operations, and compiled in turn; likewise a third.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import forwardprop_util
from tensorflow.python.framework import ops as framework
from tensorflow.python.ops import control_flow_util

Tensors = Sequence[Any]
CUDNN = "CudnnRNNBackpropV3"  # the backward operation of Keras's LSTM and GRU on a GPU


class Differentiable:
    """Has gradients of every order, each one program: those of `plain`, however its values are computed.

    Args:
        plain: `plain(*inputs) -> outputs`, made of operations that TensorFlow can differentiate.
        jit: compile with XLA.
    """

    def __init__(self, plain: Callable, jit: bool) -> None:
        self.plain, self.jit = plain, jit
        self.gradients: dict[tuple, tuple] = {}

    def __call__(self, run: Callable, *inputs: Any) -> list:
        """Calls `run(*inputs)`, which returns the same as `plain(*inputs)`."""
        real = tuple(x.dtype.is_floating for x in inputs)

        @tf.custom_gradient
        def function(*inputs):
            def gradient(*output_gradients):
                program, compiled_program = self.gradient_for(real)
                found = iter(program(compiled_program, *inputs, *output_gradients))
                return [next(found) if yes else None for yes in real]

            return constants(run(*constants(inputs))), gradient

        # Creates tensors in this graph: those captured from another graph are unreachable where the gradient is built.
        return function(*(tf.identity(x) for x in inputs))

    def gradient_for(self, real: tuple[bool, ...]) -> tuple["Differentiable", Callable]:
        """Returns (*inputs, *output gradients) -> gradients of the `real` inputs, as `Differentiable` and program."""
        key = real, within_xla()  # a loop is traced differently within XLA, see `scan`
        if key not in self.gradients:

            def pull_back(*values):
                inputs, output_gradients = values[: len(real)], values[len(real) :]

                def function(*chosen):
                    chosen = iter(chosen)
                    return self.plain(*(next(chosen) if yes else x for x, yes in zip(inputs, real, strict=True)))

                return vjp(function, [x for x, yes in zip(inputs, real, strict=True) if yes], output_gradients)

            run = tf.function(pull_back, jit_compile=self.jit, autograph=False)
            self.gradients[key] = Differentiable(pull_back, self.jit), run
        return self.gradients[key]


def vjp(function: Callable, inputs: Tensors, gradients: Tensors) -> list:
    """Returns the gradients of the inputs, given those of the outputs (vector-Jacobian product).

    Args:
        function: `function(*inputs) -> outputs`, a list of tensors.
        inputs: floating-point tensors. gradients: one for each output.

    Returns:
        One gradient for each input, zeros if it has no influence.
    """
    zero = tf.UnconnectedGradients.ZERO
    if not tf.executing_eagerly():
        # Without a tape: TensorFlow suspends all tapes during forward-mode differentiation (`tf.autodiff`).
        inputs = [tf.identity(x) for x in inputs]
        return tf.gradients(function(*inputs), inputs, list(gradients), unconnected_gradients=zero)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(*inputs)
    return list(tape.gradient(outputs, list(inputs), output_gradients=list(gradients), unconnected_gradients=zero))


def constants(values: Any) -> Any:
    """Stops gradients through the tensors.

    Applied to the inputs and outputs of a compiled program: otherwise TensorFlow would also differentiate the loop
    itself, whose tensor lists cannot leave XLA ("TensorList crossing the XLA/TF boundary").
    """
    return tf.nest.map_structure(lambda x: None if x is None else tf.stop_gradient(x), values)


def there(values: Sequence[Any]) -> list:
    """Returns the values that are not None."""
    return [value for value in values if value is not None]


def refuse_forward_mode(inputs: Tensors) -> None:
    """Raises NotImplementedError where TensorFlow would silently treat forward-mode derivatives as zero."""
    if not tf.executing_eagerly() and forwardprop_util.pack_tangents(list(inputs)).tangents:
        raise NotImplementedError(
            "Expected derivatives by tf.GradientTape, or by a tf.autodiff.ForwardAccumulator outside of any "
            "tf.function. Received: a ForwardAccumulator within one."
        )


def within_xla() -> bool:
    """Returns whether the current graph is being traced as part of an XLA program."""
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def _no_second_derivative(op: Any, *gradients: Any) -> None:
    """Registered as the gradient of the gradient of cuDNN's LSTM and GRU."""
    raise NotImplementedError(
        "cuDNN has first derivatives only. Expected for a second one: a layer with `unroll=True`, or on a CPU."
    )


if CUDNN not in framework.gradient_registry.list():
    tf.RegisterGradient(CUDNN)(_no_second_derivative)
