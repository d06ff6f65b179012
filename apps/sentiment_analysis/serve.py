"""Keeps a run loaded, and classifies the texts of other programs or explains their labels."""

import dataclasses
from typing import Any

from shared import serve as service
from shared import settings
from shared.endpoints import TEXT, Endpoint

from .explain import described
from .options import Serve
from .predict import EXAMPLES, Predictor


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a request for an explanation may say: the label to explain; by default the most probable one."""

    label: str | None = None

    def __post_init__(self) -> None:
        """Rejects invalid options."""
        settings.check(self)


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)

    def explain(texts: list[str], label: str | None) -> list[dict[str, Any]]:
        return [described(predictor, text, label) for text in texts]

    example = {"inputs": EXAMPLES[:1]}
    verbs = {
        "predict": Endpoint(predictor, TEXT, example),
        "explain": Endpoint(explain, TEXT, example, Asked()),
    }
    service.run(verbs, options, str(predictor.run.path), predictor.warm_up)
