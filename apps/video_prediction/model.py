"""The network, for training on sequences and as a single step for live video, and its loss."""

from typing import Any

import keras
import numpy as np
from keras import ops

from .config import Config
from .forecaster import Forecaster, in_patches, in_pixels

SSIM_WINDOW = 7  # pixels, the default of scikit-image
TINY = 1e-6


def build(config: Config, info: dict) -> keras.Model:
    """Past frames (batch, time, rows, columns, channels) in [0, 1] -> the next `future` frames, one by one.

    Future frames are not an input, so they cannot leak into the prediction. Rows and columns may be any multiple of 4.
    """
    past = keras.Input((None, None, None, info["channels"]), name="past")
    core = Forecaster(
        config.arch,
        config.units,
        config.layers,
        config.kernel,
        info["channels"],
        config.future,
        config.motions,
        config.residual,
        config.start,
        name="forecaster",
    )
    return keras.Model(past, core(past), name="video_prediction")


def with_teacher(model: keras.Model, config: Config) -> keras.Model:
    """Adds the inputs of scheduled sampling, see `data.Videos`; the output begins with the prediction of the second
    past frame."""
    shape = (config.size, config.size, config.channels)
    inputs = [
        keras.Input((config.past, *shape), name="past"),
        keras.Input((config.future - 1, *shape), name="truth"),
        keras.Input((config.future - 1,), name="given"),
    ]
    return keras.Model(inputs, model.get_layer("forecaster")(inputs), name="training")


def step(model: keras.Model) -> keras.Model:
    """A single step: frame (batch, rows, columns, channels) and states -> next frame and states."""
    core = model.get_layer("forecaster")
    frame = keras.Input((None, None, core.channels), name="frame")
    states = [keras.Input((None, None, size), name=f"state_{n}") for n, size in enumerate(core.state_sizes())]
    return keras.Model([frame, *states], Step(core)([frame, *states]), name="step")


class Step(keras.layers.Layer):
    """A single step of a forecaster, with frames in pixels rather than patches."""

    def __init__(self, core: Forecaster) -> None:
        super().__init__()
        self.core = core

    def call(self, inputs: list) -> list:
        """[frame, *states] -> [next frame, *states]."""
        frame, *states = inputs
        found, new = self.core.step(in_patches(frame[:, None])[:, 0], states)
        return [in_pixels(found[:, None], self.core.channels)[:, 0], *new]

    def compute_output_spec(self, inputs: list) -> list:
        """Returns specs equal to those of the inputs: a step preserves all shapes."""
        return [keras.KerasTensor(each.shape, each.dtype) for each in inputs]


def zero_states(model: keras.Model, rows: int, columns: int) -> list[np.ndarray]:
    """Returns the initial states, each (1, rows / 4, columns / 4, units)."""
    core = model.get_layer("forecaster")
    return [np.zeros((1, rows // 4, columns // 4, size), np.float32) for size in core.state_sizes()]


class FrameLoss(keras.losses.Loss):
    """A weighted sum of per-frame losses, each a mean over pixels, with a lower weight for predictions of past frames.

    mean squared error, mean absolute error, binary cross-entropy in nats, 1 - SSIM (data range 1, see `metrics.ssim`).
    """

    def __init__(self, config: Config) -> None:
        super().__init__(name="loss")
        self.config = config
        weights = np.r_[np.full(config.past - 1, config.past_weight), np.ones(config.future)]
        self.weights = (weights / weights.sum()).astype(np.float32)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Two tensors of frames (batch, time, rows, columns, channels) -> loss per sequence (batch,)."""
        config, over = self.config, (2, 3, 4)
        total = 0.0
        if config.mse:
            total += config.mse * ops.mean(ops.square(y_true - y_pred), axis=over)
        if config.l1:
            total += config.l1 * ops.mean(ops.abs(y_true - y_pred), axis=over)
        if config.bce:
            p = ops.clip(y_pred, TINY, 1 - TINY)
            total -= config.bce * ops.mean(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p), axis=over)
        if config.ssim:
            total += config.ssim * (1 - ops.mean(structural_similarity(y_true, y_pred), axis=over))
        return ops.sum(total * ops.convert_to_tensor(self.weights), axis=1)


def structural_similarity(y_true: Any, y_pred: Any) -> Any:
    """SSIM of each 7 x 7 window, data range 1: (batch, time, rows, columns, channels) -> (..., rows - 6, columns - 6,
    channels). Wang et al. (2004), doi:10.1109/TIP.2003.819861; window means are products with banded matrices."""
    down, across = (_windows(size) for size in y_true.shape[2:4])

    def mean(frames: Any) -> Any:
        return ops.einsum("ir,btrcd,jc->btijd", down, frames, across)

    x, y = mean(y_true), mean(y_pred)
    unbiased = SSIM_WINDOW**2 / (SSIM_WINDOW**2 - 1)
    xx, yy, xy = (unbiased * (mean(a * b) - m) for a, b, m in (
        (y_true, y_true, x * x), (y_pred, y_pred, y * y), (y_true, y_pred, x * y)
    ))  # fmt: skip
    c1, c2 = 0.01**2, 0.03**2
    return (2 * x * y + c1) * (2 * xy + c2) / ((x * x + y * y + c1) * (xx + yy + c2))


def _windows(size: int) -> Any:
    """Returns the banded matrix (size - 6, size) that averages over each window."""
    starts = np.arange(size - SSIM_WINDOW + 1)[:, None]
    inside = (np.arange(size) >= starts) & (np.arange(size) < starts + SSIM_WINDOW)
    return ops.convert_to_tensor(inside.astype(np.float32) / SSIM_WINDOW)


class MSEPerFrame(keras.metrics.MeanMetricWrapper):
    """The squared error summed over each frame, averaged over the predicted future frames."""

    def __init__(self, past: int) -> None:
        super().__init__(lambda y_true, y_pred: mse_per_frame(y_true[:, past - 1 :], y_pred[:, past - 1 :]), name="mse")


def mse_per_frame(y_true: Any, y_pred: Any) -> Any:
    """Two tensors of frames (batch, time, rows, columns, channels) -> squared error per frame, (batch,)."""
    return ops.mean(ops.sum(ops.square(y_true - y_pred), axis=(2, 3, 4)), axis=1)
