"""Baselines: constant frames, averages, the last frame, and motion at a constant velocity."""

import numpy as np
from scipy import ndimage
from skimage.registration import phase_cross_correlation

FINE = 10  # subpixel resolution of the velocity: a tenth of a pixel


def all_of(past: np.ndarray, future: int, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the predictions (sequences, future, rows, columns, channels) of each baseline.

    Args:
        past: the network's input frames (sequences, past, rows, columns, channels) in [0, 1].
        mean: the mean training frame (rows, columns, channels).
    """
    shape = (len(past), future, *past.shape[2:])
    return {
        "black": np.broadcast_to(np.float32(0), shape),
        "mean_training_frame": np.broadcast_to(mean, shape),
        "mean_of_inputs": np.broadcast_to(past.mean(axis=1, keepdims=True), shape),
        "last_frame": np.broadcast_to(past[:, -1:], shape),
        "constant_velocity": np.stack([constant_velocity(each, future) for each in past]),
    }


def constant_velocity(past: np.ndarray, future: int) -> np.ndarray:
    """Shifts the last frame as a whole: (past, rows, columns, channels) -> (future, rows, columns, channels).

    The velocity is estimated from the last two frames by phase correlation (scikit-image, Guizar-Sicairos et al. 2008).
    """
    before, last = past[-2].mean(axis=-1), past[-1].mean(axis=-1)
    velocity = np.zeros(2)
    if before.any() and last.any():
        velocity = -phase_cross_correlation(before, last, upsample_factor=FINE)[0]
    return np.stack(
        [ndimage.shift(past[-1], (*(t * velocity), 0), order=1, mode="constant") for t in range(1, future + 1)]
    )
