"""Text in, more text of the same kind out: a character-level or word-level language model."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
