"""The network: a dense layer on each step, recurrent layers, and a linear output layer on the last states."""

import dataclasses
from typing import Any

import keras

from shared.layers import recurrent
from shared.layers.budget import parameters, sized, solve_units, width_step

from .config import APP, Config
from .tasks import TASKS

# A width of u changes the count in steps of about 2 / u, so that at 20,000 parameters, where an LSTM has some 70
# units, 1 % cannot always be met.
TOLERANCE = 0.03


def build(config: Config, info: dict[str, Any]) -> keras.Model:
    """Inputs (batch, time, features) -> answers (batch, answers, outputs), those of the last `answers` steps.

    Args:
        info: "units" is the width of the recurrent layers where `config.units` leaves it open.
    """
    task, units = TASKS[config.data], config.units or info["units"]
    inputs = keras.Input((None, task.features), name="inputs")
    x = inputs
    if config.input_units:
        x = keras.layers.Dense(config.input_units, activation="relu", name="input_projection")(x)
    for number in range(config.layers):
        x = recurrent(config.arch, units, return_sequences=True, name=f"recurrent_{number}")(x)
    x = x[:, -task.answers :]  # (batch, answers, units)
    return keras.Model(inputs, keras.layers.Dense(task.outputs, name="answers")(x), name=APP)


def width(config: Config) -> int:
    """The width of the recurrent layers: the given one, or the one whose network is nearest to `config.params`.

    If that misses the number of parameters by more than 3 %, a line says so.
    """
    return config.units or sized(config, lambda config: build(config, {}), TOLERANCE).units


def check_budget(config: Config) -> None:
    """Refuses an architecture that cannot be compared with others of `config.params` parameters.

    Raises:
        InputError: no width comes within 3 % of that number; the nearest ones are named.
    """

    def count(units: int) -> int:
        return parameters(lambda: build(dataclasses.replace(config, units=units), {}))

    solve_units(count, config.params, width_step(config.arch), TOLERANCE)
