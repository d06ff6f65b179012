"""Training progress for the user: lines, a progress bar, TensorBoard logs."""

import contextlib
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import rich.console
import rich.progress
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from shared.checkpoint import Position
from shared.runs import Run


class Screen:
    """Prints one line per epoch; on a terminal also a progress bar with the remaining training time."""

    def __init__(self, epochs: int, position: Position, begin: int = 0, end: int | None = None) -> None:
        self.epochs, self.seconds, self.explained = epochs, position.seconds, False
        self.console = rich.console.Console(highlight=False, soft_wrap=True)
        self.bar = rich.progress.Progress(
            "{task.description}",
            rich.progress.BarColumn(),
            rich.progress.TimeRemainingColumn(elapsed_when_finished=True),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
            speed_estimate_period=300,
        )
        done = position.epoch * position.steps + position.step
        self.task = self.bar.add_task("compiling the network", total=epochs * position.steps, completed=done)
        # A part that begins is not resumed, and of one that is done nothing is said.
        if done > begin * position.steps and (end in (None, epochs) or position.epoch < end):
            step = f", step {position.step} of {position.steps}" if position.step else ""
            self.console.print(f"resuming after epoch {position.epoch} of {epochs}{step}", markup=False)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.stop()

    def step(self, position: Position, figures: dict[str, float]) -> None:
        """Advances the bar by one step; `figures` are the running means of the epoch."""
        validating = "  validating" if position.step == position.steps else ""
        text = f"epoch {position.epoch + 1}/{self.epochs}  {_words(figures)}{validating}"
        self.bar.update(self.task, advance=1, description=text)

    def epoch(self, row: dict[str, float], best: bool, seconds: float) -> None:
        """Prints the line of a finished epoch, with a star if it is the best so far, which the first one explains.

        `seconds` is the training time so far, over all sessions.
        """
        figures = {key: value for key, value in row.items() if key != "epoch"}
        line = f"epoch {row['epoch']:>{len(str(self.epochs))}}/{self.epochs}  {_words(figures)}"
        star = (" *" if self.explained else " * best so far") if best else ""
        self.console.print(f"{line}  {seconds - self.seconds:.1f} s{star}", markup=False)
        self.seconds, self.explained = seconds, self.explained or best


def _words(figures: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.4g}" for key, value in figures.items())


@contextlib.contextmanager
def tensorboard(run: Run, at: Position) -> Iterator[EventFileWriter]:
    """Yields a TensorBoard writer that discards events which a killed session logged after its last checkpoint."""
    writer = EventFileWriter(str(run.file("tensorboard")))
    begun = SessionLog(status=SessionLog.START)  # TensorBoard drops older events of this step and of later ones
    writer.add_event(Event(step=at.epoch * at.steps + at.step, wall_time=time.time(), session_log=begun))
    try:
        yield writer
    finally:
        writer.close()


def log(writer: EventFileWriter, group: str, figures: dict[str, float], at: Position) -> None:
    """Logs the figures as curves of `group`, at the global step."""
    values = [Summary.Value(tag=f"{group}/{key}", simple_value=value) for key, value in figures.items()]
    step = at.epoch * at.steps + at.step
    writer.add_event(Event(step=step, wall_time=time.time(), summary=Summary(value=values)))
