"""Keeps a run loaded and answers the questions of other programs."""

import re
from collections.abc import Sequence
from typing import Any

from shared import InputError
from shared import serve as service
from shared.endpoints import OBJECT, Endpoint

from .options import Serve
from .predict import Predictor
from .questions import NUMBERS

EXAMPLES = {
    "adding": {"values": [0.1, 0.9, 0.4, 0.7], "markers": [1, 3]},
    "copy": {"input": "abcabhgfed"},
}
LONGEST = 100_000  # lag, so that no request takes all memory
A_DIGIT = {"input": "7"}  # of the test part; or 64 numbers


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    task = predictor.run.config["data"]

    def answer(questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        for given in questions:
            check(given, task)
        return predictor(questions)

    example = EXAMPLES.get(task, A_DIGIT)
    verbs = {"predict": Endpoint(answer, OBJECT, {"inputs": [example]})}
    service.run(verbs, options, f"{predictor.run.path}, trained on {task}", lambda: answer([example]))


def check(given: dict[str, Any], task: str) -> None:
    """Raises InputError for a question that must not come from other programs: a file's path, or an endless lag."""
    text, lag = given.get("input", ""), given.get("lag") or 0
    if task not in EXAMPLES and isinstance(text, str) and not re.fullmatch(rf"\d*|{NUMBERS.pattern}", text):
        raise InputError("input: expected a row of the test part or 64 numbers; files are read by predict only")
    if isinstance(lag, int) and lag > LONGEST:
        raise InputError(f"lag: expected at most {LONGEST:,}; received {lag:,}")
