"""Daily stock prices in; volatility of the next 1, 5 and 22 days and probability of a rise out; backtest with costs."""
