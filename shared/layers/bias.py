"""A trainable bias for each feature, for outputs whose kernel is shared with another layer."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gallery")
class Bias(keras.layers.Layer):
    """y = x + b.

    Args:
        **kwargs: name, dtype, trainable.

    Call:     inputs (..., features). Returns: the same shape.
    Weights:  bias (features), zeros at the start.

    >>> tuple(Bias()(keras.ops.ones((2, 3))).shape)
    (2, 3)
    """

    def build(self, input_shape: tuple) -> None:
        """Creates the bias."""
        self.bias = self.add_weight(shape=(input_shape[-1],), name="bias", initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """See the class docstring."""
        return ops.cast(inputs, self.compute_dtype) + ops.cast(self.bias, self.compute_dtype)
