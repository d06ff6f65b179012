"""Derivatives that TensorFlow cannot find by itself, since our loops are programs of XLA's: of every order, and right.

A hand-written gradient runs as a program that nothing is differentiated through. A second derivative is that of the
same equations as plain operations, compiled in its turn; so is a third.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import forwardprop_util
from tensorflow.python.framework import ops as framework
from tensorflow.python.ops import control_flow_util

Tensors = Sequence[Any]
CUDNN = "CudnnRNNBackpropV3"  # what Keras's LSTM and GRU run backwards on a GPU


class Differentiable:
    """Has gradients of every order, each of them one program: those of `plain`, however the values are found.

    Args:
        plain: `plain(*inputs) -> outputs`, of operations that TensorFlow itself differentiates.
        jit: compile with XLA.
    """

    def __init__(self, plain: Callable, jit: bool) -> None:
        self.plain, self.jit = plain, jit
        self.gradients: dict[tuple, tuple] = {}

    def __call__(self, run: Callable, *inputs: Any) -> list:
        """`run(*inputs)`, which gives the same as `plain(*inputs)`."""
        real = tuple(x.dtype.is_floating for x in inputs)

        @tf.custom_gradient
        def function(*inputs):
            def gradient(*output_gradients):
                program, compiled_program = self.gradient_for(real)
                found = iter(program(compiled_program, *inputs, *output_gradients))
                return [next(found) if yes else None for yes in real]

            return constants(run(*constants(inputs))), gradient

        # Own tensors of this graph: what it borrowed from another is out of reach where its gradient is made.
        return function(*(tf.identity(x) for x in inputs))

    def gradient_for(self, real: tuple[bool, ...]) -> tuple["Differentiable", Callable]:
        """(*inputs, *output gradients) -> the gradients by the inputs that are `real`: itself, and how to run it."""
        key = real, within_xla()  # a loop is traced in another way there, see `scan`
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
    """The gradients by the inputs, given those by the outputs.

    Args:
        function: `function(*inputs) -> outputs`, a list of tensors.
        inputs: floating-point tensors. gradients: one for each output.

    Returns:
        One for each input, zeros where it has no influence.
    """
    zero = tf.UnconnectedGradients.ZERO
    if not tf.executing_eagerly():
        # Not by a tape: TensorFlow stops all of them while it finds derivatives forwards (`tf.autodiff`).
        inputs = [tf.identity(x) for x in inputs]
        return tf.gradients(function(*inputs), inputs, list(gradients), unconnected_gradients=zero)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(*inputs)
    return list(tape.gradient(outputs, list(inputs), output_gradients=list(gradients), unconnected_gradients=zero))


def constants(values: Any) -> Any:
    """The tensors, without the way by which they were found.

    What enters a compiled program and what leaves it: else TensorFlow would also differentiate the loop itself, whose
    tensor lists cannot leave XLA ("TensorList crossing the XLA/TF boundary").
    """
    return tf.nest.map_structure(lambda x: None if x is None else tf.stop_gradient(x), values)


def there(values: Sequence[Any]) -> list:
    """Those that are not None."""
    return [value for value in values if value is not None]


def refuse_forward_mode(inputs: Tensors) -> None:
    """NotImplementedError where TensorFlow would silently take forward derivatives for zero."""
    if not tf.executing_eagerly() and forwardprop_util.pack_tangents(list(inputs)).tangents:
        raise NotImplementedError(
            "Expected derivatives by tf.GradientTape, or by a tf.autodiff.ForwardAccumulator outside of any "
            "tf.function. Received: a ForwardAccumulator within one."
        )


def within_xla() -> bool:
    """Whether what is traced becomes part of a program of XLA's."""
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def _no_second_derivative(op: Any, *gradients: Any) -> None:
    """What TensorFlow calls to differentiate the gradient of cuDNN's LSTM or GRU."""
    raise NotImplementedError(
        "cuDNN has first derivatives only. Expected for a second one: a layer with `unroll=True`, or on a CPU."
    )


if CUDNN not in framework.gradient_registry.list():
    tf.RegisterGradient(CUDNN)(_no_second_derivative)
