"""python -m apps.translation VERB: train, evaluate, translate, score, serve-lines."""

import sys

from shared import cli

from .config import Evaluate, Score, ServeLines, Train, Translate, recipe


def verbs() -> dict:
    """Each verb with its default options and the function that does it; --data and --recipe choose the defaults."""
    chosen = recipe(cli.peek(None, "--recipe", "") or None, cli.peek(None, "--data", "builtin"))
    return {
        "train": (Train(config=chosen), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "translate": (Translate(), "predict:translate"),
        "score": (Score(), "score:score"),
        "serve-lines": (ServeLines(), "predict:serve_lines"),
    }


if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
