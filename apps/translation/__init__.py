"""A sentence in one language in, its translation out: encoder, decoder with attention, beam search over subwords."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
