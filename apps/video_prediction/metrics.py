"""Metrics of predicted frames: squared error, SSIM, PSNR, sharpness."""

import numpy as np
from scipy import ndimage

WINDOW = 7  # pixels; the default of scikit-image's structural_similarity
HIGHEST_PSNR = 100.0  # dB; upper limit, also for identical frames
AT_ONCE = 16  # number of sequences processed at a time

# All functions take frames (sequences, time, rows, columns, channels) in [0, 1], the true ones first.


def mse_per_frame(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """(sequences, time): the squared error summed over each frame, as is usual in the literature."""
    return np.square(truth - found).sum(axis=(2, 3, 4), dtype=np.float64)


def psnr(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """(sequences, time): peak signal-to-noise ratio in dB."""
    mean = mse_per_frame(truth, found) / np.prod(truth.shape[2:])
    return -10 * np.log10(np.maximum(mean, 10 ** (-HIGHEST_PSNR / 10)))


def ssim(truth: np.ndarray, found: np.ndarray, data_range: float = 1.0) -> np.ndarray:
    """(sequences, time): structural similarity, averaged over all 7 x 7 windows inside the frame.

    Wang et al. (2004), doi:10.1109/TIP.2003.819861, with uniform windows and unbiased covariances, as in scikit-image.

    Args:
        data_range: 1 is that of the pixels; 2, implied by the code of the best-known benchmark, gives higher values.
    """
    parts = [
        _similarity(truth[n : n + AT_ONCE], found[n : n + AT_ONCE], data_range) for n in range(0, len(truth), AT_ONCE)
    ]
    return np.concatenate(parts)


def _similarity(truth: np.ndarray, found: np.ndarray, data_range: float) -> np.ndarray:
    x, y = (np.asarray(frames, np.float64) for frames in (truth, found))
    unbiased = WINDOW**2 / (WINDOW**2 - 1)
    mx, my = _means(x), _means(y)
    xx, yy, xy = (unbiased * (_means(a * b) - m) for a, b, m in ((x, x, mx * mx), (y, y, my * my), (x, y, mx * my)))
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    found_ssim = (2 * mx * my + c1) * (2 * xy + c2) / ((mx * mx + my * my + c1) * (xx + yy + c2))
    return found_ssim.mean(axis=(2, 3, 4))


def _means(frames: np.ndarray) -> np.ndarray:
    """Averages over each window inside the frame."""
    edge = WINDOW // 2
    for axis in (2, 3):
        frames = ndimage.uniform_filter1d(frames, WINDOW, axis)
    return frames[:, :, edge:-edge, edge:-edge]


def gradient_energy(frames: np.ndarray) -> np.ndarray:
    """(sequences,): the sum of squared differences between neighbouring pixels; blurred frames have a low value."""
    differences = (np.square(np.diff(frames, axis=axis)).sum(axis=(1, 2, 3, 4), dtype=np.float64) for axis in (2, 3))
    return sum(differences)
