"""The recurrent core: reads the input frames, then continues from its own predictions.

Frames are split into patches, (batch, rows / 4, columns / 4, 16 channels): with a quarter of the rows and columns,
convolutions cost a sixteenth.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers import backend, recurrent

from .config import APP, PATCH

REACH = PATCH  # maximum shift of a motion in each direction, in pixels
SHIFTS = 2 * REACH + 1
WINDOW = 3 * PATCH  # side of a patch together with its neighbours, in pixels


@keras.saving.register_keras_serializable(package=APP)
class Forecaster(keras.layers.Layer):
    """Convolutional recurrent layers that predict the next frame, and further frames autoregressively.

        e_t = relu(conv([x_t, x_{t-1}]))
        h_t = recurrent layers (e_t)
        d_t, m_t, k_t = a linear map of h_t, for each patch
        x_{t+1} = softmax(m_t) . [sigmoid(d_t + start), x_t, shifted(x_t, k_t), ...]         (for each pixel)

    The last line composes the next frame: newly generated pixels, the previous frame (with `residual`), and `motions`
    shifted copies of it, each by up to 4 pixels with weights softmax(k_t) per patch: Finn, Goodfellow and Levine
    (2016), "Unsupervised learning for physical interaction through video prediction", arXiv:1605.07157, with separate
    shifts for rows and columns, as in Niklaus, Mai and Liu (2017), arXiv:1708.01692.

    Args:
        arch, units, layers, kernel: of the recurrent layers, see `shared.layers.recurrent`.
        channels: colour channels of a frame. future: number of frames to predict.
        motions: number of shifted copies. residual: whether the previous frame is one of the parts.
        start: output bias of the generated pixels, as a logit.

    Call:     past (batch, time, rows, columns, channels) in [0, 1] -> (batch, future, rows, columns, channels).
              Or, for training, [past, truth, given]: truth (batch, future - 1, ...) replaces a prediction where given
              (batch, future - 1) is 1; the output starts with the prediction of the second past frame.
    """

    def __init__(
        self,
        arch: str,
        units: int,
        layers: int,
        kernel: int,
        channels: int,
        future: int,
        motions: int = 0,
        residual: bool = False,
        start: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.options = {
            "arch": arch,
            "units": units,
            "layers": layers,
            "kernel": kernel,
            "channels": channels,
            "future": future,
            "motions": motions,
            "residual": residual,
            "start": start,
        }
        self.channels, self.future, self.motions, self.start = channels, future, motions, start
        self.residual = residual
        self.pixels = PATCH * PATCH * channels
        self.parts = 1 + int(residual) + motions
        self.embed = keras.layers.Conv2D(units, 3, padding="same", activation="relu", name="embed")
        self.recurrent = [
            recurrent(arch, units, kernel_size=kernel, return_sequences=True, return_state=True, name=f"{arch}_{n}")
            for n in range(layers)
        ]
        self.masks = PATCH * PATCH * self.parts if self.parts > 1 else 0
        self.head = keras.layers.Dense(self.pixels + self.masks + 2 * SHIFTS * motions, name="head")
        # Without convolutions, this part is several times faster with XLA, also where XLA is slow for the rest.
        self.compose = backend.fused(self._compose)

    def build(self, input_shape: Any) -> None:
        """Builds all sublayers."""
        units, layers = self.options["units"], self.options["layers"]
        self.embed.build((None, None, None, 2 * self.pixels))
        for layer in self.recurrent:
            layer.build((None, None, None, None, units))
        self.head.build((None, None, None, units * layers))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """See the class docstring."""
        past, *teacher = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        seen, states = self.read(in_patches(past))
        frame, found = seen[:, -1], [seen[:, -1]]
        truth = in_patches(teacher[0]) if teacher else None
        for t in range(self.future - 1):
            if truth is not None:
                given = teacher[1][:, t, None, None, None]
                frame = given * truth[:, t] + (1 - given) * frame
            frame, states = self.step(frame, states)
            found.append(frame)
        frames = ops.stack(found, axis=1)
        return in_pixels(frames if truth is None else ops.concatenate([seen[:, :-1], frames], axis=1), self.channels)

    def read(self, frames: Any) -> tuple[Any, list]:
        """Frames in patches (batch, time, ...) -> the prediction after each frame (batch, time, ...), the states."""
        before = ops.concatenate([ops.zeros_like(frames[:, :1]), frames[:, :-1]], axis=1)
        x, outputs, states = self._embedded(frames, before), [], [frames[:, -1]]
        for layer in self.recurrent:
            x, *last = layer(x)
            outputs.append(x)
            states.extend(last)
        return self._composed(frames, outputs), states

    def step(self, frame: Any, states: list) -> tuple[Any, list]:
        """One frame in patches (batch, ...) and the states -> the prediction of the next frame, and the states."""
        before, *left = states
        x, outputs, new = self._embedded(frame, before), [], [frame]
        for layer in self.recurrent:
            count = len(layer.state_size)
            x, own = layer.step(x, left[:count])
            left = left[count:]
            outputs.append(x)
            new.extend(own)
        return self._composed(frame, outputs), new

    def state_sizes(self) -> list[int]:
        """Returns the channels of each state, with one pixel per patch; the first state is the previous frame."""
        return [self.pixels, *(size for layer in self.recurrent for size in layer.state_size)]

    def _embedded(self, frames: Any, before: Any) -> Any:
        """Embeds each frame with the previous one: (..., rows, columns, 16 channels) -> (..., rows, columns, units).

        Two consecutive frames show the motion directly, so that the states need not store the previous frame for it.
        """
        both = ops.concatenate([frames, before], axis=-1)
        folded = self.embed(ops.reshape(both, (-1, *ops.shape(both)[-3:])))
        return ops.reshape(folded, (*ops.shape(frames)[:-1], self.options["units"]))

    def _composed(self, frames: Any, outputs: list) -> Any:
        """Composes the next frames; frames (..., rows, columns, pixels), outputs (..., rows, columns, units) each."""
        found = self.head(ops.concatenate(outputs, axis=-1))
        if self.parts == 1:
            return ops.sigmoid(found + self.start)
        return self.compose(frames, found)

    def _compose(self, frames: Any, found: Any) -> Any:
        """Composes the next frames; found (..., rows, columns, numbers): generated pixels, masks, shifts."""
        drawn = ops.sigmoid(found[..., : self.pixels] + self.start)
        lead = ops.shape(frames)[:-1]
        masks = found[..., self.pixels : self.pixels + self.masks]
        weights = _shares(masks, (*lead, PATCH * PATCH, 1, self.parts))
        parts = [drawn, *([frames] if self.residual else [])]
        if self.motions:
            parts += self._moved(frames, found[..., self.pixels + self.masks :])
        shape = (*lead, PATCH * PATCH, self.channels)
        composed = sum(weights[..., n] * ops.reshape(part, shape) for n, part in enumerate(parts))
        return ops.reshape(composed, ops.shape(frames))

    def _moved(self, frames: Any, found: Any) -> list:
        """Shifts the frames by each motion; found (..., rows, columns, 2 shifts motions): logits of the shifts."""
        rows, columns = ops.shape(frames)[-3:-1]
        around = _with_neighbours(ops.reshape(frames, (-1, rows, columns, PATCH, PATCH, self.channels)), rows, columns)
        # These are many small matrices: plain three-axis products take two thirds of the time of an einsum.
        weights = ops.softmax(ops.reshape(found, (-1, SHIFTS)))
        maps = ops.reshape(weights @ _SHIFTED.reshape(SHIFTS, -1), (-1, self.motions, 2, PATCH, WINDOW))
        by_rows = ops.reshape(maps[:, :, 0], (-1, self.motions * PATCH, WINDOW)) @ ops.reshape(
            around, (-1, WINDOW, WINDOW * self.channels)
        )
        by_rows = ops.reshape(by_rows, (-1, self.motions, PATCH, WINDOW, self.channels))
        moved = ops.einsum("nmjv,nmivd->nmijd", maps[:, :, 1], by_rows)
        return [ops.reshape(moved[:, n], ops.shape(frames)) for n in range(self.motions)]

    def compute_output_spec(self, inputs: Any) -> Any:
        """Returns the output spec; rows and columns may be unknown."""
        past = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        time = self.future if past is inputs or past.shape[1] is None else past.shape[1] - 1 + self.future
        return keras.KerasTensor((past.shape[0], time, *past.shape[2:]), dtype=self.compute_dtype)

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        return super().get_config() | self.options


def _shifted_rows() -> np.ndarray:
    """Returns (shifts, PATCH, WINDOW): for each shift, a one-hot map from each pixel of a patch to its source pixel."""
    maps = np.zeros((SHIFTS, PATCH, WINDOW), np.float32)
    for shift in range(SHIFTS):
        for pixel in range(PATCH):
            maps[shift, pixel, PATCH + pixel + shift - REACH] = 1
    return maps


_SHIFTED = _shifted_rows()


def _shares(logits: Any, shape: tuple) -> Any:
    """Softmax over the last axis of `shape`, computed on rows since oneDNN supports only tensors with few axes."""
    return ops.reshape(ops.softmax(ops.reshape(logits, (-1, shape[-1]))), shape)


def _with_neighbours(x: Any, rows: Any, columns: Any) -> Any:
    """(n, rows, columns, PATCH, PATCH, channels) -> (n, rows, columns, WINDOW, WINDOW, channels), black outside."""
    padded = ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0], [0, 0], [0, 0]])
    lines = [ops.concatenate([padded[:, i : i + rows, j : j + columns] for j in range(3)], axis=4) for i in range(3)]
    return ops.concatenate(lines, axis=3)


def in_patches(frames: Any) -> Any:
    """(batch, time, rows, columns, channels) -> (batch, time, rows / 4, columns / 4, 16 channels)."""
    batch, time, rows, columns, channels = ops.shape(frames)
    x = ops.reshape(frames, (batch * time, rows // PATCH, PATCH, columns // PATCH, PATCH * channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4))
    return ops.reshape(x, (batch, time, rows // PATCH, columns // PATCH, PATCH * PATCH * channels))


def in_pixels(patches: Any, channels: int) -> Any:
    """The inverse of `in_patches`."""
    batch, time, rows, columns, _ = ops.shape(patches)
    x = ops.reshape(patches, (batch * time, rows, columns, PATCH, PATCH * channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4))
    return ops.reshape(x, (batch, time, rows * PATCH, columns * PATCH, channels))
