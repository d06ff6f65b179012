"""The network: a dense layer on each step, recurrent layers, and a linear output layer on the last states."""

import dataclasses
from typing import Any

import keras

from shared.layers import recurrent
from shared.layers.budget import parameters, sized, solve_units, width_step

from .config import APP, Config
from .tasks import TASKS

# Increasing the width u by one changes the number of parameters by a share of about 2 / u: for an LSTM of about 70
# units, with 20,000 parameters, 1 % cannot always be met.
TOLERANCE = 0.03


def build(config: Config, info: dict[str, Any]) -> keras.Model:
    """Inputs (batch, time, features) -> answers (batch, answers, outputs), at the last `answers` steps.

    Args:
        info: "units" is the width of the recurrent layers if `config.units` is 0.
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
    """Returns the width of the recurrent layers: the given one, or the one that comes closest to `config.params`.

    Prints a note if the number of parameters is off by more than 3 %.
    """
    return config.units or sized(config, lambda config: build(config, {}), TOLERANCE).units


def check_budget(config: Config) -> None:
    """Checks that an architecture can be compared with others of `config.params` parameters.

    Raises:
        InputError: no width comes within 3 % of that number; the message gives the closest ones.
    """

    def count(units: int) -> int:
        return parameters(lambda: build(dataclasses.replace(config, units=units), {}))

    solve_units(count, config.params, width_step(config.arch), TOLERANCE)
