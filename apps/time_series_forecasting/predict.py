"""Loads a trained run and forecasts series: point, quantiles and interval of each step, in the data's units."""

import csv
import dataclasses
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from shared import InputError, files, lines, runs
from shared.layers import backend

from . import conformal, heads, unseen
from .cautions import cautions
from .config import APP, Config
from .data import Mine, as_read, read_for
from .early import forecast_out, steps_of
from .heads import LEVELS
from .model import BATCH, FEW, SOME
from .options import Predict
from .panel import Panel, warn
from .pictures import fan
from .ridge import normalised
from .windows import Windows

INTERVALS = "intervals.npz"
WIDE = 0.95  # nominal coverage of the interval scored by MSIS
DECILES = tuple(level for level in LEVELS if round(10 * level, 6) == round(10 * level))
LARGE, LARGEST = 1e5, 1e15  # numbers between them are printed whole
SHOWN = 4  # number of series in a plot, and of steps printed for each
COLUMNS = ("unique_id", "ds", "forecast", "low", "high")


@dataclasses.dataclass(frozen=True)
class Answer:
    """Forecasts of windows, scaled: point (rows, horizon); quantiles (rows, horizon, `LEVELS`), increasing."""

    point: np.ndarray
    quantiles: np.ndarray

    def interval(self, coverage: float) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ends (rows, horizon) of the interval with this nominal coverage, before calibration."""
        ends = heads.between(self.quantiles, ((1 - coverage) / 2, (1 + coverage) / 2))
        return ends[..., 0], ends[..., 1]


class Predictor:
    """A trained run, ready for inference."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info, self.config = run, run.info(), run.settings(Config)
        self.model = run.load_model()
        self.answer = backend.compiled(lambda inputs: self.model(inputs, training=False), self.model.variables)
        saved = run.file(INTERVALS)
        if saved.exists():
            self.calibrated = read_arrays(saved)
        else:  # training was interrupted
            horizon = self.config.horizon
            zeros = np.zeros((1, horizon, len(conformal.GRID)))
            self.calibrated = {"usual": zeros, "wide": zeros, "spread": np.zeros((1, horizon, len(LEVELS)))}

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, series: Sequence[str | Path], horizon: int | None = None) -> list[dict[str, Any]]:
        """Forecasts the series of each CSV file, by default as many steps as in training, see `described`.

        Raises:
            InputError: a file is invalid, or the horizon longer than in training.
        """
        steps = steps_of(horizon, self.run)
        panels = (read_for(str(path), self.info, self.config) for path in lines.several(series, str | Path, "paths"))
        return [described(forecast(self, panel, steps), self.config) for panel in panels]

    def numbers(self, windows: Windows) -> np.ndarray:
        """Returns the head's parameters for each window (windows, horizon, numbers), see `model.build`."""
        count, found = len(windows), []
        size = 1 if count <= FEW else SOME if count <= SOME else BATCH
        for start in range(0, count, size):
            rows = np.resize(np.arange(start, min(start + size, count)), size)
            answer = self.answer(windows.inputs(rows, self.config.lookback))  # always of these batch sizes
            found.append(np.asarray(keras.ops.convert_to_numpy(answer)))
        return np.concatenate(found)[:count]

    def answers(self, windows: Windows, scale: np.ndarray, size: int = BATCH) -> Iterator[tuple[np.ndarray, Answer]]:
        """Yields rows of the windows and their forecasts, batch by batch.

        Args:
            scale: (series,) the scale of each series.
        """
        for start in range(0, len(windows), size):
            rows = np.arange(start, min(start + size, len(windows)))
            some = windows.among(rows)
            yield rows, self.said(some, self.numbers(some), scale)

    def said(self, windows: Windows, numbers: np.ndarray, scale: np.ndarray) -> Answer:
        """Converts the head's parameters to a point forecast and quantiles."""
        head = self.config.head
        scales = scale[windows.who][:, None]
        point = heads.centre(head, numbers, scales)
        if head != "point":
            return Answer(point, heads.quantiles(head, numbers, LEVELS, scales))
        _, _, stretch = normalised(windows.past(), self.config.normalise, self.config.lookback)
        spread = self.calibrated["spread"][self.group(windows, "spread")]
        return Answer(point, point[..., None] + stretch[..., None] * spread)

    def group(self, windows: Windows, kind: str) -> np.ndarray:
        """Returns the calibration group of each window (windows,): its series, or the last one, pooled over all."""
        groups, code = len(self.calibrated[kind]), windows.code[windows.who]
        return np.where(code < groups - 1, code, groups - 1)

    def grid(self, windows: Windows, kind: str) -> np.ndarray:
        """Returns the score distribution of each window's calibration group, (windows, horizon, `GRID`)."""
        return self.calibrated[kind][self.group(windows, kind)]

    def intervals(
        self, windows: Windows, low: np.ndarray, high: np.ndarray, kind: str = "usual"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Converts the ends of `Answer.interval` to those of split conformal intervals, each (windows, horizon).

        Args:
            kind: "usual" intervals have the run's nominal coverage, "wide" ones 95 %.
        """
        coverage, grid = self.config.coverage if kind == "usual" else WIDE, self.calibrated[kind]
        by = conformal.looked_up(grid, np.full(grid.shape[:2], 1 - coverage))
        return conformal.stretched(low, high, by[self.group(windows, kind)])

    def counted(
        self, windows: Windows, answer: Answer, low: np.ndarray, high: np.ndarray, scale: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns intervals as they are printed, each (windows, horizon): those of counts end at whole numbers."""
        if self.config.head != "negative_binomial":
            return low, high
        scales = scale[windows.who][:, None]
        found = heads.around(low * scales, high * scales, answer.quantiles * scales[..., None], self.config.coverage)
        return found[0] / scales, found[1] / scales

    def calibrate(self, valid: Windows) -> None:
        """Computes and saves the conformal scores on validation windows, by step, and by series if all have enough."""
        scale, groups = np.array(self.info["scale"]), self._groups(valid)
        if self.config.head == "point":
            _, _, stretch = normalised(valid.past(), self.config.normalise, self.config.lookback)
            residuals = (valid.future() - self.numbers(valid)[..., 0]) / stretch
            self.calibrated["spread"] = np.array([np.quantile(residuals[rows], LEVELS, axis=0).T for rows in groups])
        found = {kind: np.empty((len(valid), self.config.horizon)) for kind in ("usual", "wide")}
        for rows, answer in self.answers(valid, scale):
            actual = valid.future(rows)
            for kind, coverage in (("usual", self.config.coverage), ("wide", WIDE)):
                found[kind][rows] = conformal.scores(*answer.interval(coverage), actual)
        observed = valid.observed()
        for kind, scores in found.items():
            grids = [conformal.grid_of(scores[rows], observed[rows]) for rows in groups]
            self.calibrated[kind] = np.array(grids)
        content = io.BytesIO()
        np.savez_compressed(content, **self.calibrated)
        files.write_bytes(self.run.file(INTERVALS), content.getvalue())

    def _groups(self, valid: Windows) -> list[np.ndarray]:
        """Returns the window indices of each series, if all have enough windows, then those of all together."""
        everything = np.arange(len(valid))
        each = [np.flatnonzero(valid.who == number) for number in range(len(self.info["names"]))]
        enough = all(conformal.enough(valid.observed(rows)) for rows in each)
        return [*each, everything] if enough else [everything]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Reads the arrays of an .npz file. Raises InputError if it is damaged."""
    try:
        # Read the bytes first, since NumPy does not close a damaged file
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}). {runs.TRAIN_AGAIN}") from error


@dataclasses.dataclass(frozen=True)
class Forecast:
    """Forecasts of the steps after the end of each series, in the data's units.

    point, low, high: (series, horizon); quantiles: (series, horizon, `LEVELS`). cautions: why they are less reliable.
    """

    mine: Mine
    point: np.ndarray
    low: np.ndarray
    high: np.ndarray
    quantiles: np.ndarray
    cautions: list[str]


def forecast(predictor: Predictor, panel: Panel, horizon: int) -> Forecast:
    """Forecasts the steps after the end of each series of a panel.

    Raises:
        InputError: a known column ends too early.
    """
    config = predictor.config
    panel = with_known(panel, config.horizon - horizon)
    mine = as_read(panel, predictor.info, config, future=config.horizon)
    windows = ends(mine, config)
    scale, shift = (np.array(mine.info[name])[:, None] for name in ("scale", "shift"))
    answer = predictor.said(windows, predictor.numbers(windows), scale[:, 0])
    narrow, wide = answer.interval(config.coverage)
    low, high = predictor.intervals(windows, narrow, wide)
    own = own_calibration(predictor, mine)
    for number, found in own.items():
        low[number], high[number] = conformal.stretched(narrow[number], wide[number], found.widths)
        away = answer.quantiles[number] - answer.point[number][:, None]
        answer.quantiles[number] = answer.point[number][:, None] + conformal.factor(found.widths)[:, None] * away
    low, high = predictor.counted(windows, answer, low, high, scale[:, 0])
    steps = slice(None, horizon)
    point, low, high = (scale * each[:, steps] + shift for each in (answer.point, low, high))
    quantiles = scale[..., None] * answer.quantiles[:, steps] + shift[..., None]
    behind = {number for number, found in own.items() if found.behind}
    if config.head == "negative_binomial":
        quantiles = np.maximum(np.rint(quantiles), 0)
    return Forecast(mine, point, low, high, quantiles, cautions(mine, own, predictor.info, behind))


def own_calibration(predictor: Predictor, mine: Mine) -> dict[int, unseen.Own]:
    """Calibrates the intervals of unseen series on their own past, see `unseen.calibrated`."""
    scale = np.array(mine.info["scale"])

    def forecasts(windows: Windows) -> unseen.Forecasts:
        answer = predictor.said(windows, predictor.numbers(windows), scale)
        return answer.point, *answer.interval(predictor.config.coverage)

    return unseen.calibrated(mine, predictor.config, forecasts)


def with_known(panel: Panel, missing: int) -> Panel:
    """Extends the known columns by the steps beyond the requested horizon, which the model reads nevertheless."""
    if not panel.known or not missing:
        return panel
    longer = [np.concatenate([s.known, np.repeat(s.known[-1:], missing, axis=0)]) for s in panel.series]
    series = [dataclasses.replace(s, known=known) for s, known in zip(panel.series, longer, strict=True)]
    return dataclasses.replace(panel, series=tuple(series))


def ends(mine: Mine, config: Config) -> Windows:
    """Returns the window at the end of each series."""
    at = np.array([len(s) + more for s, more in zip(mine.panel.series, mine.padded, strict=True)])
    return Windows(mine.store, np.arange(len(at)), at, mine.code, config.reach, config.horizon)


def predict(options: Predict) -> None:
    """Runs the predict command: writes the CSV file and the fan chart, and prints the first steps."""
    run = runs.find(APP, options.run)
    config = run.settings(Config)
    out = forecast_out(options.out, options.series, run, chart=not options.json)
    horizon = steps_of(options.horizon, run)
    panel = read_for(options.series, run.info(), config)
    found = forecast(Predictor(run), panel, horizon)
    if options.out or not options.json:
        files.write_text(out, table(found))
    if options.json:
        print(json.dumps(described(found, config), ensure_ascii=False))
        return
    picture = out.with_suffix(".png")
    fan(chart(found, config.coverage), picture)
    for number, series in enumerate(panel.series[:SHOWN]):
        print(describe(found, number, config.coverage, series.name))
    if len(panel.series) > SHOWN:
        print(f"... and {len(panel.series) - SHOWN:,} more series")
    warn(found.cautions)
    print(f"Written to {out} and {picture}")


def described(found: Forecast, config: Config) -> dict[str, Any]:
    """Returns the forecasts as plain values, with the columns of the CSV file, and why they may be less reliable."""
    steps: dict[str, list[dict[str, Any]]] = {series.name: [] for series in found.mine.panel.series}
    for row in csv.DictReader(io.StringIO(table(found))):
        name, at = (row.pop(column) for column in COLUMNS[:2])
        steps[name].append({COLUMNS[1]: at, **{column: float(value) for column, value in row.items()}})
    listed = [{COLUMNS[0]: name, "steps": some} for name, some in steps.items()]
    return {"series": listed, "coverage": config.coverage, "cautions": found.cautions}


def describe(found: Forecast, number: int, coverage: float, name: str) -> str:
    """Formats the first steps and the last step of a series' forecast."""
    series, steps = found.mine.panel.series[number], found.point.shape[1]
    lines = [f"{name}, last value {plain(series.values[-1])} at {series.clock.text(series.first + len(series) - 1)}"]
    for step in sorted({*range(min(SHOWN, steps)), steps - 1}):
        if step > SHOWN:
            lines.append("  ...")
        at = series.clock.text(series.first + len(series) + step)
        ends_ = f"{plain(found.low[number, step])} to {plain(found.high[number, step])}"
        lines.append(f"  {at:19} {plain(found.point[number, step]):>12}   {coverage:.0%} interval {ends_}")
    return "\n".join(lines)


def plain(value: float) -> str:
    """Formats a number with six significant digits, or as a whole number if it is larger.

    >>> plain(372.16512), plain(3588372.4), plain(3e-7)
    ('372.165', '3,588,372', '3e-07')
    """
    return f"{value:,.0f}" if LARGE <= abs(value) < LARGEST else f"{value:.6g}"


def table(found: Forecast) -> str:
    """Formats all steps as CSV, with the interval and the deciles."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*COLUMNS, *(f"q{level:g}" for level in DECILES)])
    deciles = heads.between(found.quantiles, DECILES)
    for number, series in enumerate(found.mine.panel.series):
        for step in range(found.point.shape[1]):
            values = [found.point[number, step], found.low[number, step], found.high[number, step]]
            cells = [f"{value:.8g}" for value in [*values, *deciles[number, step]]]
            rows.writerow([series.name, series.clock.text(series.first + len(series) + step), *cells])
    return text.getvalue()


def chart(found: Forecast, coverage: float) -> list[dict[str, Any]]:
    """Returns the charts of the first series for `pictures.fan`."""
    return [
        {
            "name": series.name,
            "past": series.values,
            "point": found.point[number],
            "interval": (found.low[number], found.high[number]),
            "deciles": heads.between(found.quantiles[number], DECILES),
            "coverage": coverage,
            "first": series.first,
            "clock": series.clock,
            "actual": None,
        }
        for number, series in enumerate(found.mine.panel.series[:SHOWN])
    ]
