"""Frames of a video in, the next frames out, as many as you like, from a file or a live stream."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
