"""Replays or follows a feed of measurements: the risk after each, an alarm, a picture, and how long an answer takes.

The network goes one step further only when time does; within a step each measurement gets an answer of its own from
the state before the step. What is kept does not grow with the feed, but for one point a step for the picture.
"""

import collections
import math
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from shared import InputError, MissingFileError, plots, runs
from shared.layers import backend

from .config import APP, Monitor
from .evaluate import WARNING
from .metrics import risk
from .model import step, zero_states
from .predict import Judge
from .records import MEASUREMENTS, fits, header, known_variable, number
from .steps import MOST_STEPS, Running

POLL_S = 0.2  # between looks at a file that may grow
KEPT = 10_000  # answers whose times count for the latency


class Stream:
    """One patient's risk, measurement by measurement."""

    def __init__(self, judge: Judge) -> None:
        self.judge, self.info = judge, judge.info
        self.columns = {name: n for n, name in enumerate(self.info["variables"])}
        self.answer = backend.compiled(step(judge.model, self.info["knots"]), judge.model.variables)
        self.states = zero_states(judge.model)
        self.running = Running.start(1, len(self.columns))
        self.at: float | None = None  # when the step began (bins) or lies (visits)
        self.before = 0.0  # the same of the step before
        self.total, self.count = np.zeros(len(self.columns)), np.zeros(len(self.columns))
        self.curve: list[tuple[float, float]] = []  # (time, risk), the last of each step

    def measure(self, when: float, variable: str, value: float) -> float:
        """The risk now that this is known too. Times must not fall."""
        width = self.info["step"]
        begin = when // width * width if width else when
        if width and self.info["window"]:  # its last moment belongs to the last bin
            begin = min(begin, (math.ceil(self.info["window"] / width) - 1) * width)
        if self.at is None:
            self.at = 0.0 if width else begin
            self.before = self.at
        while self.at < begin - 1e-9:
            self._commit(self.at + width if width else begin)
        column = self.columns[variable]
        self.total[column] += value
        self.count[column] += 1
        now = float(risk(np.array(self._answer()[0][0])))
        if self.curve and self.curve[-1][0] >= begin:
            self.curve.pop()
        self.curve.append((when, now))
        return now

    def _answer(self) -> tuple[Any, list, Running]:
        """The answer, the states and the record if the step ended now."""
        with np.errstate(invalid="ignore"):
            row = self.judge.scale.apply((self.total / self.count)[None])
        elapsed = self.info["step"] or self.at - self.before
        inputs, summary, running = self.running.advance(row, elapsed, self.info["unit"], self.info["summaries"])
        tensors = [keras.ops.convert_to_tensor(x) for x in (inputs, np.nan_to_num(summary))]
        chances, states = self.answer(*tensors, self.states)
        return chances, states, running

    def _commit(self, begin: float) -> None:
        """Ends the step for good; the next one begins at `begin`."""
        _, self.states, self.running = self._answer()
        self.before, self.at = self.at, begin
        self.total[:], self.count[:] = 0, 0


def monitor(options: Monitor) -> None:
    """The monitor verb. A line of the feed that cannot be right is named and left out: a monitor must go on."""
    if options.alarm is not None and not 0 < options.alarm < 1:
        raise InputError(f"--alarm: expected a risk between 0 and 1; received {options.alarm}")
    run = runs.find(APP, options.run)
    judge = Judge(run)
    stream, line = Stream(judge), options.alarm if options.alarm is not None else judge.threshold
    took: collections.deque[float] = collections.deque(maxlen=KEPT)
    alarmed, first, left_out = False, None, 0
    print(f"{WARNING}\nAlarm from a risk of {line:.3f} on.", flush=True)
    for ends in (signal.SIGINT, signal.SIGTERM):  # the first is ignored by what a shell starts in the background
        signal.signal(ends, signal.default_int_handler)
    try:
        for where, cells in feed(options):
            began = time.perf_counter()
            try:
                when, variable, value = check(cells, judge, stream, where)
            except InputError as error:
                print(f"left out: {error}", file=sys.stderr, flush=True)
                left_out += 1
                continue
            now = stream.measure(when, variable, value)
            took.append(time.perf_counter() - began)
            said = ("  ALARM" if not alarmed else "  alarm") if now >= line else ("  alarm ends" if alarmed else "")
            alarmed = now >= line
            first = when if alarmed and first is None else first
            print(f"{when:9.2f}  {variable:16} {value:9.4g}   risk {now:.3f}{said}", flush=True)
    except KeyboardInterrupt:
        print()
    summary(run, stream, line, first, list(took), left_out, options)


def summary(
    run: runs.Run, stream: Stream, line: float, first: float | None, took: list, left_out: int, options: Monitor
) -> None:
    """The picture, the latency and what was left out; InputError if there was nothing to judge."""
    if not took:
        source = "standard input" if options.feed == "-" else options.feed
        raise InputError(f"{source}: expected measurements; {left_out} lines could not be read, no other came")
    name = re.sub(r"[^\w.-]+", "-", "feed" if options.feed == "-" else Path(options.feed).stem)
    picture = run.file(f"alarm-{name}.png")
    draw(stream, line, name, picture)
    p50, p99 = np.percentile(took, [50, 99]) * 1e3
    unit = stream.info["time_unit"]
    print(
        f"{len(took):,} measurements{f', {left_out} lines left out' if left_out else ''}; "
        f"{f'first alarm at {first:g} {unit}' if first is not None else 'no alarm'}; "
        f"an answer took {p50:.1f} ms (p50), {p99:.1f} ms (p99)\nPicture: {picture}"
    )


def check(cells: dict[str, str], judge: Judge, stream: Stream, where: str) -> tuple[float, str, float]:
    """Time, variable and value of a line; InputError if it cannot be right."""
    when = number(cells["time"], "time", where, 0)
    variable = known_variable(cells["variable"], judge.info["variables"], where)
    value = number(cells["value"], "value", where)
    low, high = judge.limits[stream.columns[variable]]
    if not fits(value, low, high):
        raise InputError(f"{where}: {variable} {value:g} is outside {low:.4g} to {high:.4g} (its unit?)")
    if stream.curve and when < stream.curve[-1][0]:
        raise InputError(f"{where}: time {when:g} after {stream.curve[-1][0]:g}; a feed must come in order")
    if (when - (stream.at or 0)) > MOST_STEPS * (judge.info["step"] or math.inf):
        raise InputError(f"{where}: time {when:g} is more than {MOST_STEPS:,} steps after the one before (its unit?)")
    if judge.info["window"] and when > judge.info["window"]:
        raise InputError(f"{where}: time {when:g} is after {judge.info['window']:g}, where the run's records ended")
    return when, variable, value


def feed(options: Monitor) -> Iterator[tuple[str, dict[str, str]]]:
    """(where, cells by column) of each line of the feed, as it comes; without a header: time, variable, value.

    Raises:
        InputError: no such file, or a header without the columns that are needed.
    """
    source = "standard input" if options.feed == "-" else options.feed
    columns = list(MEASUREMENTS[1:])
    for line, text in enumerate(_lines(options), 1):
        cells = [cell.strip() for cell in text.split(",")]
        if line == 1 and any(cell.lower() in ("time", "value") for cell in cells):
            columns = header(cells, MEASUREMENTS[1:], source)
        elif text.strip() and "RecordID" not in cells:  # the first row of each of PhysioNet's files
            padded = [*cells, *[""] * (len(columns) - len(cells))]
            yield f"{source}, line {line}", dict(zip(columns, padded, strict=False))


def _lines(options: Monitor) -> Iterator[str]:
    """Lines of standard input or of the file, which is waited upon at its end with --follow."""
    if options.feed == "-":
        yield from iter(sys.stdin.readline, "")
        return
    if not Path(options.feed).is_file():
        raise MissingFileError(f"Expected a CSV file of measurements, or - for standard input. None at {options.feed}")
    with Path(options.feed).open(encoding="utf-8-sig", errors="replace") as file:
        begun = ""
        while True:
            begun += file.readline()
            if begun.endswith("\n") or (begun and not options.follow):
                yield begun
                begun = ""
            elif options.follow:
                time.sleep(POLL_S)
            else:
                return


def draw(stream: Stream, line: float, name: str, path: Path) -> None:
    """Draws the risk over time, with the line of the alarm."""
    figure, axes = plots.new_figure(f"{name}: risk of {stream.info['causes'][0]}")
    times, risks = (np.array(column) for column in zip(*stream.curve, strict=True))
    axes.step(times, risks, where="post", marker=".")
    axes.axhline(line, color="tab:red", linestyle="--", label=f"alarm at {line:.3f}")
    axes.fill_between(times, line, risks, where=risks >= line, step="post", color="tab:red", alpha=0.3)
    axes.set(xlabel=stream.info["time_unit"] or "time", ylabel="risk", ylim=(0, max(1.1 * risks.max(), 1.5 * line)))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    plots.save(figure, path)
