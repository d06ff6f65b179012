"""Keeps a run loaded, and continues the texts of other programs or scores them."""

from typing import Any

from shared import InputError
from shared import serve as service
from shared.endpoints import TEXT, Endpoint

from . import data
from .options import Serve
from .predict import Predictor
from .score import described

LONGEST = 10_000  # tokens of one answer, so that no request keeps the others waiting for minutes


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)

    def write(prompts: list[str], length: int, **sampling: Any) -> list[dict[str, Any]]:
        if len(prompts) * length > LONGEST:
            raise InputError(f"Expected at most {LONGEST:,} tokens in all. Received: {len(prompts)} x {length:,}")
        return predictor(prompts, length=length, **sampling)

    def score(texts: list[str]) -> list[dict[str, Any]]:
        return [described(predictor, text) for text in texts]

    example = {"inputs": [data.prompt(predictor.run.info()["example"])]}
    verbs = {
        "predict": Endpoint(write, TEXT, {**example, "temperature": 0.5, "seed": 1}, options.sampling),
        "score": Endpoint(score, TEXT, example),
    }
    service.run(verbs, options, str(predictor.run.path), lambda: predictor.warm_up(options.sampling))
