"""The gradient of a layer by inputs, states and weights, asked of the backend in use."""

import keras
import numpy as np
from keras import ops

from tests.layers.oracles import column


def loss_of(layer, tensors, mask, unrolled=False):
    """A scalar that depends on every output and state; `tensors` are inputs, states, weights in order.

    With `unrolled` the layer's `step` is called for each time step, and the backend differentiates that.
    """
    count = 1 + len(layer.state_size)
    x, *states = tensors[:count]
    mapping = list(zip(layer.trainable_variables, tensors[count:], strict=True))
    with keras.StatelessScope(state_mapping=mapping):
        results = unroll(layer, x, states, mask) if unrolled else layer(x, initial_state=states, mask=mask)
    # A phase for each result rather than a frequency: the eighth of many states is then no rougher than the first.
    return sum(ops.sum(ops.sin(ops.cast(y, x.dtype) + k)) for k, y in enumerate(results))


def unroll(layer, x, states, mask):
    """What the layer returns with return_sequences and return_state, step by step."""
    outputs = []
    for t in range(x.shape[1]):
        _, new = layer.step(x[:, t], states)
        if mask is not None:
            new = [ops.where(column(mask, t, n), n, s) for n, s in zip(new, states, strict=True)]
        states = new
        outputs.append(states[0])
    return [ops.stack(outputs, axis=1), *states]


def loss(layer, values, mask):
    """The loss as a float."""
    tensors = [ops.convert_to_tensor(v, dtype=str(v.dtype)) for v in values]
    return float(ops.convert_to_numpy(loss_of(layer, tensors, mask)))


def along_random_directions(layer, values, mask, step=1e-6):  # a larger one pushes some ReLU of the many over its kink
    """For each value the loss's derivative in one direction, by its gradient and by finite differences."""
    _, gradients = loss_and_gradients(layer, values, mask)
    random = np.random.default_rng(5)
    for number, (value, gradient) in enumerate(zip(values, gradients, strict=True)):
        direction = random.normal(size=value.shape)
        ahead, behind = (
            loss(layer, [v + sign * step * direction if k == number else v for k, v in enumerate(values)], mask)
            for sign in (1, -1)
        )
        yield np.sum(gradient * direction), (ahead - behind) / (2 * step)


def loss_and_gradients(layer, values, mask, unrolled=False):
    """The loss and its gradient by each value, as NumPy; zeros where the loss does not depend on the value.

    So it is for the output before the first step, where the layer is not recurrent and nothing is masked.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tensors = [tf.constant(v) for v in values]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            result = loss_of(layer, tensors, mask, unrolled)
        gradients = tape.gradient(result, tensors, unconnected_gradients="zero")
    elif backend == "jax":
        import jax

        tensors = [ops.convert_to_tensor(v, dtype=str(v.dtype)) for v in values]
        function = jax.value_and_grad(lambda t: loss_of(layer, t, mask, unrolled))
        # One program of a layer's scans compiles faster than each of their operations; a long loop's does not.
        result, gradients = (function if unrolled else jax.jit(function))(tensors)
    else:
        import torch

        tensors = [torch.tensor(v, requires_grad=True) for v in values]
        result = loss_of(layer, tensors, mask, unrolled)
        gradients = torch.autograd.grad(result, tensors, materialize_grads=True)
    return float(ops.convert_to_numpy(result)), [np.asarray(ops.convert_to_numpy(g)) for g in gradients]
