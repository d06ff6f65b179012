"""Keeps a run loaded and translates the sentences of other programs."""

from shared import serve as service
from shared.endpoints import TEXT, Endpoint

from .options import Serve
from .predict import Predictor


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    example = {"inputs": predictor.examples[:1], "beam": 3}
    verbs = {"predict": Endpoint(predictor, TEXT, example, options.search)}
    service.run(verbs, options, str(predictor.run.path), lambda: predictor.warm_up(options.search))
