"""Loads a trained run and predicts from daily bars: volatility with intervals, and the probability of a rise."""

import csv
import dataclasses
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import expit

from shared import InputError, files, lines, runs

from . import baselines
from .config import APP, HORIZONS, WARNING, Config
from .data import Data, Refit, laid_out, say
from .features import WARM_UP
from .model import FREEDOM, MEAN, SCALE, UP, log_variances, outputs, shrunk
from .options import Predict
from .sources import read_source
from .trading import YEAR

CALIBRATION = "calibration.json"
EXAMPLE = "example.csv"
SHARES = "shares.json"  # of a refit, see `model.shrunk`
REFITS = "refits.json"  # number of trained refits; model.keras of the run is the last one
LEVEL = 0.9  # coverage of the intervals
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclasses.dataclass(frozen=True)
class Forecast:
    """The predictions after the last bar of a ticker; volatilities in per cent per day.

    Attributes:
        day, close: date and price of the last bar.
        volatility: from the mean variance of the next 1, 5, 22 days. low, high: 90 % interval of the realised one.
        returns: 90 % interval of the next return, in per cent. up: probability that it is positive.
    """

    ticker: str
    day: str
    close: float
    volatility: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    returns: tuple[float, float]
    up: float


class Predictor:
    """A trained run, ready for inference: forecasts from daily bars."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info = run, run.info()
        self.config = run.settings(Config)
        self.model = run.load_model()
        self.last = int(runs.read_json(run.file(REFITS), dict)["trained"]) - 1  # the refit to which the model belongs
        saved = run.file(CALIBRATION)
        self.calibration = runs.read_json(saved, dict) if saved.exists() else {"tickers": {}, "pooled": [1.0] * 3}

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, bars: Sequence[str | Path]) -> list[dict[str, Any]]:
        """Predicts after the last bar of each ticker in each CSV file, see `answer`.

        Raises:
            InputError: a file is invalid, or has too few bars.
        """
        return [
            answer(self.forecasts(read_bars(str(path), self.info))) for path in lines.several(bars, str | Path, "paths")
        ]

    def outputs(self, data: Data, number: int) -> np.ndarray:
        """Returns the outputs of a refit's network for each day: (tickers, days, outputs), see `model.build`.

        Raises:
            InputError: that refit is not trained yet.
        """
        if number > self.last:
            command = runs.training(APP)
            raise InputError(f"{self.run.path}: refit {number + 1} is not trained yet. Resume with: {command}")
        model = self.model if number == self.last else model_of(self.run, number)
        return outputs(model, data.scaled(number))

    def variance(self, data: Data, refit: Refit) -> np.ndarray:
        """(horizons, tickers, days): the network's variances before calibration; a method like those of `baselines`."""
        return variances(self.outputs(data, refit.number))

    def calibrate(self, data: Data) -> None:
        """Saves each ticker's calibration factor and the quantiles of realised over predicted variance."""
        refit = data.refits[-1]
        raw = self.variance(data, refit)
        factor = baselines.factors(raw, data, refit)
        valid = data.valid(refit)
        ratio = data.targets.variance / (raw * factor[..., None])
        self.calibration = {
            "tickers": {name: factor[:, number].tolist() for number, name in enumerate(data.bars.tickers)},
            "pooled": factor.mean(axis=1).tolist(),
            "ratios": [np.quantile(ratio[n][valid[n]], TAILS).tolist() for n in range(len(HORIZONS))],
        }
        files.write_json(self.run.file(CALIBRATION), self.calibration)

    def forecasts(self, data: Data) -> list[Forecast]:
        """Returns a forecast after the last bar of each ticker."""
        found = self.outputs(data, self.last)
        raw = variances(found)
        ratios = np.array(self.calibration.get("ratios", [[1.0, 1.0]] * len(HORIZONS)))
        forecasts = []
        for number, ticker in enumerate(data.bars.tickers):
            last = np.flatnonzero(data.series.traded[number])[-1]
            factor = np.array(self.calibration["tickers"].get(ticker, self.calibration["pooled"]))
            variance = raw[:, number, last] * factor
            low, high = returns_interval(found[number, last])
            forecasts.append(
                Forecast(
                    ticker,
                    str(data.bars.days[last]),
                    float(data.bars.close[number, last]),
                    tuple(np.sqrt(variance)),
                    tuple(np.sqrt(variance * ratios[:, 0])),
                    tuple(np.sqrt(variance * ratios[:, 1])),
                    (float(low), float(high)),
                    float(expit(found[number, last, UP])),
                )
            )
        return forecasts


def part_of(run: runs.Run, number: int) -> runs.Run:
    """Returns the subfolder of one refit in a run, with its own model and checkpoint."""
    return dataclasses.replace(run, path=run.path / f"refit_{number + 1}", fresh=False)


def model_of(run: runs.Run, number: int) -> Any:
    """Loads the finished model of one refit."""
    part = part_of(run, number)
    model = part.load_model()
    shrunk(model, runs.read_json(part.file(SHARES), dict)["shares"])
    return model


def variances(found: np.ndarray) -> np.ndarray:
    """Converts outputs (tickers, days, outputs) to variances (horizons, tickers, days)."""
    return np.exp(np.moveaxis(log_variances(found), -1, 0))


def returns_interval(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the 90 % interval of the next return, from the Student-t outputs (..., outputs)."""
    degrees = 2.5 + np.logaddexp(0, found[..., FREEDOM] + 2.0)
    scale = np.exp(found[..., SCALE]) * np.sqrt((degrees - 2) / degrees)
    low, high = (found[..., MEAN] + scale * stats.t.ppf(tail, degrees) for tail in TAILS)
    return low, high


def predict(options: Predict) -> None:
    """Runs the predict command: prints a few lines of plain text per ticker."""
    run = runs.find(APP, options.run)
    data = read_bars(options.bars, run)  # before the model is loaded, which takes longer
    predictor = Predictor(run)
    found = predictor.forecasts(data)
    if options.out:
        files.write_text(Path(options.out), table_of(found))
    if options.json:
        print(json.dumps(answer(found), ensure_ascii=False))
        print(WARNING, file=sys.stderr)
        return
    for forecast in found:
        print(described(forecast))
    if options.out:
        print(f"Written to {options.out}")
    print(WARNING)


def read_bars(path: str, info: dict) -> Data:
    """Reads and prepares bars for a trained run.

    Raises:
        InputError: there are too few days, or one ticker for a run that was trained on several.
    """
    found = read_source(path)
    for number, ticker in enumerate(found.tickers):
        count = int(np.isfinite(found.close[number]).sum())
        if count <= WARM_UP:
            raise InputError(f"{path}: expected more than {WARM_UP} bars of {ticker} to predict from; received {count}")
    data = laid_out(found, (), {"source": path, "refits": info["refits"]})
    if data.info["inputs"] != info["inputs"]:
        wanted = "several tickers, since it reads their average" if len(info["tickers"]) > 1 else "one ticker a file"
        raise InputError(f"{path}: the run was trained on {wanted}; received {', '.join(found.tickers)}")
    say(found.notes)
    return data


def answer(found: Sequence[Forecast]) -> dict[str, Any]:
    """Returns the forecasts of all tickers as plain values: daily volatilities and returns in per cent."""
    return {
        "tickers": [
            {
                "ticker": each.ticker,
                "day": each.day,
                "close": each.close,
                "volatility": [
                    {"days": days, "predicted": float(middle), "low": float(low), "high": float(high)}
                    for days, middle, low, high in zip(HORIZONS, each.volatility, each.low, each.high, strict=True)
                ],
                "next_return": {"low": each.returns[0], "high": each.returns[1]},
                "probability_up": each.up,
            }
            for each in found
        ]
    }


def described(found: Forecast) -> str:
    """Formats a forecast as plain text."""
    said = [f"{found.ticker}, after the Close of {found.day} at {found.close:,.2f}:"]
    for place, horizon in enumerate(HORIZONS):
        when = "next day" if horizon == 1 else f"next {horizon} days"
        said.append(
            f"  volatility, {when:12} {found.volatility[place]:5.2f} % a day (90 %: {found.low[place]:.2f} to "
            f"{found.high[place]:.2f}), {found.volatility[place] * YEAR**0.5:5.1f} % a year"
        )
    low, high = found.returns
    said.append(f"  next day's return, 90 %: {low:+.2f} % to {high:+.2f} %; probability of a rise {found.up:.3f}")
    return "\n".join(said)


def table_of(found: list[Forecast]) -> str:
    """Formats forecasts as CSV: ticker, day, horizon_days, volatility_percent (daily), low, high, probability_up."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["ticker", "day", "horizon_days", "volatility_percent", "low", "high", "probability_up"])
    for each in found:
        for place, horizon in enumerate(HORIZONS):
            numbers = [f"{values[place]:.6f}" for values in (each.volatility, each.low, each.high)]
            rows.writerow([each.ticker, each.day, horizon, *numbers, f"{each.up:.6f}" if horizon == 1 else ""])
    return text.getvalue()


def show_example(predictor: Predictor, data: Data) -> None:
    """Prints the forecast after the last bar of the first ticker; saves all bars as an example file for `predict`."""
    found, cells = data.bars, ["date,open,high,low,close,volume,name"]
    for number, ticker in enumerate(found.tickers):
        for day in np.flatnonzero(data.series.traded[number]):
            values = (getattr(found, name)[number, day] for name in ("open", "high", "low", "close", "volume"))
            said = ",".join("" if np.isnan(value) else f"{value:.10g}" for value in values)
            cells.append(f"{found.days[day]},{said},{ticker}")
    files.write_text(predictor.run.file(EXAMPLE), "\n".join(cells) + "\n")
    print(f"\n{described(predictor.forecasts(data)[0])}")
