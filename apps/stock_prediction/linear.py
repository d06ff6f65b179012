"""The pooled linear model of the log variance, trained on QLIKE: a baseline, and the network's starting point."""

import numpy as np

# L2 penalty on the weights of standardised inputs, multiplied by the horizon, since longer targets overlap more and so
# are fewer independent ones. Chosen on djia from 2011 to 2014, for all horizons at once.
RIDGE = 3e-3
STEPS = 50
ENOUGH = 1e-10  # convergence threshold: expected decrease in QLIKE of a step
EXTREME = 30.0  # limit of the log variance, to avoid overflow of exp


def fit(inputs: np.ndarray, variance: np.ndarray, ridge: float) -> np.ndarray:
    """Returns the weights of log f = inputs @ w[:-1] + w[-1] with the lowest QLIKE, by Newton's method.

    QLIKE is y exp(-z) + z plus terms that do not depend on z = log f: convex in z, and therefore in the weights.

    Args:
        inputs: (rows, inputs), scaled. variance: (rows,) positive. ridge: penalty on all weights but the last.

    Returns:
        (inputs + 1,) float64.
    """
    x = np.concatenate([np.asarray(inputs, np.float64), np.ones((len(inputs), 1))], axis=1)
    penalty = np.full(x.shape[1], ridge)
    penalty[-1] = 0
    weights = np.zeros(x.shape[1])
    weights[-1] = np.log(variance.mean())

    def loss(w: np.ndarray) -> float:
        z = np.clip(x @ w, -EXTREME, EXTREME)
        return float((variance * np.exp(-z) + z).mean() + penalty @ w**2 / 2)

    least = loss(weights)
    for _ in range(STEPS):
        ratio = variance * np.exp(-np.clip(x @ weights, -EXTREME, EXTREME))
        gradient = x.T @ (1 - ratio) / len(x) + penalty * weights
        curvature = (x * ratio[:, None]).T @ x / len(x) + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while loss(weights - size * step) > least and size > 1e-6:
            size /= 2
        weights = weights - size * step
        least = loss(weights)
        if gradient @ step < ENOUGH:
            break
    return weights


def log_variance(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Inputs (..., inputs) -> the log variance (...,)."""
    return np.asarray(inputs, np.float64) @ weights[:-1] + weights[-1]
