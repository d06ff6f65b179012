"""python -m apps.speech_recognition VERB: train, evaluate, predict (transcribe), stream, serve."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
