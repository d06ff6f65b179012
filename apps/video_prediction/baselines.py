"""Baselines: constant frames, averages, the last frame, and motion at a constant velocity."""

import numpy as np
from scipy import ndimage
from skimage.registration import phase_cross_correlation

FINE = 10  # a pixel's parts in which a velocity is measured


def all_of(past: np.ndarray, future: int, mean: np.ndarray) -> dict[str, np.ndarray]:
    """The predictions (sequences, future, rows, columns, channels) of each baseline.

    Args:
        past: (sequences, past, rows, columns, channels) from 0 to 1, what the network sees too.
        mean: (rows, columns, channels) the mean training frame.
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
    """The last frame moved on as a whole: (past, rows, columns, channels) -> (future, rows, columns, channels).

    Its velocity is that between the last two frames, by phase correlation (scikit-image, Guizar-Sicairos et al. 2008).
    """
    before, last = past[-2].mean(axis=-1), past[-1].mean(axis=-1)
    velocity = np.zeros(2)
    if before.any() and last.any():
        velocity = -phase_cross_correlation(before, last, upsample_factor=FINE)[0]
    return np.stack(
        [ndimage.shift(past[-1], (*(t * velocity), 0), order=1, mode="constant") for t in range(1, future + 1)]
    )
