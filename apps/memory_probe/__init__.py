"""A long sequence with a few relevant steps in, their content out: how far back does a network remember?"""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
