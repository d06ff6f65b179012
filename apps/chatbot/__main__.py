"""python -m apps.chatbot COMMAND: train, evaluate, predict, stream, chat, train-talk, evaluate-talk, serve."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
