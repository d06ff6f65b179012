"""Keeps a run loaded and transcribes the recordings of other programs."""

from pathlib import Path

from shared import serve as service
from shared.endpoints import Endpoint, binary

from .options import Serve
from .predict import Predictor

EXAMPLE = Path(__file__).parent / "examples/recordings/anna1.ogg"
RECORDING = binary("a WAV, FLAC or OGG file", ".wav")  # the content tells which of them it is


def serve(options: Serve) -> None:
    """Runs the serve command."""
    predictor = Predictor.load(options.run)
    verbs = {"predict": Endpoint(predictor, RECORDING, EXAMPLE, options.decoding)}
    service.run(verbs, options, str(predictor.run.path), predictor.warm_up)
