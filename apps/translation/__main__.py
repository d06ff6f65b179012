"""python -m apps.translation COMMAND: train, evaluate, predict (or translate), score, stream, serve."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
