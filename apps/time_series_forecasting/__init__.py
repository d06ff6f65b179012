"""Time series in, multi-step forecasts out, with quantiles and adaptive prediction intervals."""
