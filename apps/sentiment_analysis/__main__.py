"""python -m apps.sentiment_analysis VERB: train, evaluate, predict, explain, stream."""

import sys

from shared import cli

from .config import Evaluate, Explain, Predict, Stream, Train, recipe


def verbs() -> dict:
    """Each verb with its default options and the function that does it; --data and --recipe choose the defaults."""
    chosen = recipe(cli.peek(None, "--recipe", "") or None, cli.peek(None, "--data", "builtin"))
    return {
        "train": (Train(config=chosen), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "predict": (Predict(), "predict:predict"),
        "explain": (Explain(), "explain:explain"),
        "stream": (Stream(), "predict:stream"),
    }


if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
