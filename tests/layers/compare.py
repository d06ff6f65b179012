"""What the batteries compare with: tensors and weights as NumPy, and how near is equal."""

import numpy as np
from keras import ops


def numpy(*tensors):
    return [ops.convert_to_numpy(t) for t in tensors]


def tensors(*arrays):
    return [ops.convert_to_tensor(a) for a in arrays]


def weights_of(layer):
    """The layer's weights by name, for an oracle."""
    return {w.name: ops.convert_to_numpy(w) for w in layer.weights}


def same(a, b, tolerance=2e-5):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
