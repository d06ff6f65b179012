"""The gradient of a layer by inputs, states and weights, asked of the backend in use."""

import keras
import numpy as np
from keras import ops


def loss_of(layer, tensors, mask, unrolled=False):
    """A scalar that depends on every output and state; `tensors` are inputs, states, weights in order.

    With `unrolled` the layer's `step` is called for each time step, and the backend differentiates that.
    """
    count = 1 + len(layer.state_size)
    x, *states = tensors[:count]
    mapping = list(zip(layer.trainable_variables, tensors[count:], strict=True))
    with keras.StatelessScope(state_mapping=mapping):
        results = unroll(layer, x, states, mask) if unrolled else layer(x, initial_state=states, mask=mask)
    return sum(ops.sum(ops.sin(ops.cast(y, x.dtype) * (k + 1))) for k, y in enumerate(results))


def unroll(layer, x, states, mask):
    """What the layer returns with return_sequences and return_state, step by step."""
    outputs = []
    for t in range(x.shape[1]):
        _, new = layer.step(x[:, t], states)
        if mask is not None:
            new = [ops.where(mask[:, t : t + 1], n, s) for n, s in zip(new, states, strict=True)]
        states = new
        outputs.append(states[0])
    return [ops.stack(outputs, axis=1), *states]


def loss(layer, values, mask):
    """The loss as a float."""
    return float(loss_of(layer, [ops.convert_to_tensor(v, dtype=str(v.dtype)) for v in values], mask))


def loss_and_gradients(layer, values, mask, unrolled=False):
    """The loss and its gradient by each value, as NumPy."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tensors = [tf.constant(v) for v in values]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            result = loss_of(layer, tensors, mask, unrolled)
        gradients = tape.gradient(result, tensors)
    elif backend == "jax":
        import jax

        tensors = [ops.convert_to_tensor(v, dtype=str(v.dtype)) for v in values]
        result, gradients = jax.value_and_grad(lambda t: loss_of(layer, t, mask, unrolled))(tensors)
    else:
        import torch

        tensors = [torch.tensor(v, requires_grad=True) for v in values]
        result = loss_of(layer, tensors, mask, unrolled)
        gradients = torch.autograd.grad(result, tensors)
    return float(result), [np.asarray(ops.convert_to_numpy(g)) for g in gradients]
