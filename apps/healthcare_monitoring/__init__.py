"""Irregular, incomplete patient records in; a calibrated risk at every moment out, with the variables that raise it."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
