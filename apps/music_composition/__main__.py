"""python -m apps.music_composition COMMAND: train, evaluate, compose, harmonise, continue, score, serve."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
