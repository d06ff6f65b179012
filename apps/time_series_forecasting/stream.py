"""Forecasts row by row from a growing file or standard input: constant memory, adaptive intervals, saved state.

Each series keeps its last values and the intervals whose true values are pending. Every step is forecast, even those
without a row, so that streamed forecasts equal those of the whole file.
"""

import collections
import contextlib
import dataclasses
import io
import json
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError, feeds, files, lines, runs
from shared.data.wording import sized

from . import clock
from .config import APP
from .conformal import Adaptive
from .data import coded, scaled
from .options import Stream
from .panel import Series
from .predict import Predictor
from .reading import Columns, cells_of, header
from .windows import Store, Windows

KEPT = 10_000  # number of recent forecasts over which the latency is measured
SAVE_EVERY = 500  # rows between saves of the state
LONGEST_GAP = 10  # times the model's reach: a longer gap is treated as a wrong date
COLUMNS = "unique_id,ds,y,ahead,forecast,low,high"


@dataclasses.dataclass
class Tail:
    """The end of one series: all that a forecast needs.

    values, observed: (reach,) the last values, in the data's unit, padded with the first one if there are fewer.
    last: the step of the last value. count: number of values so far. scale: (shift, scale), None while unknown.
    """

    name: str
    code: int
    clock: clock.Clock
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
        self.predictor, self.config, self.info = predictor, predictor.config, predictor.info
        if self.info["known"]:
            raise InputError(
                f"stream: expected a run without --known, since no row has its future values; "
                f"{predictor.run.path.name} reads {', '.join(self.info['known'])}"
            )
        self.tails: dict[str, Tail] = {}
        self.already = 0  # number of rows seen by a restored state

    def warm_up(self) -> None:
        """Compiles the model in advance, so that the first forecast is not delayed."""
        code, steps = len(self.info["names"]), clock.Clock(**self.info["clocks"][0])
        tail = Tail("", code, steps, self._static(()), np.zeros(self.config.reach), 0, 1,
                    (0.0, 1.0), self._adaptive(code))  # fmt: skip
        self._forecast(tail)

    def clock_of(self, name: str) -> clock.Clock:
        """Returns the clock of a series in training; that of the first series for an unseen one."""
        place = self.info["names"].index(name) if name in self.info["names"] else 0
        return clock.Clock(**self.info["clocks"][place])

    def value(self, name: str, k: int, value: float, static: tuple[str, ...] = ()) -> Streamed | None:
        """Returns the forecast after this value (NaN: missing) at step k; None while a new series has too few values.

        Raises:
            InputError: the step is not after the last one, or too far ahead.
        """
        tail = self.tails.get(name)
        if tail is None:
            if np.isnan(value):
                return None
            tail = self.tails[name] = self._begin(name, k, value, static)
            return self._step(tail)
        gap = k - tail.last
        if gap > LONGEST_GAP * self.config.reach:
            raise InputError(f"{tail.clock.text(k)} is {gap:,} steps after the last row of {name}; a wrong date?")
        if gap <= 0:
            raise InputError(f"{tail.clock.text(k)} is not after {tail.clock.text(tail.last)}, the last row of {name}")
        for missing in range(gap - 1, -1, -1):
            found = self._push(tail, np.nan if missing else value)
        return found

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
                if head["run"] != self.predictor.run.path.name or head["fingerprint"] != self.info["fingerprint"]:
                    raise InputError(f"--state: {path} is the state of the run {head['run']}; choose it with --run")
                for place, about in enumerate(head["tails"]):
                    arrays = {name.partition("/")[2]: saved[name] for name in saved.files
                              if name.startswith(f"{place}/")}  # fmt: skip
                    self._restore(about, arrays)
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"--state: {path} is damaged ({error}); remove it to start over") from error

    def _restore(self, about: dict, arrays: dict[str, np.ndarray]) -> None:
        tail = self._begin(about["name"], about["last"], 0.0, ())
        tail.values, tail.static, tail.count = arrays["values"].copy(), arrays["static"].copy(), about["count"]
        tail.scale = tuple(about["scale"]) if about["scale"] else None
        tail.adaptive.restore(arrays)
        self.tails[tail.name] = tail


def stream(options: Stream) -> None:
    """Runs the stream command: prints a line per value; reports invalid rows on stderr and skips them."""
    run = runs.find(APP, options.run)
    if options.feed != "-" and not Path(options.feed).is_file():
        raise MissingFileError(
            f"Expected a CSV file of series, or - for standard input. There is none at {options.feed}"
        )
    predictor = Predictor(run)
    if options.ahead > predictor.config.horizon:
        raise InputError(f"--ahead: expected at most {predictor.config.horizon}; received {options.ahead}")
    streamer, state = Streamer(predictor), Path(options.state) if options.state else None
    if state:
        files.check_output(state, "--state")
    restored = {}
    if state and state.exists():
        streamer.restore(state)
        restored = {name: tail.last for name, tail in streamer.tails.items()}
    streamer.warm_up()
    print(COLUMNS, flush=True)
    took: collections.deque[float] = collections.deque(maxlen=KEPT)
    rows = left_out = 0
    with contextlib.suppress(KeyboardInterrupt), feeds.interruptible():
        for place, columns, row in feed(options, predictor):
            try:
                with feeds.undisturbed():
                    answer_row(streamer, columns, row, place, restored, options.ahead, took)
            except InputError as error:
                print(f"left out: {error}", file=sys.stderr, flush=True)
                left_out += 1
            rows += 1
            if state and rows % SAVE_EVERY == 0:
                streamer.save(state)
    if state:
        streamer.save(state)
    if took:
        p50, p99 = lines.percentiles(list(took))
        print(
            f"{sized(rows, 'rows')}, {left_out:,} left out: p50 {p50:.2f} ms, p99 {p99:.2f} ms a value", file=sys.stderr
        )


def answer_row(
    streamer: Streamer,
    columns: Columns,
    row: dict[str, str],
    place: str,
    restored: dict[str, int],
    ahead: int,
    took: collections.deque,
) -> None:
    """Prints the forecast after each value of a row.

    Raises:
        InputError: a date or value is invalid; the values before it in the row have been processed.
    """
    alone = streamer.info["names"][0] if len(streamer.info["names"]) == 1 else "series"
    static = tuple(row.get(name, "") for name in streamer.info["static"])
    for name, value in cells_of(row, columns, place, alone):
        began = time.perf_counter()
        k = clock.one(row[columns.date], place, streamer.clock_of(name))
        if k <= restored.get(name, k - 1):
            continue  # already seen by the restored state
        try:
            found = streamer.value(name, k, value, static)
        except InputError as error:
            raise InputError(f"{place}: {error}") from None
        took.append(1000 * (time.perf_counter() - began))
        if found is not None:
            at, step = streamer.clock_of(name).text(k), ahead - 1
            said = ",".join(f"{each[step]:.8g}" for each in (found.point, found.low, found.high))
            print(f"{name},{at},{'' if np.isnan(value) else f'{value:.10g}'},{ahead},{said}", flush=True)


def feed(options: Stream, predictor: Predictor) -> Iterator[tuple[str, Columns, dict[str, str]]]:
    """Yields (location, columns, cells by column) of each row as it arrives; reports and skips rows of wrong width.

    Raises:
        InputError: the header is invalid.
    """
    source = "standard input" if options.feed == "-" else options.feed
    columns: Columns | None = None
    for line, text in enumerate(feeds.lines_of(options.feed, options.follow), 1):
        cells = feeds.cells(text)
        if not any(cells):
            continue
        if columns is None:
            columns = header([cell.strip("\ufeff") for cell in cells], (), list(predictor.info["static"]), source)
            continue
        place = f"{source}, line {line}"
        if len(cells) != len(columns.names):
            said = f"{place}: expected {len(columns.names)} cells; received {len(cells)}"
            print(f"left out: {said}", file=sys.stderr, flush=True)
            continue
        yield place, columns, dict(zip(columns.names, cells, strict=True))
