"""A compiled function: any shapes, tensors or NumPy arrays, and the variables' current values."""

import keras
import numpy as np
from keras import ops

from shared.layers import backend


def test_arrays_and_tensors_of_any_shape_give_the_same_with_the_current_values_of_variables():
    weight = keras.Variable(np.float32(2))
    program = backend.compiled(lambda x, more: weight * x + more["shift"][0], [weight])
    for shape in ((1, 3), (2, 3), (1, 3)):
        x, shift = np.random.default_rng(0).normal(size=shape).astype("float32"), np.ones(1, "float32")
        for given in (x, ops.convert_to_tensor(x)):
            np.testing.assert_allclose(ops.convert_to_numpy(program(given, {"shift": shift})), 2 * x + 1, rtol=1e-6)
    weight.assign(3)
    np.testing.assert_allclose(ops.convert_to_numpy(program(x, {"shift": shift})), 3 * x + 1, rtol=1e-6)
