"""The network: two strided convolutions, recurrent layers, and a linear layer over the blank and the symbols."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from shared.layers.backend.ctc import ctc_nats
from shared.layers.stack import Stack

from .config import Config

KERNEL = 5


def build(config: Config, info: dict) -> keras.Model:
    """Frames (batch, time, width) and mask (batch, time) -> logits (batch, ceil(time / stride), 1 + symbols).

    Frames where the mask is False do not affect the output. The padding of both convolutions is added once, up front,
    so that the same layers can be applied to a window of `field(stride)` frames to compute a single step (see `step`).
    """
    frames = keras.Input((None, info["width"]), name="frames")
    mask = keras.Input((None,), dtype="bool", name="mask")
    x = frames * ops.cast(ops.expand_dims(mask, -1), "float32")
    before, after = around(config.stride)
    x = keras.layers.ZeroPadding1D((before, after), name="padding")(x)
    for layer in front(config):
        x = layer(x)
    x = keras.layers.Dropout(config.dropout, name="dropout")(x)
    stack = Stack(
        config.arch,
        config.units,
        config.layers,
        dropout=config.dropout,
        locked_dropout=False,
        bidirectional=not config.streaming,
        name="encoder",
    )
    real = mask[:, :: config.stride]
    x = stack(x, mask=real)  # (batch, steps, units), twice as wide if bidirectional
    # Multiplying drops Keras's implicit mask, which would otherwise be applied to the loss (one number per utterance).
    x = x * ops.cast(ops.expand_dims(real, -1), x.dtype)
    logits = keras.layers.Dense(len(info["symbols"]), name="logits")(x)
    return keras.Model([frames, mask], logits, name="speech_recognition")


def front(config: Config) -> list:
    """Returns the layers before the recurrent ones: (batch, frames + padding, width) -> (batch, steps, channels)."""
    layers = []
    for number, stride in enumerate(strides(config.stride)):
        convolution = keras.layers.Conv1D(config.channels, KERNEL, stride, use_bias=False, name=f"convolution_{number}")
        norm = keras.layers.LayerNormalization(name=f"norm_{number}")
        layers += [convolution, norm, keras.layers.Activation("relu", name=f"relu_{number}")]
    return layers


def strides(stride: int) -> tuple[int, int]:
    """Returns the strides of the two convolutions."""
    return (stride // 2, 2) if stride % 2 == 0 else (stride, 1)


def field(stride: int) -> int:
    """Returns the receptive field of one encoder step, in frames."""
    return KERNEL + (KERNEL - 1) * strides(stride)[0]


def around(stride: int) -> tuple[int, int]:
    """Returns the frames before and after a step's own frame in its receptive field; those after are the look-ahead."""
    before = (field(stride) - 1) // 2
    return before, field(stride) - 1 - before


class CTC(keras.losses.Loss):
    """Connectionist temporal classification loss, in nats per symbol; for the target format see `data.Spoken`."""

    def __init__(self) -> None:
        super().__init__(name="ctc", reduction="mean_with_sample_weight")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Targets (batch, 1 + max symbols), logits (batch, steps, 1 + symbols) -> loss per utterance (batch,)."""
        targets = ops.cast(y_true, "int32")
        labels = targets[:, 1:]
        lengths = ops.sum(ops.cast(labels > 0, "int32"), axis=1)
        return ctc_nats(labels, y_pred, lengths, targets[:, 0]) / ops.cast(ops.maximum(lengths, 1), y_pred.dtype)


def step(model: keras.Model) -> Callable:
    """Returns the step function of a streaming model.

    `step(window (1, field, width), states) -> (log-probabilities (1, 1 + symbols), states)`
    """
    layers = [layer for layer in model.layers if layer.name.startswith(("convolution_", "norm_", "relu_"))]
    stack, logits = model.get_layer("encoder"), model.get_layer("logits")

    def one_step(window: Any, states: list) -> tuple[Any, list]:
        x = window
        for layer in layers:
            x = layer(x)
        x, states = stack.step(x[:, 0], list(states))
        return ops.log_softmax(logits(x)), states

    return one_step


def zero_states(model: keras.Model) -> list:
    """Returns the initial states of the recurrent layers."""
    return model.get_layer("encoder").get_initial_state(1)
