"""Keeps a run loaded and predicts the next frames of the clips of other programs."""

import dataclasses
from pathlib import Path
from typing import Any

from shared import InputError, settings
from shared import serve as service
from shared.endpoints import Endpoint, binary

from .options import Ahead, Serve
from .predict import Predictor, as_json

CLIP = binary("a video file (mp4, gif, avi, ...)", ".mp4")  # the content tells which of them it is
EXAMPLE = Path(__file__).parent / "examples/clips/ball.mp4"


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a request may say: the number of frames to predict; 0 = as in training."""

    frames: Ahead = 0

    def __post_init__(self) -> None:
        """Rejects invalid options."""
        settings.check(self)


def answers(predictor: Predictor, videos: list[str | Path], frames: int = 0) -> list[dict[str, Any]]:
    """Returns the answer for each video, see `predict.as_json`. Raises InputError if one is a folder of several."""
    found = [predictor([video], frames) for video in videos]
    for video, some in zip(videos, found, strict=True):
        if len(some) != 1:
            raise InputError(f"{video}: expected one clip; it has {len(some)}")
    return [as_json(answer) for (answer,) in found]


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)

    def answer(videos: list[str | Path], frames: int = 0) -> list[dict[str, Any]]:
        return answers(predictor, videos, frames)

    verbs = {"predict": Endpoint(answer, CLIP, EXAMPLE, Asked(options.frames))}
    service.run(verbs, options, str(predictor.run.path), lambda: answer([EXAMPLE]))
