"""The network: a layer that reads each step alone, recurrent layers, one linear layer that answers from the state."""

import keras

from shared.layers import recurrent
from shared.layers.budget import parameters, solve_units, width_step

from .config import Config
from .tasks import TASKS

# A width of u changes the count in steps of about 2 / u, so that at 20,000 parameters, where an LSTM has some 70
# units, 1 % cannot always be met.
TOLERANCE = 0.03


def build(config: Config, info: dict) -> keras.Model:
    """Inputs (batch, time, features) -> answers (batch, answers, outputs), those of the last `answers` steps."""
    task = TASKS[info["task"]]
    inputs = keras.Input((None, task.features), name="inputs")
    x = inputs
    if config.reader:
        x = keras.layers.Dense(config.reader, activation="relu", name="reader")(x)
    for number in range(config.layers):
        x = recurrent(config.arch, info["units"], return_sequences=True, name=f"recurrent_{number}")(x)
    x = x[:, -task.answers :]  # (batch, answers, units)
    return keras.Model(inputs, keras.layers.Dense(task.outputs, name="answers")(x), name="memory_probe")


def units_for_budget(config: Config, info: dict) -> int:
    """The width at which the whole network has about `config.params` parameters.

    Raises:
        InputError: if no width comes within 3 % of it.
    """

    def count(units: int) -> int:
        return parameters(lambda: build(config, info | {"units": units}))

    return solve_units(count, config.params, width_step(config.arch), TOLERANCE)
