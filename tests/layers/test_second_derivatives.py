"""A gradient of a gradient, as a gradient penalty needs it: that of finite differences, however it is compiled."""

import keras
import numpy as np
import pytest
from keras import ops

from shared.layers import VECTOR_ARCHITECTURES, recurrent
from tests.layers.kinds import representatives

ARCHS = sorted({*representatives(VECTOR_ARCHITECTURES), "lstm", "gru", "elman"})
BATCH, TIME, FEATURES, UNITS, STEP = 2, 3, 3, 2, 1e-5


def made(arch):
    keras.utils.set_random_seed(1)
    layer = recurrent(arch, UNITS, dtype="float64")
    layer.build((BATCH, TIME, FEATURES))
    return layer


def penalty(layer, jit):
    """x -> the squared norm of the gradient of a loss by x, and x -> the gradient of that norm."""

    def loss(x):
        return ops.sum(ops.sin(layer(x)))

    import tensorflow as tf

    def norm(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x)
        return tf.reduce_sum(tape.gradient(value, x) ** 2)

    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = norm(x)
        return tape.gradient(value, x)

    return tuple(tf.function(each, jit_compile=jit) for each in (norm, slope))


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow alone hides the loops in programs")
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("arch", ARCHS)
def test_a_gradient_penalty_has_the_gradient_of_finite_differences(arch, jit):
    norm, slope = penalty(made(arch), jit)
    random = np.random.default_rng(3)
    x, direction = random.normal(size=(2, BATCH, TIME, FEATURES))
    ahead, behind = (float(norm(ops.convert_to_tensor(x + sign * STEP * direction))) for sign in (1, -1))
    found = float(np.sum(ops.convert_to_numpy(slope(ops.convert_to_tensor(x))) * direction))
    assert found == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-5, abs=1e-8)
