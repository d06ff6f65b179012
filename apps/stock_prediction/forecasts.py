"""The forecast after a ticker's last bar: as text, as plain values and as CSV."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

from .config import HORIZONS, WARNING
from .intervals import LEVEL

UNIT = "per cent a day"  # of volatilities and returns
COLUMNS = (
    *("ticker", "day", "horizon_days", "volatility_percent_a_day", "low_percent_a_day", "high_percent_a_day"),
    "probability_up",
)


@dataclasses.dataclass(frozen=True)
class Forecast:
    """The predictions after the last bar of a ticker; volatilities in per cent per day.

    Attributes:
        day, close: date and price of the last bar.
        volatility: from the mean variance of the next 1, 5, 22 days.
        low, high: 90 % interval of the realised one; None as long as the training of the run is not finished.
        returns: 90 % interval of the next return, in per cent. up: probability that it is positive.
    """

    ticker: str
    day: str
    close: float
    volatility: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    returns: tuple[float, float]
    up: float


def answer(found: Sequence[Forecast], per_year: int, cautions: Sequence[str]) -> dict[str, Any]:
    """Returns the forecasts of all tickers as plain values, and what is to be known about them."""
    return {
        "tickers": [
            {
                "ticker": each.ticker,
                "day": each.day,
                "close": each.close,
                "volatility": [
                    {"days": days, "predicted": middle, "low": low, "high": high}
                    for days, middle, low, high in zip(HORIZONS, each.volatility, each.low, each.high, strict=True)
                ],
                "next_return": {"low": each.returns[0], "high": each.returns[1]},
                "probability_up": each.up,
            }
            for each in found
        ],
        "unit": UNIT,
        "coverage": LEVEL,
        "bars_per_year": per_year,
        "cautions": list(cautions),
        "notice": WARNING,
    }


def described(found: Forecast, per_year: int) -> str:
    """Formats a forecast as plain text."""
    said = [f"{found.ticker}, after the Close of {found.day} at {found.close:,.2f}:"]
    for days, volatility, low, high in zip(HORIZONS, found.volatility, found.low, found.high, strict=True):
        when = "next day" if days == 1 else f"next {days} days"
        interval = "no interval" if low is None else f"{100 * LEVEL:.0f} %: {low:.2f} to {high:.2f}"
        said.append(
            f"  volatility, {when:12} {volatility:5.2f} % a day ({interval}), "
            f"{volatility * per_year**0.5:5.1f} % a year"
        )
    low, high = found.returns
    said.append(f"  next day's return, 90 %: {low:+.2f} % to {high:+.2f} %; probability of a rise {found.up:.3f}")
    return "\n".join(said)


def table_of(found: Sequence[Forecast]) -> str:
    """Formats forecasts as CSV with the columns `COLUMNS`, one row for each ticker and horizon."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for each in found:
        for days, *numbers in zip(HORIZONS, each.volatility, each.low, each.high, strict=True):
            cells = ["" if number is None else f"{number:.6f}" for number in numbers]
            rows.writerow([each.ticker, each.day, days, *cells, f"{each.up:.6f}" if days == 1 else ""])
    return text.getvalue()
