"""Follows a stream of measurements, live or replayed: the risk after each one, an alarm, a plot, and the latency.

The network's state advances only when a step ends; within a step, the risk after each measurement is computed from the
state before the step. Memory use is constant. A feed must be of a single patient: a second one raises an error, since
their measurements would be mixed into one risk.
"""

import collections
import contextlib
import math
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, MissingFileError, feeds, lines, plots, runs
from shared.data.wording import sized
from shared.layers import backend

from .config import APP
from .metrics import risk
from .model import step, zero_states
from .options import Stream
from .predict import NO_ALARM, UNLIKE, WARNING, Predictor, at_time
from .reading import MEASUREMENTS, header, measurement
from .records import fits
from .steps import MOST_STEPS, Running
from .unlike import hardly_measured, out_of_range

KEPT = 10_000  # number of recent risks to plot, and to measure the latency over


class Monitor:
    """The risk of one patient, updated with each measurement."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.info = predictor, predictor.info
        self.columns = {name: n for n, name in enumerate(self.info["variables"])}
        self.answer = backend.compiled(step(predictor.model, self.info["knots"]), predictor.model.variables)
        self.states = zero_states(predictor.model)
        self.running = Running.start(1, len(self.columns))
        self.at: float | None = None  # start of the step (bins) or its time (visits)
        self.before = 0.0  # the same for the previous step
        self.total, self.count = np.zeros(len(self.columns)), np.zeros(len(self.columns))
        self.known: set[int] = set()  # variables measured so far
        self.curve: collections.deque[tuple[float, float]] = collections.deque(maxlen=KEPT)  # (time, risk)

    def warm_up(self) -> None:
        """Compiles the step in advance, so that the first measurement is not delayed."""
        record = self.running.advance(self.running.total, 0.0, self.info["unit"], self.info["summaries"])
        self.answer(*record[:2], self.states)

    def measure(self, when: float, variable: str, value: float) -> float:
        """Adds a measurement and returns the current risk. Times must not decrease."""
        width = self.info["step"]
        begin = when // width * width if width else when
        if width and self.info["window"]:  # the end of the window belongs to the last bin
            begin = min(begin, (math.ceil(self.info["window"] / width) - 1) * width)
        if self.at is None:
            self.at = 0.0 if width else begin
            self.before = self.at
        while self.at < begin - 1e-9:
            self._commit(self.at + width if width else begin)
        column = self.columns[variable]
        self.total[column] += value
        self.count[column] += 1
        self.known.add(column)
        now = float(risk(np.array(self._answer()[0][0])))
        self.curve.append((when, now))
        return now

    def unlike(self, variable: str, value: float) -> str:
        """Describes how this value, or the patient so far, is unlike the training patients, to print after the risk."""
        column = self.columns[variable]
        odd, few = out_of_range(value, column, self.info), hardly_measured(len(self.known), self.info)
        said = [f"{variable} {value:g} {odd}" if odd else "", few]
        return f"   {UNLIKE}: {'; '.join(filter(None, said))}" if any(said) else ""

    def _answer(self) -> tuple[Any, list, Running]:
        """Returns the probabilities, states and record as if the step ended now."""
        with np.errstate(invalid="ignore"):
            row = self.predictor.scale.apply((self.total / self.count)[None])
        elapsed = self.info["step"] or self.at - self.before
        inputs, summary, running = self.running.advance(row, elapsed, self.info["unit"], self.info["summaries"])
        chances, states = self.answer(inputs, np.nan_to_num(summary), self.states)
        return chances, states, running

    def _commit(self, begin: float) -> None:
        """Ends the current step; the next one starts at `begin`."""
        _, self.states, self.running = self._answer()
        self.before, self.at = self.at, begin
        self.total[:], self.count[:] = 0, 0


def stream(options: Stream) -> None:
    """Runs the stream command: one answer per line; an invalid line gets an empty one and is reported on stderr.

    A monitor must keep running, so an invalid line never stops it.
    """
    run = runs.find(APP, options.run)
    if options.feed != "-" and not Path(options.feed).is_file():
        raise MissingFileError(f"Expected a CSV file of measurements, or - for standard input. None at {options.feed}")
    predictor = Predictor(run)
    monitor = Monitor(predictor)
    monitor.warm_up()
    threshold = predictor.alarm["threshold"] if options.threshold is None else options.threshold
    took: collections.deque[float] = collections.deque(maxlen=KEPT)
    alarms, left_out = Alarms(threshold), 0
    usual = f"Of the training patients {predictor.info['share']:.1%} had the outcome."
    print(f"{WARNING}\n{announced(threshold)} {usual}", file=sys.stderr, flush=True)
    with contextlib.suppress(KeyboardInterrupt), feeds.interruptible():
        for where, cells in feed(options):
            began, answer = time.perf_counter(), ""
            try:
                if cells:
                    when, variable, value = check(cells, monitor, where)
                    now = monitor.measure(when, variable, value)
                    took.append(1000 * (time.perf_counter() - began))
                    answer = f"{when:9.2f} {predictor.info['time_unit']}".rstrip()
                    answer += f"  {variable:16} {value:9.4g}   risk {now:.3f}{alarms.said(when, now)}"
                    answer += monitor.unlike(variable, value)
            except InputError as error:
                print(f"left out: {error}", file=sys.stderr, flush=True)
                left_out += 1
            print(answer, flush=True)
    finish(run, monitor, alarms, list(took), left_out, options)


def announced(threshold: float) -> str:
    """Describes when the alarm will be raised."""
    if threshold < NO_ALARM["threshold"]:
        return f"The alarm is raised at a risk of {threshold:.3f}."
    return "No alarm is raised: the run was stopped before its threshold was chosen. Choose one with --threshold."


class Alarms:
    """Tracks whether the alarm is on, and when it was first raised."""

    def __init__(self, threshold: float) -> None:
        self.threshold, self.on, self.first = threshold, False, None

    def said(self, when: float, now: float) -> str:
        """Returns the text to print on the alarm after a risk: raised (in capitals), continuing, or ended."""
        before, self.on = self.on, now >= self.threshold
        self.first = when if self.on and self.first is None else self.first
        if self.on:
            return "  alarm" if before else "  ALARM"
        return "  alarm ends" if before else ""


def finish(run: runs.Run, monitor: Monitor, alarms: Alarms, took: list, left_out: int, options: Stream) -> None:
    """Saves the plot and prints the latency and skipped lines; raises InputError if there was no measurement."""
    if not took:
        source = "standard input" if options.feed == "-" else options.feed
        received = f"none that is readable ({sized(left_out, 'invalid lines')})" if left_out else "none"
        raise InputError(f"{source}: expected measurements; received {received}")
    name = re.sub(r"[^\w.-]+", "-", "feed" if options.feed == "-" else Path(options.feed).stem)
    picture = run.file(f"alarm-{name}.png")
    draw(monitor, alarms.threshold, name, picture)
    p50, p99 = lines.percentiles(took)
    first = "no alarm" if alarms.first is None else f"first alarm at {at_time(alarms.first, monitor.info)}"
    lost = f", {sized(left_out, 'lines')} left out" if left_out else ""
    print(
        f"{len(took):,} answered{lost}: {first}; p50 {p50:.1f} ms, p99 {p99:.1f} ms\nPicture: {picture}",
        file=sys.stderr,
    )


def check(cells: dict[str, str], monitor: Monitor, where: str) -> tuple[float, str, float]:
    """Returns time, variable and value of a line; raises InputError if they are invalid."""
    info, curve = monitor.info, monitor.curve
    when, variable, value = measurement(cells, where, info["variables"])
    low, high = monitor.predictor.limits[monitor.columns[variable]]
    if not fits(value, low, high):
        raise InputError(f"{where}: {variable} {value:g} is outside {low:.4g} to {high:.4g} (its unit?)")
    if curve and when < curve[-1][0]:
        raise InputError(f"{where}: time {when:g} after {curve[-1][0]:g}; rows must be in order of time")
    if (when - (monitor.at or 0)) > MOST_STEPS * (info["step"] or math.inf):
        raise InputError(f"{where}: time {when:g} is more than {MOST_STEPS:,} steps after the previous one (its unit?)")
    if info["window"] and when > info["window"]:
        raise InputError(f"{where}: time {when:g} is after {info['window']:g}, where the run's records ended")
    return when, variable, value


def feed(options: Stream) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields (location, cells by column) of each line of the feed as it arrives; a blank line has no cells.

    Without a header, which itself yields nothing, the columns are time, variable, value.

    Raises:
        InputError: the header lacks required columns, or there is a second patient.
    """
    source = "standard input" if options.feed == "-" else options.feed
    columns, only = list(MEASUREMENTS[1:]), ""
    for line, text in enumerate(feeds.lines_of(options.feed, options.follow), 1):
        cells = feeds.cells(text)
        if line == 1 and any(cell.lower() in ("time", "value") for cell in cells):
            columns = header(cells, MEASUREMENTS[1:], source)
        elif "RecordID" not in cells:  # the first row of each PhysioNet file
            cells += [""] * (len(columns) - len(cells))
            cells[len(columns) - 1 :] = [",".join(cells[len(columns) - 1 :])]  # such as a decimal comma, an error
            where, row = f"{source}, line {line}", dict(zip(columns, cells, strict=True)) if text.strip() else {}
            only = only or row.get("patient", "")
            if row.get("patient", only) != only:
                raise InputError(
                    f"{where}: expected the measurements of one patient, {only}; received {row['patient'] or 'no name'}"
                    ". Stream a file of each, or read them all with predict."
                )
            yield where, row


def draw(monitor: Monitor, threshold: float, name: str, path: Path) -> None:
    """Plots the risk over time, with the alarm threshold."""
    figure, axes = plots.new_figure(f"{name}: risk of {monitor.info['causes'][0]}")
    times, risks = (np.array(column) for column in zip(*monitor.curve, strict=True))
    axes.step(times, risks, where="post", marker=".")
    chosen = threshold < NO_ALARM["threshold"]
    if chosen:
        axes.axhline(threshold, color="tab:red", linestyle="--", label=f"alarm threshold {threshold:.3f}")
        axes.fill_between(times, threshold, np.maximum(risks, threshold), step="post", color="tab:red", alpha=0.3)
        axes.legend(loc="upper left")
    top = max(1.1 * risks.max(), 1.5 * threshold if chosen else 0)
    unit = monitor.info["time_unit"]
    axes.set(xlabel=f"time in {unit}" if unit else "time", ylabel="risk", ylim=(0, top))
    axes.grid(alpha=0.3)
    plots.save(figure, path)
