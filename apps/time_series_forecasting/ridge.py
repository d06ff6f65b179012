"""The linear forecast: ridge regression of the future on the window, in closed form; its mean over lookbacks."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from .windows import Windows

# Penalties, in units of the mean variance of the window's steps; chosen on the validation set.
STRENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
CHUNK = 8192  # windows per batch
SMALLEST = 1e-4  # lower limit of a window's standard deviation, relative to that of the whole series


@dataclasses.dataclass(frozen=True)
class Ridge:
    """y = x kernel + bias, for a window x (lookback,) and the steps y (horizon,) after it, both normalised.

    strength: of the penalty. error: the mean squared error on validation.
    """

    kernel: np.ndarray
    bias: np.ndarray
    strength: float
    error: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(rows, steps), at least the lookback -> (rows, horizon)."""
        return x[:, len(x[0]) - len(self.kernel) :] @ self.kernel + self.bias


@dataclasses.dataclass
class Moments:
    """Sums over windows that determine a linear fit and its error: weights, x, y, x'x, x'y, y'y."""

    n: float
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: float

    def about(self, x: np.ndarray, y: np.ndarray) -> "Moments":
        """Returns the sums for x and y shifted by these constants."""
        return Moments(
            self.n,
            self.x - self.n * x,
            self.y - self.n * y,
            self.xx - np.outer(x, self.x) - np.outer(self.x, x) + self.n * np.outer(x, x),
            self.xy - np.outer(x, self.y) - np.outer(self.x, y) + self.n * np.outer(x, y),
            self.yy - 2 * float(self.y @ y) + self.n * float(y @ y),
        )


def normalised(past: np.ndarray, how: str, lookback: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalises windows (rows, reach); also returns their shift (rows, 1) and scale (rows, 1).

    Args:
        how: one of `NORMALISATIONS`. lookback: number of last steps for the mean and standard deviation of "window".
    """
    shift, scale = np.zeros_like(past[:, :1]), np.ones_like(past[:, :1])
    if how == "last":
        shift = past[:, -1:]
    if how == "window":
        recent = past[:, -lookback:]
        shift = recent.mean(axis=1, keepdims=True)
        scale = np.maximum(recent.std(axis=1, keepdims=True), SMALLEST)
    return (past - shift) / scale, shift, scale


def moments(windows: Windows, lookback: int, how: str, network: int) -> Moments:
    """Sums over all windows with a long enough past, weighted by its series and by the share of its future observed."""
    found = None
    reach = max(lookback, network) if how == "window" else lookback
    for rows in chunks(windows, reach):
        x, shift, scale = normalised(windows.past(rows, reach).astype(np.float64), how, network)
        x = x[:, -lookback:]
        y = (windows.future(rows) - shift) / scale
        weights = windows.weights(rows).mean(axis=1)
        weighted = x * weights[:, None]
        new = Moments(
            float(weights.sum()),
            weighted.sum(axis=0),
            weights @ y,
            weighted.T @ x,
            weighted.T @ y,
            float(weights @ (y**2).sum(axis=1)),
        )
        if found is None:
            found = new
        else:
            for field in dataclasses.fields(Moments):
                setattr(found, field.name, getattr(found, field.name) + getattr(new, field.name))
    assert found is not None
    return found


def chunks(windows: Windows, reach: int) -> Iterator[np.ndarray]:
    """Yields the rows of the windows with a long enough past, batch by batch."""
    rows = np.flatnonzero(windows.at >= reach)
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def fit(train: Windows, valid: Windows, lookback: int, how: str = "last", network: int = 0) -> Ridge:
    """Fits a ridge regression, with the penalty that has the lowest validation error.

        W = (X'X + s I)^-1 X'Y,  b = mean(y) - mean(x) W,  X and Y centred

    Args:
        train, valid: the windows. lookback: number of input steps. how, network: see `normalised`.
    """
    found = moments(train, lookback, how, network)
    x, y = found.x / found.n, found.y / found.n
    centred, judged = found.about(x, y), moments(valid, lookback, how, network).about(x, y)
    spectrum, basis = np.linalg.eigh(centred.xx)
    spectrum = np.maximum(spectrum, 0)
    rotated, unit = basis.T @ centred.xy, max(float(np.trace(centred.xx)) / lookback, 1e-12)
    turned, crossed = basis.T @ judged.xx @ basis, basis.T @ judged.xy
    best = None
    for strength in STRENGTHS:
        weights = rotated / (spectrum + strength * unit)[:, None]
        error = judged.yy - 2 * float((weights * crossed).sum()) + float((weights * (turned @ weights)).sum())
        error /= judged.n * train.horizon
        if best is None or error < best[0]:
            best = error, strength, weights
    assert best is not None
    kernel = basis @ best[2]
    return Ridge(kernel, y - x @ kernel, best[1], best[0])


def mean(fitted: Sequence[Ridge], reach: int) -> Ridge:
    """Averages the forecasts of several lookbacks, as a single linear forecast of the longest lookback."""
    kernel = np.zeros((reach, fitted[0].kernel.shape[1]))
    for each in fitted:
        kernel[reach - len(each.kernel) :] += each.kernel / len(fitted)
    bias = np.mean([each.bias for each in fitted], axis=0)
    return Ridge(kernel, bias, 0.0, float(np.mean([each.error for each in fitted])))


def lookbacks(train: Windows, wanted: Sequence[int]) -> list[int]:
    """Returns the lookbacks for which every series has a training window."""
    last = np.full(int(train.who.max()) + 1, -1)
    np.maximum.at(last, train.who, train.at)
    return [length for length in wanted if last.min() >= length]
