"""Layers of the smallest shapes that still differ from each other, and loops that are not compiled."""

import contextlib
import functools

import keras
import numpy as np
from keras import ops

from shared.layers import IMAGE_ARCHITECTURES, recurrent

BATCH, TIME, FEATURES, UNITS = 2, 3, 6, 2
IMAGE = (2, 3)


def shape_of(arch, batch=BATCH, time=TIME, features=FEATURES):
    return (batch, time, *(IMAGE if arch in IMAGE_ARCHITECTURES else ()), features)


def inputs(arch, dtype="float32", **sizes):
    return np.random.default_rng(0).normal(size=shape_of(arch, **sizes)).astype(dtype)


@functools.cache
def make(arch, **options):
    """A built layer whose every weight, biases too, is random; the same one for each test that asks."""
    if arch not in ("tcn", "attention"):  # to draw an orthogonal matrix costs more than the rest of a test
        options["recurrent_initializer"] = "zeros"
    layer = recurrent(arch, UNITS, return_sequences=True, return_state=True, **options)
    layer.build(shape_of(arch))
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return layer


def start(arch, layer, batch=BATCH, dtype="float32"):
    """Initial states, all above 0, as the normaliser of slstm must be."""
    random = np.random.default_rng(2)
    image = IMAGE if arch in IMAGE_ARCHITECTURES else ()
    return [random.uniform(0.5, 1, size=(batch, *image, size)).astype(dtype) for size in layer.state_size]


@contextlib.contextmanager
def uncompiled():
    """Within it loops run step by step: at this size what costs is to compile them."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(False)
    elif keras.backend.backend() == "jax":
        import jax

        with jax.disable_jit():
            yield
    else:
        yield


def tensors(*arrays):
    return [ops.convert_to_tensor(array, dtype=str(array.dtype)) for array in arrays]
