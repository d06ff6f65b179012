"""python -m apps.stock_prediction COMMAND: train, evaluate, predict, backtest, serve."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
