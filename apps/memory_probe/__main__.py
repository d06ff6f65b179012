"""python -m apps.memory_probe VERB: train, evaluate, predict, reach, sweep."""

import sys

from shared import cli

from .config import Evaluate, Predict, Reach, Sweep, Train, recipe


def verbs() -> dict:
    """Each verb with its default options and the function that does it; --data and --recipe choose the defaults."""
    chosen = recipe(cli.peek(None, "--recipe", "") or None, cli.peek(None, "--data", "builtin"))
    return {
        "train": (Train(config=chosen), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "predict": (Predict(), "predict:predict"),
        "reach": (Reach(), "reach:reach"),
        "sweep": (Sweep(config=chosen), "sweep:sweep"),
    }


if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
