"""Keeps a run loaded and classifies the texts of other programs."""

from shared import serve as service
from shared.endpoints import TEXT, Endpoint

from .options import Serve
from .predict import EXAMPLES, Predictor


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    verbs = {"predict": Endpoint(predictor, TEXT, {"inputs": EXAMPLES[:1]})}
    service.run(verbs, options, str(predictor.run.path), predictor.warm_up)
