"""Common parts of the convolutional layers: convolutions inside and outside the loop, states that are images."""

from typing import Any

import keras
from keras import ops

from shared.layers import backend
from shared.layers.bptt import Mix
from shared.layers.cells import Cell, CellRNN


def convolved(inputs: Any, kernel: Any, bias: Any) -> Any:
    """Convolves (..., rows, columns, channels) to (..., rows, columns, n), as one convolution over all leading axes,
    and adds the bias if there is one."""
    result = _convolution(_folded(inputs), ops.cast(kernel, inputs.dtype))
    if bias is not None:
        result = result + ops.cast(bias, inputs.dtype)
    return ops.reshape(result, (*ops.shape(inputs)[:-1], kernel.shape[-1])) if len(inputs.shape) > 4 else result


def read(inputs: Any, weights: list) -> Any:
    """Returns the contribution of the inputs to a step, see `bptt.Step`; weights: kernel, and bias if there is one."""
    return convolved(inputs, weights[0], weights[1] if len(weights) > 1 else None)


def _folded(images: Any) -> Any:
    """Folds the leading axes: (..., rows, columns, channels) -> (images, rows, columns, channels)."""
    return ops.reshape(images, (-1, *ops.shape(images)[-3:])) if len(images.shape) > 4 else images


def _convolution(images: Any, kernel: Any) -> Any:
    return ops.conv(images, kernel, padding="same", data_format="channels_last")


def _transposed(kernel: Any) -> Any:
    """Rotates the kernel by 180 degrees and swaps its channels; gives the transposed map for odd sizes only."""
    return ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))


def _kernel_gradient(h: Any, gradients: Any, kernel: Any) -> Any:
    return backend.vjp(lambda k: [_convolution(h, k)], [kernel], [gradients])[0]


# On a CPU, XLA's convolutions are about 27 times slower than TensorFlow's, which run in parallel where possible. So the
# kernel gradient is summed step by step: it uses the cores that the rest of a step leaves idle.
CONV = Mix(_convolution, _transposed, _kernel_gradient, jit=False, each_step=True)


class ConvCell(Cell):
    """One step of a convolutional layer; a mixin for `StepCell` or `LinearCell`.

    Args:
        units: positive int, channels of h and of the output.
        kernel_size: odd positive int, or a pair of them for rows and columns.

    Raises:
        ValueError: if units < 1 or the kernel size is even.
    """

    OPTIONS: tuple[str, ...] = (*Cell.OPTIONS, "kernel_size")

    def __init__(self, units: int, kernel_size: Any = 3, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.kernel_size = odd_pair("kernel_size", kernel_size)
        self.kernel: Any = None
        self.bias: Any = None

    def input_weights(self) -> list:
        """Returns the weights for `read`."""
        return [self.kernel] if self.bias is None else [self.kernel, self.bias]


class ConvRNN(CellRNN):
    """The recurrent layer of a `ConvCell`, whose states are images (batch, rows, columns, units); a mixin for `StepRNN`
    or `LinearRNN`.

    Args:
        units: positive int, channels of h and of the output.
        kernel_size: odd positive int, or a pair of them for rows and columns.
    """

    def __init__(self, units: int, kernel_size: Any = 3, **kwargs: Any) -> None:
        super().__init__(units, kernel_size=kernel_size, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=5)
        self.image: tuple = (None, None)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Stores the image size, since Keras requests the states of a stateful layer by batch size only."""
        self.image = tuple(sequences_shape[2:4])
        super().build(sequences_shape, initial_state_shape)
        if self.stateful:
            shape = (None, None, *self.image, None)
            self.input_spec = keras.layers.InputSpec(shape=shape, axes=self.input_spec.axes)

    def get_initial_state(self, batch_size: Any, image: Any = None) -> list:
        """Returns zeros (batch, rows, columns, units); `image` is (rows, columns), by default those of `build`."""
        image = self.image if image is None else tuple(image)
        if None in image:
            raise ValueError(
                "Expected inputs of known rows and columns, as `stateful=True` and an initial state before any input "
                f"need them. Received: rows, columns = {image}"
            )
        return [ops.zeros((batch_size, *image, size), dtype=self.cell.compute_dtype) for size in self.state_size]

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """See `Scanned`; the initial state has the size of the input images."""
        if initial_state is None and not self.stateful:
            batch, _, *image = ops.shape(sequences)[:4]
            initial_state = self.get_initial_state(batch, image)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def compute_output_shape(self, sequences_shape: tuple, initial_state_shape: Any = None) -> tuple:
        """See `keras.layers.RNN`."""
        batch, time, *image = sequences_shape[:4]
        output = (batch, time, *image, self.units) if self.return_sequences else (batch, *image, self.units)
        states = [(batch, *image, size) for size in self.state_size]
        return (output, *states) if self.return_state else output

    def state_shapes(self, sequences_shape: Any) -> list[tuple]:
        """See `Scanned`."""
        return [(sequences_shape[0], *sequences_shape[2:4], size) for size in self.state_size]


def odd_pair(name: str, value: Any) -> tuple[int, int]:
    """Returns the argument `name` as a pair of odd positive ints; raises ValueError if it is invalid."""
    pair = tuple(value) if isinstance(value, (list, tuple)) else (value, value)
    odd = all(isinstance(size, int) and not isinstance(size, bool) and size > 0 and size % 2 for size in pair)
    if len(pair) != 2 or not odd:
        raise ValueError(
            f"`{name}` must be an odd positive integer, or a pair of them for rows and columns. "
            f"Received: {name}={value}"
        )
    return pair
