"""Why a prediction may be unreliable: even the input frames are predicted worse than by repeating the frame before."""

from collections.abc import Sequence

import numpy as np

from . import metrics

UNLIKE = "this clip may be unlike those of training"


def errors_on_inputs(seen: Sequence[np.ndarray], predicted: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the MSE per frame on the input frames of: the network, the previous frame, the mean of those before.

    The first two frames are not counted: before them no motion can be known. NaN if there are no others.

    Args:
        seen: the input frames (rows, columns, channels). predicted: after each of them, the network's next frame.
    """
    frames = np.stack(seen)
    if len(frames) < 3:
        return np.full(3, np.nan)
    means = [frames[:number].mean(axis=0) for number in range(2, len(frames))]
    methods = (predicted[1:-1], frames[1:-1], means)
    return np.array([metrics.mse_per_frame(frames[None, 2:], np.stack(found)[None]).mean() for found in methods])


def on_inputs(errors: np.ndarray) -> list[str]:
    """Returns a line if repeating the previous frame, or the mean of those before, has a smaller error, else none."""
    ours, last, mean = np.round(errors, 2)
    if not ours > min(last, mean):
        return []
    simple = f"repeating the previous frame ({last:.2f})" if last <= mean else f"the mean of those before ({mean:.2f})"
    return [f"even the input frames are predicted worse (MSE per frame {ours:.2f}) than by {simple}: {UNLIKE}"]
