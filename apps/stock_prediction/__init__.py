"""Daily bars of shares in; the volatility of the next 1, 5 and 22 days and the odds of a rise out, with a backtest after costs."""
