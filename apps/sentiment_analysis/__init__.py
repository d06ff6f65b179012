"""A text in, its sentiment out: negative, neutral or positive, with calibrated probabilities and an explanation."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
