"""python -m apps.time_series_forecasting COMMAND: train, evaluate, predict, backtest, stream, serve."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main(__package__, verbs))
