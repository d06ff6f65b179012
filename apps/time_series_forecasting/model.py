"""The network, and the linear forecast that it starts from."""

from typing import Any

import keras
import numpy as np
from keras import ops

from shared.layers import recurrent

from .config import APP, Config
from .heads import ROLES
from .ridge import SMALLEST

BATCH = 512  # windows per batch; ...
SOME = 256  # ... of up to this many windows, such as the own past of a new series, ...
FEW = 8  # ... and up to this many run one at a time: each new batch size needs compiling


def build(config: Config, info: dict) -> keras.Model:
    """{window (batch, reach), series, known, static} -> the head's parameters for each step (batch, horizon, numbers).

    In units of the scaled series:

        x = (window - shift) / scale                           shift and scale of this window, see `NORMALISATIONS`
        f = ridge(x) + width start + gate network(x, ...)      ridge is 0 with --no-skip
        forecast = shift + scale f                             for the locations, see `ROLES`

    The network's output layer is initialised to zero, so training starts from the linear forecast; gate is 1 during
    training and is then chosen on the validation set, possibly 0.
    """
    window = keras.Input((info["reach"],), name="window")
    series = keras.Input((), dtype="int32", name="series")
    inputs = {"window": window, "series": series}
    known_columns, static_columns = info["known_columns"], info["static_columns"]
    if known_columns:
        inputs["known"] = keras.Input((config.lookback + config.horizon, known_columns), name="known")
    if static_columns:
        inputs["static"] = keras.Input((static_columns,), name="static")
    x, shift, scale = Normalise(config.normalise, config.lookback, name="normalise")(window)
    linear = keras.layers.Dense(config.horizon, kernel_initializer="zeros", trainable=False, name="ridge")(x)
    who = keras.layers.Embedding(len(info["names"]) + 1, config.embedding, name="series_embedding")(series)
    if static_columns:
        who = who + keras.layers.Dense(config.embedding, name="static_embedding")(inputs["static"])
    network = {"segments": segments, "encoder_decoder": encoder_decoder}[config.network]
    learned = network(config, x[:, -config.lookback :], who, inputs.get("known"))
    forecast = Joined(ROLES[config.head], len(info["names"]) + 1, name="joined")(
        [linear, learned, shift, scale, series]
    )
    return keras.Model(inputs, forecast, name=APP)


def segments(config: Config, x: Any, who: Any, known: Any) -> Any:
    """A recurrent layer over segments of the window; its last state initialises all future segments, in parallel.

    Lin et al. (2023), "SegRNN: segment recurrent neural network for long-term time series forecasting",
    arXiv:2308.11200. With w the segment length, and position and who embeddings of the future segment and the series:

        h_n = recurrent(relu(W x_{n w ... (n + 1) w} + b), h_{n-1})
        y_m = V dropout(recurrent(relu(W_d [position_m, who, known_m] + b_d), h_last)) + c

    Differences from the paper: any architecture, several layers, covariates.

    Returns:
        (batch, horizon, numbers).
    """
    width, numbers = config.segment, len(ROLES[config.head])
    past, ahead = config.lookback // width, -(-config.horizon // width)
    read = ops.reshape(x[:, config.lookback - past * width :], (-1, past, width))
    asked = [_positions(who, ahead, config.embedding), _repeated(who, ahead)]
    if known is not None:
        columns = known.shape[-1]
        before = known[:, config.lookback - past * width : config.lookback]
        steps = np.minimum(np.arange(ahead * width), config.horizon - 1) + config.lookback
        after = ops.take(known, steps, axis=1)
        short = keras.layers.Dense(config.embedding, name="known_embedding")
        read = ops.concatenate([read, short(ops.reshape(before, (-1, past, width * columns)))], axis=-1)
        asked.append(short(ops.reshape(after, (-1, ahead, width * columns))))
    y = keras.layers.Dense(config.units, activation="relu", name="segment_embedding")(read)
    z = keras.layers.Dense(config.units, activation="relu", name="question")(ops.concatenate(asked, axis=-1))
    z = ops.reshape(z, (-1, 1, config.units))  # (batch * ahead, 1, units)
    for number in range(config.layers):
        layer = recurrent(config.arch, config.units, return_sequences=True, return_state=True, name=f"over_{number}")
        y, *states = layer(y)
        z, *_ = layer(z, initial_state=[ops.repeat(state, ahead, axis=0) for state in states])
    z = keras.layers.Dropout(config.dropout)(ops.reshape(z, (-1, ahead, config.units)))
    answer = keras.layers.Dense(width * numbers, kernel_initializer="zeros", name="answer")(z)
    return ops.reshape(answer, (-1, ahead * width, numbers))[:, : config.horizon]


def encoder_decoder(config: Config, x: Any, who: Any, known: Any) -> Any:
    """Recurrent layers over the steps of the window, whose final states initialise those over the future steps.

    The decoder reads positions, series and known columns but not its own forecasts, so that errors do not accumulate.

    Returns:
        (batch, horizon, numbers).
    """
    y = ops.concatenate([x[..., None], _repeated(who, config.lookback)], axis=-1)
    z = ops.concatenate([_positions(who, config.horizon, config.embedding), _repeated(who, config.horizon)], axis=-1)
    if known is not None:
        y = ops.concatenate([y, known[:, : config.lookback]], axis=-1)
        z = ops.concatenate([z, known[:, config.lookback :]], axis=-1)
    # Project both to the same width, since the states of some architectures hold input steps.
    y = keras.layers.Dense(config.units, name="past_embedding")(y)
    z = keras.layers.Dense(config.units, name="question")(z)
    for number in range(config.layers):
        options = {"return_sequences": True, "return_state": True}
        y, *states = recurrent(config.arch, config.units, name=f"encoder_{number}", **options)(y)
        z, *_ = recurrent(config.arch, config.units, name=f"decoder_{number}", **options)(z, initial_state=states)
    z = keras.layers.Dropout(config.dropout)(z)
    return keras.layers.Dense(len(ROLES[config.head]), kernel_initializer="zeros", name="answer")(z)


def _positions(who: Any, count: int, width: int) -> Any:
    """Returns an embedding of each position, (batch, count, width)."""
    places = ops.zeros_like(who[:, :1], dtype="int32") + ops.arange(count, dtype="int32")
    return keras.layers.Embedding(count, width, name="position_embedding")(places)


def _repeated(who: Any, count: int) -> Any:
    """(batch, width) -> (batch, count, width)."""
    return ops.repeat(who[:, None], count, axis=1)


@keras.saving.register_keras_serializable(package=APP)
class Normalise(keras.layers.Layer):
    """Window (batch, reach) -> (window - shift) / scale, shift (batch, 1), scale (batch, 1); see `ridge.normalised`.

    Args:
        how: one of `NORMALISATIONS`. lookback: number of last steps for the mean and standard deviation of "window".
    """

    def __init__(self, how: str, lookback: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.how, self.lookback = how, lookback

    def call(self, window: Any) -> tuple[Any, Any, Any]:
        """See the class docstring."""
        last = window[:, -1:]
        shift, scale = ops.zeros_like(last), ops.ones_like(last)
        if self.how == "last":
            shift = last
        if self.how == "window":
            recent = window[:, -self.lookback :]
            shift = ops.mean(recent, axis=1, keepdims=True)
            scale = ops.maximum(ops.std(recent, axis=1, keepdims=True), SMALLEST)
        return (window - shift) / scale, shift, scale

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        return {**super().get_config(), "how": self.how, "lookback": self.lookback}


@keras.saving.register_keras_serializable(package=APP)
class Joined(keras.layers.Layer):
    """Combines the linear forecast (batch, horizon) and the network (batch, horizon, numbers), see `build`.

    Args:
        roles: the role of each number, see `heads.ROLES`. series: number of series, plus one for unseen series.

    Weights:  start (horizon, numbers), width (series, 1) and gate (), not trained.
    """

    def __init__(self, roles: tuple[str, ...], series: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.roles, self.series = tuple(roles), series

    def build(self, shapes: Any) -> None:
        """Creates the weights."""
        shape = (shapes[1][1], len(self.roles))
        self.start = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="start")
        self.width = self.add_weight(shape=(self.series, 1), initializer="ones", trainable=False, name="width")
        self.gate = self.add_weight(shape=(), initializer="ones", trainable=False, name="gate")

    def call(self, inputs: Any) -> Any:
        """See the class docstring."""
        linear, learned, shift, scale, series = inputs
        location, stretched = (
            ops.convert_to_tensor(np.array([role == wanted for role in self.roles], np.float32))
            for wanted in ("location", "log_scale")
        )
        width = ops.take(self.width, series, axis=0)  # (batch, 1)
        start = self.start * (location * width[..., None] + 1 - location)
        f = linear[..., None] * location + start + self.gate * learned
        moved = location * (scale[..., None] * f + shift[..., None]) + (1 - location) * f
        return moved + stretched * ops.log(scale * width)[..., None]

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        return {**super().get_config(), "roles": self.roles, "series": self.series}


def set_linear(model: keras.Model, kernel: np.ndarray, bias: np.ndarray) -> None:
    """Sets the weights of the linear forecast."""
    model.get_layer("ridge").set_weights([kernel, bias])


def set_start(model: keras.Model, start: np.ndarray, width: np.ndarray) -> None:
    """Sets the initial output of the head, see `heads.start`, and the error width of each series."""
    model.get_layer("joined").start.assign(start)
    model.get_layer("joined").width.assign(width[:, None])


def set_gate(model: keras.Model, gate: float) -> None:
    """Sets the weight of the network relative to the linear forecast, from 0 to 1."""
    model.get_layer("joined").gate.assign(gate)
