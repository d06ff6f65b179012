"""Daily stock prices in; volatility of the next 1, 5 and 22 days and probability of a rise out; backtest with costs."""


def __getattr__(name: str) -> object:
    from shared.cli import predictor

    return predictor(__name__, name)
