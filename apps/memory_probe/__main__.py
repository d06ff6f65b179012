"""python -m apps.memory_probe COMMAND: train, evaluate, predict, reach, sweep, serve."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
