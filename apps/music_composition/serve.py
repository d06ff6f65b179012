"""Keeps a run loaded, and composes or harmonises for other programs."""

import dataclasses
from pathlib import Path
from typing import Any

from shared import serve as service
from shared import settings
from shared.endpoints import OBJECT, Endpoint, content
from shared.settings import Seed

from .compose import WISHES, described, harmony
from .options import Harmonise, Serve, Tempo, Width
from .predict import Predictor

EXAMPLE = {"key": "G major", "bars": 8, "seed": 1}
MELODY = content("a melody in ABC notation", ".abc")


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a request to harmonise may say, see the command."""

    key: str = ""
    beam: Width = 8
    seed: Seed | None = None
    tempo: Tempo = 84
    free: bool = False
    any_ending: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options."""
        settings.check(self)


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)

    def harmonise(melodies: list[Path], **asked: Any) -> list[dict[str, Any]]:
        found = []
        for number, melody in enumerate(melodies):
            own = asked | {"seed": settings.seed_of(asked["seed"], number)}
            seed, piece, _ = harmony(predictor, settings.changed(Harmonise(melody=str(melody)), own))
            found.append(described(piece, seed, asked["tempo"]))
        return found

    verbs = {
        "predict": Endpoint(predictor, OBJECT, {"inputs": [EXAMPLE]}),
        "harmonise": Endpoint(harmonise, MELODY, Path("melody.abc"), Asked()),
    }
    title = f"{predictor.run.path}. An input of predict has any of {', '.join(WISHES)}."
    service.run(verbs, options, title, lambda: predictor([EXAMPLE | {"free": True}]))
