"""Keeps a run loaded and tells other programs the risks of patients."""

import dataclasses
import sys

from shared import serve as service
from shared import settings
from shared.endpoints import Endpoint, content
from shared.settings import Whole

from .options import Serve
from .predict import REASONS, WARNING, Predictor

RECORDS = content("a CSV file with the columns time, variable, value, and patient if there are several", ".csv")


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a request may say: the number of variables that raise the risk, for each patient."""

    reasons: Whole = REASONS

    def __post_init__(self) -> None:
        """Rejects invalid options."""
        settings.check(self)


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    print(WARNING, file=sys.stderr)
    example = predictor.run.file("example.csv")
    verbs = {"predict": Endpoint(predictor, RECORDS, example, Asked())}
    service.run(verbs, options, f"{predictor.run.path}: {WARNING}", lambda: example.exists() and predictor([example]))
