"""Output heads: the parameters that the network outputs for each step, their loss, and their quantiles."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

LEVELS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)
# Role of each parameter: "location" is shifted and scaled with the window, "log_scale" is scaled, "shape" is unchanged.
ROLES = {
    "point": ("location",),
    "quantiles": ("location",) * len(LEVELS),
    "student_t": ("location", "log_scale", "shape"),
    "negative_binomial": ("location", "shape"),
}
LEAST_FREEDOM = 2.0  # minimum degrees of freedom of Student's t; its variance is infinite at or below this
SHARPNESS = 10.0  # of the softplus that keeps the mean of counts positive: nearly the identity above 0.3
LEAST_MEAN = 1e-4
ROUNDING = 1e-6  # of a count, which is no difference from a whole number


def start(head: str, residuals: np.ndarray) -> np.ndarray:
    """Returns the initial parameters (horizon, numbers) for a linear forecast with these residuals (rows, horizon)."""
    horizon = residuals.shape[1]
    if head == "point":
        return np.zeros((horizon, 1))
    if head == "quantiles":
        return np.quantile(residuals, LEVELS, axis=0).T
    spread = np.maximum(residuals.std(axis=0), 1e-3)
    if head == "student_t":
        return np.stack([np.zeros(horizon), np.log(spread), np.full(horizon, 3.0)], axis=1)
    return np.stack([np.zeros(horizon), np.zeros(horizon)], axis=1)


class Loss(keras.losses.Loss):
    """The loss of a head: targets (batch, horizon, 1 or 2), parameters (batch, horizon, numbers) -> (batch, horizon).

        point               a |y - f| + (1 - a) (y - f)^2
        quantiles           2 mean over q of max(q (y - f_q), (q - 1) (y - f_q))       Koenker and Bassett (1978)
        student_t           -log p(y),  y = m + s t,  t of 2 + softplus(d) degrees of freedom
        negative_binomial   -log p(y c),  with mean c m and variance c m + a (c m)^2     Salinas et al. (2020)

    Args:
        head: one of `HEADS`. absolute: a above.
    """

    def __init__(self, head: str, absolute: float = 1.0) -> None:
        super().__init__(name="loss", reduction="mean_with_sample_weight")
        self.head, self.absolute = head, absolute

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """See the class docstring."""
        y = y_true[..., :1]
        if self.head == "point":
            error = ops.abs(y - y_pred)[..., 0]
            return self.absolute * error + (1 - self.absolute) * error**2
        if self.head == "quantiles":
            levels = ops.convert_to_tensor(np.array(LEVELS, np.float32))
            error = y - y_pred
            return 2 * ops.mean(ops.maximum(levels * error, (levels - 1) * error), axis=-1)
        if self.head == "student_t":
            return _student_t(y[..., 0], y_pred)
        return _negative_binomial(y[..., 0] * y_true[..., 1], y_true[..., 1], y_pred)


def _student_t(y: Any, numbers: Any) -> Any:
    location, log_scale, freedom = numbers[..., 0], numbers[..., 1], LEAST_FREEDOM + ops.softplus(numbers[..., 2])
    z = (y - location) / ops.exp(log_scale)
    normaliser = _log_gamma(freedom / 2) - _log_gamma((freedom + 1) / 2) + 0.5 * ops.log(freedom * math.pi)
    return normaliser + log_scale + (freedom + 1) / 2 * ops.log(1 + z**2 / freedom)


def _negative_binomial(count: Any, scale: Any, numbers: Any) -> Any:
    mean = scale * (ops.softplus(SHARPNESS * numbers[..., 0]) / SHARPNESS + LEAST_MEAN)
    r = 1 / (ops.softplus(numbers[..., 1]) + 1e-4)
    both = ops.log(r + mean)
    log_p = _log_gamma(count + r) - _log_gamma(r) - _log_gamma(count + 1)
    return -(log_p + r * (ops.log(r) - both) + count * (ops.log(mean) - both))


def _log_gamma(x: Any) -> Any:
    """log Gamma(x), x > 0, by Stirling's series at x + 8, since keras.ops has none."""
    high = x + 8
    series = 1 / (12 * high) - 1 / (360 * high**3) + 1 / (1260 * high**5)
    below = sum(ops.log(x + n) for n in range(8))
    return (high - 0.5) * ops.log(high) - high + 0.5 * math.log(2 * math.pi) + series - below


def centre(head: str, numbers: np.ndarray, scale: np.ndarray | float = 1.0) -> np.ndarray:
    """Returns the point forecast, the median: (..., numbers) -> (...)."""
    if head == "quantiles":
        return np.median(numbers, axis=-1)
    if head == "negative_binomial":
        return quantiles(head, numbers, (0.5,), scale)[..., 0]
    return numbers[..., 0]


def quantiles(head: str, numbers: np.ndarray, levels: tuple[float, ...], scale: np.ndarray | float = 1.0) -> np.ndarray:
    """(..., numbers) -> (..., levels), increasing with the level; all equal to the forecast for the point head.

    Args:
        scale: scale of the counts, with one axis fewer than `numbers`; the quantiles are in units of it.
    """
    if head == "point":
        return np.repeat(numbers, len(levels), axis=-1)
    if head == "quantiles":
        # Crossing quantiles are sorted: Chernozhukov et al. (2010), doi:10.3982/ECTA7880.
        return between(np.sort(numbers, axis=-1), levels)
    from scipy import stats

    numbers = numbers[..., None, :].astype(np.float64)
    if head == "student_t":
        freedom = LEAST_FREEDOM + np.logaddexp(0, numbers[..., 2])
        return numbers[..., 0] + np.exp(numbers[..., 1]) * stats.t.ppf(levels, freedom)
    scale = np.asarray(scale)[..., None]
    mean = scale * (np.logaddexp(0, SHARPNESS * numbers[..., 0]) / SHARPNESS + LEAST_MEAN)
    r = 1 / (np.logaddexp(0, numbers[..., 1]) + 1e-4)
    return stats.nbinom.ppf(levels, r, r / (r + mean)) / scale


def between(values: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Interpolates quantiles (..., `LEVELS`) linearly at other levels; the outermost one beyond the range."""
    places = np.interp(levels, LEVELS, np.arange(len(LEVELS)))
    low = np.floor(places).astype(int)
    share = places - low
    high = np.minimum(low + 1, len(LEVELS) - 1)
    return values[..., low] * (1 - share) + values[..., high] * share


def around(low: np.ndarray, high: np.ndarray, quantiles: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns intervals of counts: whole numbers from 0 on, around the deciles inside the nominal coverage.

    Args:
        low, high: (...) the ends. quantiles: (..., `LEVELS`) of the counts.
    """
    outer = max((1 - coverage) / 2, LEVELS[2]), min((1 + coverage) / 2, LEVELS[-3])
    inner = between(quantiles, outer)
    low, high = np.minimum(low, inner[..., 0]), np.maximum(high, inner[..., 1])
    return np.maximum(np.floor(low + ROUNDING), 0), np.maximum(np.ceil(high - ROUNDING), 0)
