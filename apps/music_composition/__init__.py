"""Music in, four-voice music out: composes chorales, harmonises melodies, continues pieces, measures surprise."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
