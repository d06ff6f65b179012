"""Measures what a recurrent layer remembers: gradient and influence by lag, states and gates over an input.

curve = gradient_by_lag(layer, inputs)        # (time,), index 0 is the last step
reach(curve)                                  # how many steps back inputs still matter
trace(layer, sequence)["f"]                   # the forget gate (time, units)
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from shared.layers import backend


def gradient_by_lag(function: Callable, inputs: Any, probes: int = 8, seed: int = 0) -> NDArray[np.float64]:
    """Returns how strongly the last output depends on each input, to first order.

    For a random direction v, the expected squared norm of the gradient of v . y_T with respect to x_{T-k} is the
    squared Frobenius norm of the Jacobian dy_T / dx_{T-k} (Hutchinson 1989, doi:10.1080/03610918908812806).

    Args:
        function: (batch, time, features) -> (batch, time, units) or (batch, units), e.g. a layer or a model.
        inputs: (batch, time, features) floats.
        probes: positive int, number of random directions.
        seed: seed of the directions.

    Returns:
        (time,) root mean square over rows and directions; index k is the input k steps before the last.
    """
    x = ops.convert_to_tensor(inputs, "float32")
    random = np.random.default_rng(seed)
    squares = np.zeros(x.shape[1])
    for _ in range(probes):
        shape = tuple(_last(function(x)).shape)
        direction = ops.convert_to_tensor(random.normal(size=shape).astype("float32"))
        (gradient,) = backend.vjp(lambda values: [_last(function(values))], [x], [direction])
        squares += np.sum(_numpy(gradient) ** 2, axis=-1).mean(axis=0)
    return np.sqrt(squares / probes)[::-1]


def influence_by_lag(function: Callable, inputs: Any, lags: Any) -> NDArray[np.float64]:
    """Returns how much the last output changes when the input at each lag is replaced by that of another row.

    Args:
        function, inputs: as in `gradient_by_lag`, at least two rows.
        lags: ints in [0, time).

    Returns:
        (lags,) root mean square change of y_T; 0 if the input has no influence.
    """
    x = np.asarray(inputs, "float32")
    unchanged = _numpy(_last(function(ops.convert_to_tensor(x))))
    found = []
    for lag in lags:
        changed = x.copy()
        changed[:, -1 - lag] = np.roll(x[:, -1 - lag], 1, axis=0)
        moved = _numpy(_last(function(ops.convert_to_tensor(changed)))) - unchanged
        found.append(np.sqrt(np.mean(moved**2)))
    return np.array(found)


def reach(curve: Any, share: float = 0.01) -> int:
    """Returns the largest lag at which the curve still has this fraction of its maximum."""
    curve = np.asarray(curve)
    return int(np.flatnonzero(curve >= share * curve.max())[-1])


def trace(layer: Any, sequence: Any) -> dict[str, NDArray[np.float32]]:
    """Records outputs, states and gates of a layer while it processes one sequence step by step.

    Args:
        layer: a built layer of this gallery. sequence: (time, features).

    Returns:
        "output" (time, units); "state 1", ... (time, n), the other states; and, if the layer has a method
        `gates(x, states)`, each gate under its letter (time, units).
    """
    states = layer.get_initial_state(1)
    rows: dict[str, list] = {}
    for x in np.asarray(sequence, "float32"):
        x = ops.convert_to_tensor(x[None])
        values = layer.gates(x, states) if hasattr(layer, "gates") else {}
        output, states = layer.step(x, states)
        values = {"output": output, **{f"state {n}": s for n, s in enumerate(states) if n}, **values}
        for name, value in values.items():
            rows.setdefault(name, []).append(_numpy(value)[0])
    return {name: np.stack(found) for name, found in rows.items()}


def _last(outputs: Any) -> Any:
    return outputs[:, -1] if len(outputs.shape) == 3 else outputs


def _numpy(tensor: Any) -> NDArray:
    return ops.convert_to_numpy(tensor)
