"""Keeps a run loaded and composes for other programs."""

from shared import serve as service
from shared.endpoints import OBJECT, Endpoint

from .compose import WISHES
from .options import Serve
from .predict import Predictor

EXAMPLE = {"key": "G major", "bars": 8, "seed": 1}


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    verbs = {"predict": Endpoint(predictor, OBJECT, {"inputs": [EXAMPLE]})}
    title = f"{predictor.run.path}: composes; an input has any of {', '.join(WISHES)}"
    service.run(verbs, options, title, lambda: predictor([EXAMPLE]))
