"""Time series in, multi-step forecasts out, with quantiles and adaptive prediction intervals."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
