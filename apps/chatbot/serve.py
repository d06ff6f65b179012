"""Keeps a run loaded and tells other programs the intents and slots of requests."""

from shared import serve as service
from shared.endpoints import TEXT, Endpoint

from .options import Serve
from .predict import Predictor

EXAMPLE = "wake me up at seven"


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    verbs = {"predict": Endpoint(predictor, TEXT, {"inputs": [EXAMPLE]})}
    service.run(verbs, options, str(predictor.run.path), predictor.warm_up)
