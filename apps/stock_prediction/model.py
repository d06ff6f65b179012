"""The network: recurrent layers over days, heads for variances, return and direction, and a linear starting point."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers.stack import Stack

from .config import APP, HORIZONS, Config

MULTIPLE = 256  # sequences are padded at the end to a multiple of this number of days: each new shape is compiled
MEAN, SCALE, FREEDOM, UP = range(len(HORIZONS), len(HORIZONS) + 4)  # indices of the outputs after the log variances
OUTPUTS = UP + 1


def build(config: Config, info: dict) -> keras.Model:
    """Scaled inputs (batch, days, inputs) -> (batch, days, networks, outputs), the predictions made on each day.

    Outputs: the log of the mean variance of the next 1, 5, 22 days in squared per cent; mean, log scale and degrees of
    freedom (before `freedom`) of the Student-t distribution of the next return in per cent; the logit of a rise.
    """
    inputs = keras.Input((None, len(info["inputs"])), name="inputs")
    start = None
    if config.skip:
        # The weights of `linear.fit`, frozen so that training does not change them.
        start = keras.layers.Dense(len(HORIZONS), trainable=False, kernel_initializer="zeros", name="linear")(inputs)
    networks = [_network(config, number, inputs, start) for number in range(config.ensemble_size)]
    return keras.Model(inputs, ops.stack(networks, axis=2), name="networks")


def _network(config: Config, number: int, inputs: Any, start: Any) -> Any:
    """Builds one network of the ensemble: (batch, days, outputs)."""
    x = Stack(config.arch, config.units, config.layers, name=f"days_{number}")(inputs)
    x = keras.layers.Dropout(config.dropout, name=f"dropout_{number}")(x)
    # Initialised to zero, so that training starts from the linear model, or from a constant variance.
    heads = keras.layers.Dense(OUTPUTS, kernel_initializer="zeros", name=f"heads_{number}")(x)
    variances = heads[..., : len(HORIZONS)]
    if start is not None:
        variances = variances + start
    # The scale of the next return is derived from the predicted variance, plus a correction by the network.
    scale = heads[..., SCALE : SCALE + 1] + ops.stop_gradient(variances[..., :1]) / 2
    return ops.concatenate([variances, heads[..., MEAN:SCALE], scale, heads[..., FREEDOM:]], axis=-1)


def averaged(model: keras.Model) -> keras.Model:
    """Returns a model with the same weights that averages over the ensemble: (batch, days, outputs)."""
    return keras.Model(model.inputs, ops.mean(model.output, axis=2), name=APP)


def log_variances(found: Any) -> Any:
    """Returns the log variances (..., horizons) in outputs (..., outputs)."""
    return found[..., : len(HORIZONS)]


def shrunk(model: keras.Model, shares: Sequence[float]) -> None:
    """Multiplies the networks' correction to the linear log variance of each horizon by a share, in place."""
    for layer in model.layers:
        if layer.name.startswith("heads_"):
            kernel, bias = layer.get_weights()
            kernel[:, : len(HORIZONS)] *= shares
            bias[: len(HORIZONS)] *= shares
            layer.set_weights([kernel, bias])


def goals(variance: np.ndarray, returns: np.ndarray) -> np.ndarray:
    """Assembles the targets of the loss: (tickers, days, horizons + 2) float32.

    Args:
        variance: (horizons, tickers, days), NaN where there is no target; stored as 0.
        returns: (tickers, days) the next return; the last column is 1 where it is known, else 0.
    """
    known = np.isfinite(returns)
    columns = [*np.nan_to_num(variance), np.nan_to_num(returns), known]
    return np.stack(columns, axis=-1).astype(np.float32)


def freedom(raw: Any) -> Any:
    """Returns the degrees of freedom of Student's t: above 2.5, so that the variance is finite; about 4.6 at first."""
    return 2.5 + ops.softplus(raw + 2.0)


def student_nats(returns: Any, mean: Any, log_scale: Any, degrees: Any) -> Any:
    """-log p of returns under Student's t with this mean, standard deviation exp(log_scale) and degrees of freedom."""
    # keras.ops has no log-gamma function; Stirling's series works on TensorFlow, JAX and torch.
    spread = 2 * log_scale + ops.log((degrees - 2) / degrees)
    square = (returns - mean) ** 2 * ops.exp(-spread)
    constant = log_gamma((degrees + 1) / 2) - log_gamma(degrees / 2) - 0.5 * ops.log(degrees * np.pi)
    return -constant + 0.5 * spread + 0.5 * (degrees + 1) * ops.log1p(square / degrees)


def log_gamma(x: Any) -> Any:
    """log Gamma(x) for x > 1, to 1e-6: Stirling's series at x + 3, then the recurrence back to x."""
    y = x + 3
    series = (y - 0.5) * ops.log(y) - y + 0.5 * np.log(2 * np.pi) + 1 / (12 * y) - 1 / (360 * y**3)
    return series - ops.log(x * (x + 1) * (x + 2))


def qlike_of(y_true: Any, y_pred: Any, place: int) -> Any:
    """Returns the QLIKE (batch, days, networks) of one horizon; 0 where the variance is unknown."""
    variance = ops.expand_dims(y_true[..., place], -1)
    z = y_pred[..., place]
    return ops.where(variance > 0, variance * ops.exp(-z) + z - ops.log(ops.maximum(variance, 1e-12)) - 1, 0.0)


class Losses(keras.losses.Loss):
    """QLIKE of all horizons plus weighted nats of the next return and of its direction, averaged over the ensemble."""

    def __init__(self, return_weight: float, direction_weight: float) -> None:
        super().__init__(name="losses", reduction="mean_with_sample_weight")
        self.return_weight, self.direction_weight = return_weight, direction_weight

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Targets (batch, days, horizons + 2), outputs of all networks -> loss (batch, days)."""
        loss = sum(qlike_of(y_true, y_pred, place) for place in range(len(HORIZONS)))
        returns, known = (ops.expand_dims(y_true[..., n], -1) for n in (len(HORIZONS), len(HORIZONS) + 1))
        mean, scale, raw, up = (y_pred[..., n] for n in (MEAN, SCALE, FREEDOM, UP))
        loss = loss + self.return_weight * known * student_nats(returns, mean, scale, freedom(raw))
        rise = ops.cast(returns > 0, up.dtype)
        loss = loss + self.direction_weight * known * (ops.softplus(up) - rise * up)
        return ops.mean(loss, axis=-1)


def one_day_qlike(y_true: Any, y_pred: Any) -> Any:
    """The ensemble's QLIKE for the next day: (batch, days)."""
    return qlike_of(y_true, ops.mean(y_pred, axis=2, keepdims=True), 0)[..., 0]


def outputs(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Applies the averaged model to scaled inputs (tickers, days, inputs) -> (tickers, days, outputs) float64.

    Always reads all days from the first one on, as `predict` does with a file, so that both give the same forecast.
    """
    days = inputs.shape[1]
    full = np.pad(inputs, ((0, 0), (0, -days % MULTIPLE), (0, 0)))
    return np.asarray(model.predict_on_batch(full), np.float64)[:, :days]
