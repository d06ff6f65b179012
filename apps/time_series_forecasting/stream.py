"""Forecasts row by row from a growing file or standard input, and saves the state of all series."""

import collections
import contextlib
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shared import InputError, feeds, lines, runs
from shared.data.wording import sized

from . import dates
from .config import APP
from .options import Stream
from .panel import named, warn
from .predict import Predictor
from .reading import Columns, cells_of, header, refuse_infinite
from .step_check import Watch
from .streamer import Streamed, Streamer

KEPT = 10_000  # number of recent forecasts over which the latency is measured
SAVE_EVERY = 500  # rows between saves of the state
COLUMNS = ("unique_id", "ds", "y", "ahead", "for", "forecast", "low", "high")


def stream(options: Stream) -> None:
    """Runs the stream command: prints a line per value; reports invalid rows on stderr and skips them."""
    streamer = Streamer(Predictor(runs.find(APP, options.run)))
    state = Path(options.state) if options.state else None
    if state and state.exists():
        streamer.restore(state)
    streamer.warm_up()
    rows = Rows(streamer, options.ahead, "standard input" if options.feed == "-" else options.feed)
    with contextlib.suppress(KeyboardInterrupt), feeds.interruptible():
        for line, text in enumerate(feeds.lines_of(options.feed, options.follow), 1):
            cells = feeds.cells(text)
            if not any(cells):
                continue
            with feeds.undisturbed():
                rows.take(cells, line)
            if state and rows.count and rows.count % SAVE_EVERY == 0:
                streamer.save(state)
        if rows.columns is None:
            raise InputError(f"{rows.source}: expected a header and rows; received nothing")
    rows.end()
    if state:
        streamer.save(state)


class Rows:
    """The rows of a stream: prints a forecast for each value, reports what is left out.

    Args:
        ahead: which step to print. source: the name of the stream in messages.
    """

    def __init__(self, streamer: Streamer, ahead: int, source: str) -> None:
        self.streamer, self.ahead, self.source = streamer, ahead, source
        self.restored = {name: tail.last for name, tail in streamer.tails.items()}
        self.columns: Columns | None = None
        self.watch = Watch(streamer.info, source)
        self.moved: set[str] = set()
        self.took: collections.deque[float] = collections.deque(maxlen=KEPT)
        self.count = self.left_out = 0
        self.print = csv.writer(sys.stdout, lineterminator="\n").writerow

    def take(self, cells: list[str], line: int) -> None:
        """Answers a row; the first one is the header.

        Raises:
            InputError: the header is invalid, or a series has another step than in training.
        """
        if self.columns is None:
            names = [cell.strip("\ufeff") for cell in cells]
            self.columns = header(names, (), list(self.streamer.info["static"]), self.source)
            self.say(COLUMNS)
            return
        self.count += 1
        place = f"{self.source}, line {line}"
        try:
            if len(cells) != len(self.columns.names):
                raise InputError(f"{place}: expected {len(self.columns.names)} cells; received {len(cells)}")
            self.answer(dict(zip(self.columns.names, cells, strict=True)), self.columns, place)
        except InputError as error:
            print(f"left out: {error}", file=sys.stderr, flush=True)
            self.left_out += 1
        self.watch.check()

    def answer(self, row: dict[str, str], columns: Columns, place: str) -> None:
        """Prints the forecast after each value of a row.

        Raises:
            InputError: a date or value is invalid; the values before it in the row have been processed.
        """
        info, text = self.streamer.info, row[columns.date]
        alone = info["names"][0] if len(info["names"]) == 1 else "series"
        static = tuple(row[name] for name in info["static"])
        for name, cell in zip(info["static"], static, strict=True):
            refuse_infinite(cell, name, place)
        for name, value in cells_of(row, columns, place, alone):
            began = time.perf_counter()
            self.watch.date(name, text, place)
            k = self.step(name, text, place)
            if k <= self.restored.get(name, k - 1):
                continue  # already seen by the restored state
            try:
                found = self.streamer.value(name, k, value, static)
                self.took.append(1000 * (time.perf_counter() - began))
                if found is not None:
                    self.say(self.cells(name, k, value, found))
            except InputError as error:
                raise InputError(f"{place}: {error}") from None

    def step(self, name: str, text: str, place: str) -> int:
        """Returns the step nearest to a date; reports the first one of each series that is between two steps."""
        clock = self.streamer.clock_of(name)
        moment = dates.moment(text, place, clock)
        k = int(clock.place(np.array(moment)))
        if clock.moment(k) != moment and name not in self.moved:
            self.moved.add(name)
            warn(
                [f"{place}: {text} is between two steps of {name}; moved to {clock.text(k)}, as will be others like it"]
            )
        return k

    def cells(self, name: str, k: int, value: float, found: Streamed) -> list[str]:
        """Returns the cells of `COLUMNS`."""
        clock, step = self.streamer.clock_of(name), self.ahead - 1
        came = "" if np.isnan(value) else f"{value:.10g}"
        ends = [f"{each[step]:.8g}" for each in (found.point, found.low, found.high)]
        return [name, clock.text(k), came, str(self.ahead), clock.text(k + self.ahead), *ends]

    def say(self, cells: Sequence[str]) -> None:
        """Prints a row of the answer at once."""
        self.print(cells)
        sys.stdout.flush()

    def end(self) -> None:
        """Says on stderr how many rows came and how long their forecasts took."""
        if self.took:
            p50, p99 = lines.percentiles(list(self.took))
            counts = f"{sized(self.count, 'rows')}, {self.left_out:,} left out"
            warn([f"{counts}: p50 {p50:.2f} ms, p99 {p99:.2f} ms a value"])
        elif self.restored:
            tails = self.streamer.tails.values()
            warn([f"no new rows since {named(sorted({tail.clock.text(tail.last) for tail in tails}))}"])
