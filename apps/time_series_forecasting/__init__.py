"""Time series in, forecasts of many steps out, each with an interval that holds what it promises."""
