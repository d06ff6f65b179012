"""Daily bars of shares in; volatility of the next 1, 5 and 22 days and the odds of a rise out, tested after costs."""
