"""How far back a trained network depends on its inputs, and its states and gates over one sequence."""

from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from shared import plots, runs
from shared.data.wording import sized
from shared.layers import diagnostics

from .config import APP, Config
from .data import load
from .options import Reach
from .predict import Predictor

ROWS, LAGS = 32, 24  # number of sequences and of lags
WIDEST = 64  # maximum number of units to plot
# What the gates do, see `shared.layers`; a and b are those of the linear recurrences.
GATES = {
    "z": "update gate z: 1 keeps the state, 0 replaces it by the candidate",
    "r": "reset gate r: 0 hides the state from the candidate",
    "g": "candidate g: what may be written into the state",
    "i": "input gate i: 1 writes the candidate into the state",
    "f": "forget gate f: 1 keeps the state, 0 forgets it",
    "o": "output gate o: 1 lets the state out",
    "a": "a: the share of the state that is kept",
    "b": "b: what is added to the state",
}
SHARES = "zrifoa"  # gates from 0 to 1; all else is drawn symmetrically around 0


def reach(options: Reach) -> None:
    """Runs the reach command: prints how far back the answer depends on the input; plots reach.png and gates.png."""
    run = runs.find(APP, options.run)
    data = load(run.settings(Config))
    run.check(data.info)
    model, (inputs, _) = Predictor(run).model, data.test
    length = inputs.shape[1]
    gradient = diagnostics.gradient_by_lag(model, inputs[:ROWS])
    lags = np.unique(np.geomspace(1, length, LAGS).round().astype(int)) - 1
    influence = diagnostics.influence_by_lag(model, inputs[:ROWS], lags)
    print(f"{run.path}: {run.config['arch']}, {length} steps")
    by_gradient, last = diagnostics.reach(gradient), lags[diagnostics.reach(influence)]
    back, last_back = sized(int(by_gradient), "steps"), sized(int(last), "steps")
    print(f"  the gradient with respect to the input exceeds 1 % of its maximum up to {back} back")
    print(f"  the change of the answer to a replaced input exceeds 1 % of its maximum up to {last_back} back")
    curves = {"gradient": (np.arange(length), gradient), "input replaced": (lags, influence)}
    for picture, figure in (
        ("reach.png", by_lag(curves, run.config["arch"])),
        ("gates.png", maps(traced(model, inputs[0]), inputs[0], run.config["arch"])),
    ):
        plots.save(figure, run.file(picture))
        print(f"Picture: {run.file(picture)}")


def by_lag(curves: dict[str, tuple[np.ndarray, np.ndarray]], arch: str) -> Figure:
    """Plots each curve over the lag, relative to its maximum."""
    figure, axes = plots.new_figure(f"{arch}: how much the answer depends on each input")
    for name, (lags, values) in curves.items():
        axes.plot(lags, values / max(values.max(), np.finfo(float).tiny), marker=".", markersize=3, label=name)
    axes.axhline(0.01, color="k", linestyle=":", label="1 %")
    axes.set(xlabel="steps back from the end", ylabel="share of the largest", yscale="log", ylim=(1e-6, 2))
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def traced(model: keras.Model, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Returns states and gates (time, units) of the first recurrent layer for one sequence (time, features)."""
    layer = model.get_layer("recurrent_0")
    read = keras.Model(model.input, layer.input)(inputs[None])  # the output of the layers before it
    return diagnostics.trace(layer, keras.ops.convert_to_numpy(read)[0])


def maps(found: dict[str, Any], inputs: np.ndarray, arch: str) -> Figure:
    """Plots heat maps one below the other: the inputs, then each state and gate, units over time."""
    rows = {"input": inputs, **found}
    figure, first = plots.new_figure("", size=(8.0, 1.5 * len(rows)))
    first.remove()
    figure.suptitle(
        f"{arch}, first layer: states and gates over one sequence\none row for each unit, one column for each step"
    )
    for axes, (name, values) in zip(figure.subplots(len(rows), sharex=True), rows.items(), strict=True):
        most = float(np.abs(values).max()) or 1.0
        low, high = (min(0.0, float(values.min())), max(1.0, most)) if name in SHARES else (-most, most)
        drawn = axes.imshow(
            values[:, :WIDEST].T, aspect="auto", cmap="coolwarm", interpolation="nearest", vmin=low, vmax=high
        )
        axes.set_title(GATES.get(name, name), size=9, loc="left")
        axes.set_yticks([])
        figure.colorbar(drawn, ax=axes)
    axes.set_xlabel("step")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return figure
