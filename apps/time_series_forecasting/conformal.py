"""Intervals with nominal coverage: conformal scores from validation, adapted online to their recent coverage."""

import numpy as np

GRID = np.linspace(0, 1, 101)  # probabilities at which the quantiles of the scores are stored
FEWEST = 20  # minimum number of windows with values, for per-series scores
LEAST_WIDTH = 1e-6
NARROWEST = -0.45  # maximum shrinkage of an interval at each end, as a share of its width


def scores(low: np.ndarray, high: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Returns how far values lie outside their intervals, in interval widths; negative inside (Romano et al. 2019)."""
    return np.maximum(low - actual, actual - high) / width(low, high)


def width(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Returns the width of an interval, at least `LEAST_WIDTH`."""
    return np.maximum(high - low, LEAST_WIDTH)


def enough(observed: np.ndarray) -> bool:
    """Returns whether enough windows (windows, horizon) have a value to calibrate on them alone."""
    return int(observed.any(axis=1).sum()) >= FEWEST


def grid_of(found: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(horizon, `GRID`): quantiles of the scores (windows, horizon) per step; steps without scores use those of all."""
    count = len(found)
    # The finite-sample correction of split conformal prediction: an extra score at infinity, counted as the highest.
    levels = np.minimum(GRID * (count + 1) / max(count, 1), 1)
    if observed.all():  # much faster
        return np.quantile(found, levels, axis=0).T
    masked = np.where(observed, found, np.nan)
    if not observed.any(axis=0).all():
        masked = np.broadcast_to(masked[observed][:, None], (int(observed.sum()), found.shape[1]))
    return np.nanquantile(masked, levels, axis=0).T


def stretched(low: np.ndarray, high: np.ndarray, by: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Widens the intervals at both ends by this many of their widths."""
    more = np.maximum(by, NARROWEST) * width(low, high)
    return low - more, high + more


def factor(by: np.ndarray) -> np.ndarray:
    """Returns the factor by which `stretched` widens the intervals."""
    return 1 + 2 * np.maximum(by, NARROWEST)


def looked_up(grid: np.ndarray, miss: np.ndarray) -> np.ndarray:
    """Returns the score exceeded by a share `miss` (...) of the distribution `grid` (..., `GRID`).

    For a negative share it is extrapolated beyond the highest score, with the mean slope from the median to it.
    """
    last = grid.shape[-1] - 1
    place = (1 - miss) * last
    inside = np.clip(place, 0, last)
    low = np.minimum(inside.astype(int), last - 1)
    values = [np.take_along_axis(grid, at[..., None], axis=-1)[..., 0] for at in (low, low + 1)]
    found = values[0] + (inside - low) * (values[1] - values[0])
    steepness = np.maximum(grid[..., -1] - grid[..., last // 2], 0) * 2 / last
    return found + np.maximum(place - last, 0) * steepness


class Adaptive:
    """Adaptive conformal intervals of several series over consecutive forecasts.

    Gibbs and Candes (2021), "Adaptive conformal inference under distribution shift", arXiv:2106.00170, equation 2, for
    each series and each step ahead separately; whether step h of a forecast missed becomes known only h steps later:

        a <- a + rate (1 - coverage - missed)

    Args:
        grid: (series, horizon, `GRID`) of the scores. coverage: nominal coverage. rate: as above.
    """

    def __init__(self, grid: np.ndarray, coverage: float, rate: float) -> None:
        self.grid, self.rate, self.target = grid, rate, 1 - coverage
        count, horizon = grid.shape[:2]
        self.miss = np.full((count, horizon), self.target)
        # Intervals whose true values are pending; the newest forecast is at index `at`.
        self.low = np.full((horizon, count, horizon), -np.inf, np.float32)
        self.high = np.full((horizon, count, horizon), np.inf, np.float32)
        self.waiting = np.zeros(horizon, bool)
        self.at = 0

    def interval(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the calibrated intervals (series, horizon) of the next forecast; stores them until values arrive."""
        low, high = stretched(low, high, looked_up(self.grid, self.miss))
        self.at = (self.at + 1) % len(self.waiting)
        self.low[self.at], self.high[self.at], self.waiting[self.at] = low, high, True
        return low, high

    def observe(self, actual: np.ndarray, observed: np.ndarray) -> None:
        """Updates the miss rates with the values (series,) of the next step, which every pending forecast covers.

        Must be called once between two calls of `interval`.
        """
        steps = np.arange(len(self.waiting))
        places = (self.at - steps) % len(self.waiting)
        low, high = self.low[places, :, steps].T, self.high[places, :, steps].T  # (series, horizon)
        missed = (actual[:, None] < low) | (actual[:, None] > high)
        change = self.rate * (self.target - missed)
        self.miss += np.where(observed[:, None] & self.waiting[places], change, 0)

    def state(self) -> dict[str, np.ndarray]:
        """Returns the state, for `restore`."""
        kept = {"miss": self.miss, "low": self.low, "high": self.high, "waiting": self.waiting}
        return kept | {"at": np.array(self.at)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restores a state returned by `state`."""
        self.miss, self.low, self.high = state["miss"].copy(), state["low"].copy(), state["high"].copy()
        self.waiting, self.at = state["waiting"].copy(), int(state["at"])
