"""Keeps a run loaded and predicts from the daily bars of other programs."""

import sys

from shared import serve as service
from shared.endpoints import Endpoint, content

from .config import WARNING
from .options import Serve
from .predict import EXAMPLE, Predictor

BARS = content("a CSV file with the columns date, open, high, low, close, and name for several tickers", ".csv")


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    print(WARNING, file=sys.stderr)
    example = predictor.run.file(EXAMPLE)
    verbs = {"predict": Endpoint(predictor, BARS, example)}
    service.run(verbs, options, f"{predictor.run.path}: {WARNING}", lambda: example.exists() and predictor([example]))
