"""python -m apps.music_composition VERB: train, evaluate, compose, harmonise, continue, score."""

import sys

from shared import cli

from .config import Compose, Continue, Evaluate, Harmonise, Score, Train, recipe


def verbs() -> dict:
    """Each verb with its default options and the function that does it; --data and --recipe choose the defaults."""
    chosen = recipe(cli.peek(None, "--recipe", "") or None, cli.peek(None, "--data", "builtin"))
    return {
        "train": (Train(config=chosen), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "compose": (Compose(), "predict:compose"),
        "harmonise": (Harmonise(), "predict:harmonise"),
        "continue": (Continue(), "predict:go_on"),
        "score": (Score(), "score:score"),
    }


if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
