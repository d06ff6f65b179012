"""Forecasts series value by value: constant memory, adaptive intervals, a state that can be saved.

Each series keeps its last values and the intervals whose true values are pending. Every step is forecast, even those
without a row, so that streamed forecasts equal those of the whole file.
"""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np

from shared import InputError, files

from .clock import Clock
from .conformal import Adaptive
from .data import coded, scaled
from .early import streamable
from .panel import Series, warn
from .predict import Predictor
from .windows import Store, Windows


@dataclasses.dataclass
class Tail:
    """The end of one series: all that a forecast needs.

    values, observed: (reach,) the last values, in the data's unit, padded with the first one if there are fewer.
    last: the step of the last value. count: number of values so far. scale: (shift, scale), None while unknown.
    """

    name: str
    code: int
    clock: Clock
    static: np.ndarray
    values: np.ndarray
    last: int
    count: int
    scale: tuple[float, float] | None
    adaptive: Adaptive


@dataclasses.dataclass(frozen=True)
class Streamed:
    """A forecast (horizon,) of the steps after the last value, in the data's unit, with its interval."""

    point: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Streamer:
    """Forecasts series value by value."""

    def __init__(self, predictor: Predictor) -> None:
        streamable(predictor.run)
        self.predictor, self.config, self.info = predictor, predictor.config, predictor.info
        self.tails: dict[str, Tail] = {}
        self.jumped: dict[str, tuple[int, float]] = {}  # step and value of a last row that was far from those before

    def warm_up(self) -> None:
        """Compiles the model in advance, so that the first forecast is not delayed."""
        code, steps = len(self.info["names"]), Clock(**self.info["clocks"][0])
        tail = Tail("", code, steps, self._static(()), np.zeros(self.config.reach), 0, 1,
                    (0.0, 1.0), self._adaptive(code))  # fmt: skip
        self._forecast(tail)

    def clock_of(self, name: str) -> Clock:
        """Returns the clock of a series in training; that of the first series for an unseen one."""
        place = self.info["names"].index(name) if name in self.info["names"] else 0
        return Clock(**self.info["clocks"][place])

    def value(self, name: str, k: int, value: float, static: tuple[str, ...] = ()) -> Streamed | None:
        """Returns the forecast after this value (NaN: missing) at step k; None while a new series has too few values.

        Raises:
            InputError: the step is not after the last one, or too far from it and not confirmed by the one before.
        """
        tail = self.tails.get(name)
        if tail is None:
            if np.isnan(value):
                return None
            tail = self.tails[name] = self._begin(name, k, value, static)
            if tail.scale is None:
                warn([f"{name}: not in the training data; no forecast before {self.config.reach:,} values"])
            return self._step(tail)
        gap = k - tail.last
        if abs(gap) > self.config.reach:
            tail = self._begin_again(tail, k, value, static)
        elif gap <= 0:
            raise InputError(f"{tail.clock.text(k)} is not after {tail.clock.text(tail.last)}, the last row of {name}")
        self.jumped.pop(name, None)
        for missing in range(k - tail.last - 1, -1, -1):
            found = self._push(tail, np.nan if missing else value)
        return found

    def _begin_again(self, tail: Tail, k: int, value: float, static: tuple[str, ...]) -> Tail:
        """Returns the series begun again at the row before, which was as far off as this one, just after it.

        Raises:
            InputError: the row before was not far off; this one is, and may have a wrong date.
        """
        at, there = self.jumped.get(tail.name, (k, np.nan))
        if not 0 < k - at <= self.config.reach:
            if not np.isnan(value):
                self.jumped[tail.name] = (k, value)
            side = "after" if k > tail.last else "before"
            far = f"{tail.clock.text(k)} is {abs(k - tail.last):,} steps {side} the last row of {tail.name}"
            raise InputError(f"{far}; a wrong date?")
        warn([f"{tail.name} starts again at {tail.clock.text(at)}, since two rows in succession are there"])
        again = self.tails[tail.name] = self._begin(tail.name, at, there, static)
        again.scale = tail.scale
        self._step(again)
        return again

    def _push(self, tail: Tail, value: float) -> Streamed | None:
        there = not np.isnan(value)
        kept = value if there else tail.values[-1]
        tail.values[:-1] = tail.values[1:]
        tail.values[-1] = kept
        tail.last, tail.count = tail.last + 1, tail.count + 1
        if tail.scale is not None:
            shift, scale = tail.scale
            tail.adaptive.observe(np.array([(kept - shift) / scale], np.float32), np.array([there]))
        return self._step(tail)

    def _step(self, tail: Tail) -> Streamed | None:
        if tail.scale is None:
            if tail.count < self.config.reach:
                return None
            tail.scale = self._own_scale(tail)
        return self._forecast(tail)

    def _forecast(self, tail: Tail) -> Streamed:
        assert tail.scale is not None
        shift, scale = tail.scale
        windows = self._window(tail, shift, scale)
        answer = self.predictor.said(windows, self.predictor.numbers(windows), np.array([scale]))
        low, high = tail.adaptive.interval(*answer.interval(self.config.coverage))
        low, high = self.predictor.counted(windows, answer, low, high, np.array([scale]))
        return Streamed(*(scale * each[0] + shift for each in (answer.point, low, high)))

    def _window(self, tail: Tail, shift: float, scale: float) -> Windows:
        reach, horizon = self.config.reach, self.config.horizon
        values = ((tail.values - shift) / scale).astype(np.float32)
        k = tail.last + 1 + np.arange(-reach, horizon)
        known = tail.clock.phases(k) if self.info["calendar"] else np.zeros((len(k), 0), np.float32)
        zero, one = np.zeros(1, np.int64), np.ones(1, np.int64)
        store = Store(values, np.ones(reach, bool), zero, known, zero, tail.static[None], one, one, np.ones(1))
        return Windows(store, zero, zero + reach, np.array([tail.code]), reach, horizon)

    def _begin(self, name: str, k: int, value: float, static: tuple[str, ...]) -> Tail:
        names = self.info["names"]
        code = names.index(name) if name in names else len(names)
        known = code < len(names)
        scale = (self.info["shift"][code], self.info["scale"][code]) if known else None
        values = np.full(self.config.reach, value)
        return Tail(name, code, self.clock_of(name), self._static(static), values, k, 1, scale, self._adaptive(code))

    def _adaptive(self, code: int) -> Adaptive:
        grid = self.predictor.calibrated["usual"]
        group = min(code, len(grid) - 1)
        return Adaptive(grid[group : group + 1], self.config.coverage, self.config.adapt_rate)

    def _own_scale(self, tail: Tail) -> tuple[float, float]:
        values = tail.values
        series = Series(tail.name, tail.clock, 0, values, np.ones(len(values), bool), 1, np.zeros((len(values), 0)))
        return scaled(series, len(values), self.config.head == "negative_binomial")

    def _static(self, texts: tuple[str, ...]) -> np.ndarray:
        how = self.info["static"].values()
        if not texts:
            return np.zeros(self.info["static_columns"], np.float32)
        return np.array([x for text, each in zip(texts, how, strict=True) for x in coded(text, each)], np.float32)

    def save(self, path: Path) -> None:
        """Saves the state atomically."""
        arrays: dict[str, np.ndarray] = {}
        about = []
        for place, tail in enumerate(self.tails.values()):
            about.append({"name": tail.name, "last": tail.last, "count": tail.count, "scale": tail.scale})
            kept = {"values": tail.values, "static": tail.static} | tail.adaptive.state()
            arrays |= {f"{place}/{name}": array for name, array in kept.items()}
        head = {"run": self.predictor.run.path.name, "fingerprint": self.info["fingerprint"], "tails": about}
        arrays["about"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
        content = io.BytesIO()
        np.savez(content, **arrays)
        files.write_bytes(path, content.getvalue())

    def restore(self, path: Path) -> None:
        """Restores a saved state. Raises InputError if it is damaged or belongs to another run."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as saved:
                head = json.loads(saved["about"].tobytes().decode())
                if head["run"] == self.predictor.run.path.name and head["fingerprint"] == self.info["fingerprint"]:
                    for place, about in enumerate(head["tails"]):
                        arrays = {name.partition("/")[2]: saved[name] for name in saved.files
                                  if name.startswith(f"{place}/")}  # fmt: skip
                        self._restore(about, arrays)
                    return
        except Exception as error:  # a damaged archive raises errors of many kinds
            raise InputError(
                f"--state: {path} is damaged or no state of this command; remove it to start over"
            ) from error
        raise InputError(f"--state: {path} is the state of the run {head['run']}; choose it with --run")

    def _restore(self, about: dict, arrays: dict[str, np.ndarray]) -> None:
        tail = self._begin(about["name"], int(about["last"]), 0.0, ())
        expected = {"values": tail.values, "static": tail.static} | tail.adaptive.state()
        if {name: array.shape for name, array in arrays.items()} != {name: a.shape for name, a in expected.items()}:
            raise ValueError("expected the arrays of a state of this run")
        tail.values, tail.static, tail.count = arrays["values"].copy(), arrays["static"].copy(), int(about["count"])
        tail.scale = (float(about["scale"][0]), float(about["scale"][1])) if about["scale"] else None
        tail.adaptive.restore(arrays)
        self.tails[tail.name] = tail
