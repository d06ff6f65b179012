"""A recording of speech in, its transcript out, with the time and confidence of each word; also live."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
