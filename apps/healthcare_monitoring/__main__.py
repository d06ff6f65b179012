"""python -m apps.healthcare_monitoring VERB: train, evaluate, predict, monitor."""

import sys

from shared import cli

from .config import Evaluate, Monitor, Predict, Train, recipe


def verbs() -> dict:
    """Each verb with its default options and the function that does it; --data and --recipe choose the defaults."""
    chosen = recipe(cli.peek(None, "--recipe", "") or None, cli.peek(None, "--data", "builtin"))
    return {
        "train": (Train(config=chosen), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "predict": (Predict(), "predict:predict"),
        "monitor": (Monitor(), "monitor:monitor"),
    }


if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
