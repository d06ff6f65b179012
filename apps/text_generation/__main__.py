"""python -m apps.text_generation COMMAND: train, evaluate, predict, stream, score, serve."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
