"""Keeps a run loaded and forecasts the series of other programs."""

import dataclasses

from shared import serve as service
from shared import settings
from shared.endpoints import Endpoint, content
from shared.settings import Count

from .options import Serve
from .predict import Predictor

SERIES = content("a CSV file of series, as for train --data", ".csv")


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a request may say: the number of steps to forecast; by default as in training."""

    horizon: Count | None = None

    def __post_init__(self) -> None:
        """Rejects invalid options."""
        settings.check(self)


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    example = predictor.run.file("example.csv")
    verbs = {"predict": Endpoint(predictor, SERIES, example, Asked())}
    service.run(verbs, options, str(predictor.run.path), lambda: example.exists() and predictor([example]))
