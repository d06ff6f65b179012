"""A request in, an answer out: recognises intent and slots with confidences, calls a skill, or makes small talk."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
