"""Loads a trained run and predicts from daily bars: volatility with intervals, and the probability of a rise."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from shared import InputError, files, lines, runs

from . import baselines, intervals
from .cautions import cautions
from .config import APP, HORIZONS, WARNING, Config
from .data import Data, Refit, check_tickers, laid_out, say
from .features import WARM_UP
from .forecasts import Forecast, answer, described, table_of
from .model import UP, log_variances, outputs, shrunk
from .options import Predict
from .sources import read_source

CALIBRATION = "calibration.json"
EXAMPLE = "example.csv"
SHARES = "shares.json"  # of a refit, see `model.shrunk`
REFITS = "refits.json"  # number of trained refits; model.keras of the run is the last one
NOT_CALIBRATED = {"tickers": {}, "pooled": [1.0] * len(HORIZONS), "ratios": [[None, None]] * len(HORIZONS)}
NOT_FINISHED = (
    "the training of the run is not finished: no intervals of the volatility, which are calibrated at its end"
)


class Predictor:
    """A trained run, ready for inference: forecasts from daily bars."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info = run, run.info()
        self.config = run.settings(Config)
        self.model = run.load_model()
        self.last = int(runs.read_json(run.file(REFITS), dict)["trained"]) - 1  # the refit to which the model belongs
        saved = run.file(CALIBRATION)  # written at the end of training
        self.calibration = runs.read_json(saved, dict) if saved.exists() else NOT_CALIBRATED

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, bars: Sequence[str | Path]) -> list[dict[str, Any]]:
        """Predicts after the last bar of each ticker in each CSV file, see `forecasts.answer`.

        Raises:
            InputError: a file is invalid, or has too few bars.
        """
        panels = (read_bars(str(path), self.run) for path in lines.several(bars, str | Path, "paths"))
        return [answer(self.forecasts(data), data.bars.per_year, self.cautions(data)) for data in panels]

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
        self.calibration = {
            "tickers": {name: factor[:, number].tolist() for number, name in enumerate(data.bars.tickers)},
            "pooled": factor.mean(axis=1).tolist(),
            "ratios": intervals.ratios(data, refit, raw).tolist(),
        }
        files.write_json(self.run.file(CALIBRATION), self.calibration)

    def cautions(self, data: Data) -> list[str]:
        """Returns why its forecasts for these bars may be unreliable, one line for each reason."""
        unfinished = [NOT_FINISHED] if self.calibration is NOT_CALIBRATED else []
        return [*cautions(data, self.info), *unfinished]

    def forecasts(self, data: Data) -> list[Forecast]:
        """Returns a forecast after the last bar of each ticker."""
        found = self.outputs(data, self.last)
        raw = variances(found)
        low, high = np.array(self.calibration["ratios"], float).T  # NaN if not calibrated
        forecasts = []
        for number, ticker in enumerate(data.bars.tickers):
            last = np.flatnonzero(data.series.traded[number])[-1]
            factor = np.array(self.calibration["tickers"].get(ticker, self.calibration["pooled"]))
            variance = raw[:, number, last] * factor
            returns = intervals.of_return(found[number, last])
            forecasts.append(
                Forecast(
                    ticker,
                    str(data.bars.days[last]),
                    float(data.bars.close[number, last]),
                    known(np.sqrt(variance)),
                    known(np.sqrt(variance * low)),
                    known(np.sqrt(variance * high)),
                    (float(returns[0]), float(returns[1])),
                    float(expit(found[number, last, UP])),
                )
            )
        return forecasts


def known(values: np.ndarray) -> tuple[float | None, ...]:
    """Returns the values as plain numbers, None for NaN."""
    return tuple(None if np.isnan(value) else float(value) for value in values)


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


def predict(options: Predict) -> None:
    """Runs the predict command: prints a few lines of plain text per ticker."""
    run = runs.find(APP, options.run)
    data = read_bars(options.bars, run)  # before the model is loaded, which takes longer
    predictor = Predictor(run)
    found, cautions = predictor.forecasts(data), predictor.cautions(data)
    per_year = data.bars.per_year
    say(options.bars, cautions)
    if options.out:
        files.write_text(Path(options.out), table_of(found))
    if options.json:
        print(json.dumps(answer(found, per_year, cautions), ensure_ascii=False))
        print(WARNING, file=sys.stderr)
        return
    for forecast in found:
        print(described(forecast, per_year))
    print(f"A year is counted as {per_year} bars.")
    if options.out:
        print(f"Written to {options.out}")
    print(WARNING)


def read_bars(path: str, run: runs.Run) -> Data:
    """Reads and prepares bars for a trained run.

    Raises:
        InputError: there are too few days, none with a known variance, or one ticker for a run that was trained on
            several.
    """
    found, info = read_source(path), run.info()
    for number, ticker in enumerate(found.tickers):
        count = int(np.isfinite(found.close[number]).sum())
        if count <= WARM_UP:
            raise InputError(f"{path}: expected more than {WARM_UP} bars of {ticker} to predict from; received {count}")
    data = laid_out(found, (), {"source": path, "refits": info["refits"]})
    check_tickers(data, info, run.path.name)
    for ticker, variance, traded in zip(found.tickers, data.series.variance, data.series.traded, strict=True):
        if np.isnan(variance[traded][-WARM_UP:]).all():
            raise InputError(
                f"{path}: expected Open, High and Low in some of the last {WARM_UP} bars of {ticker}, since its "
                "volatility is measured by them; received none. Fill in these cells"
            )
    return data


def show_example(predictor: Predictor, data: Data) -> None:
    """Prints the forecast after the last bar of the first ticker; saves all bars as an example file for `predict`."""
    found, cells = data.bars, ["date,open,high,low,close,volume,name"]
    for number, ticker in enumerate(found.tickers):
        for day in np.flatnonzero(data.series.traded[number]):
            values = (getattr(found, name)[number, day] for name in ("open", "high", "low", "close", "volume"))
            said = ",".join("" if np.isnan(value) else f"{value:.10g}" for value in values)
            cells.append(f"{found.days[day]},{said},{ticker}")
    files.write_text(predictor.run.file(EXAMPLE), "\n".join(cells) + "\n")
    print(f"\n{described(predictor.forecasts(data)[0], found.per_year)}")
