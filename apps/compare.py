"""Compares architectures with the same data, schedule and number of parameters, using each app's train command.

An app is accessed only through its command line and its records. Each trial is a `train` command in its own process,
which resumes where it was interrupted; finished trials are not trained again.
"""

import contextlib
import dataclasses
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import rich.console
import rich.progress

from shared import InputError, files, results
from shared import runs as folders
from shared.data.wording import sized

from . import charts, engines, measured, planning, ranking
from .options import Compare
from .planning import Cell
from .ranking import Comparison
from .trial import FAILED, STOPPED, Trial, Work, check_finished, seconds_so_far

AGAIN = "Repeat the command to resume; what is finished is not trained again."


def compare(options: Compare) -> None:
    """Runs the compare command."""
    resources = engines.parsed(options.resources)
    engines.check(options.on, resources)
    cells = planning.plan(options)
    if options.commands:
        print_commands(cells)
        return
    with terminated_like_ctrl_c(), Board(sum(cell.count() for cell in cells)) as board:
        try:
            carry_out([trial for cell in cells for trial in cell.search()], options, resources, board)
            # Only now are the learning rates known.
            carry_out([trial for cell in cells for trial in cell.trials()], options, resources, board)
        except KeyboardInterrupt:
            raise folders.Stopped(f"Stopped. {AGAIN}") from None
    comparisons = [compared(app, cells, options) for app in dict.fromkeys(cell.app for cell in cells)]
    if len(comparisons) > 1:
        show_skill({each.app: charts.skills(records(each, options)) for each in comparisons})
    report_failures(cells, comparisons)


@contextlib.contextmanager
def terminated_like_ctrl_c() -> Iterator[None]:
    """Lets SIGTERM, which schedulers send, end this process as Ctrl-C does, so that trainings save their state."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def print_commands(cells: Sequence[Cell]) -> None:
    """Prints the train commands: those of the search, or once that has been carried out, of the chosen rates."""
    searches = [trial for cell in cells for trial in cell.search()]
    searching = [trial for trial in searches if not trial.settled(minutes=0)]
    trials = searching or [trial for cell in cells for trial in cell.trials()]
    if needed := [f"{name}={shlex.quote(value)}" for name, value in sorted(os.environ.items()) if passed(name)]:
        print("# The shell that runs these needs the same variables:")
        print("\n".join(f"# export {each}" for each in needed))
    print("\n".join(trial.command for trial in trials))
    for cell in cells:
        if cell.refused:
            print(f"{cell.app} {cell.arch}: {cell.refused}", file=sys.stderr)
    if searching:
        print("These search for learning rates. Afterwards, repeat this command for the other seeds.", file=sys.stderr)


def passed(name: str) -> bool:
    """Returns whether an environment variable decides what a train command reads, writes and runs on."""
    return name.startswith("GALLERY_") or name == "KERAS_BACKEND"


def carry_out(trials: Sequence[Trial], options: Compare, resources: engines.Resources, board: "Board") -> None:
    """Carries out all trials that are not settled yet, wherever --on says."""
    for trial in trials:
        check_finished(trial)
    todo = [trial for trial in trials if not trial.settled(options.minutes)]
    board.skip(trial for trial in trials if trial not in todo)
    if todo:
        board.start(todo)
        for trial in engines.ENGINES[options.on](todo, Work(options.minutes), resources):
            board.ended(trial)


class Board:
    """Prints one line per training that has ended; on a terminal also one progress bar over all of them."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, set[str]()
        self.console = rich.console.Console(highlight=False, soft_wrap=True)
        self.bar = rich.progress.Progress(
            "{task.description}",
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
            speed_estimate_period=24 * 3600,
        )
        self.task = self.bar.add_task("trainings", total=total)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.stop()

    def skip(self, trials: Iterable[Trial]) -> None:
        """Counts what was done before."""
        self.done |= {trial.log.name for trial in trials}
        self.bar.update(self.task, completed=len(self.done))

    def start(self, trials: Sequence[Trial]) -> None:
        """Says what is to be done."""
        where = folders.root() / "compare"
        self.say(
            f"{sized(len(trials), 'trainings')} to do, {len(self.done)} of {self.total} done before. Logs: {where}"
        )

    def ended(self, trial: Trial) -> None:
        """Counts a training that has ended, and says how."""
        self.skip([trial])
        said = ": ".join(part for part in measured.failure(trial) if part) or figure(trial)
        rate = f" learning rate {trial.rate:g}" if trial.rate else ""
        seconds = seconds_so_far(trial)
        self.say(
            f"[{len(self.done)}/{self.total}] {trial.app} {trial.arch} seed {trial.seed}{rate}: {said}, {seconds:.0f} s"
        )

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        self.console.print(text, markup=False)


def figure(trial: Trial) -> str:
    """Formats the figure of a finished training: in a search for learning rates on validation, else the headline."""
    record = measured.headline(trial)
    value = measured.best_validation(trial.path, record) if trial.rate else None
    if value is not None:
        return f"{measured.validation(trial.path, record)[0]} {value:.4g}"
    return f"{record['split']} {record['metric']} {record['value']:.4g}"


def compared(app: str, cells: Sequence[Cell], options: Compare) -> Comparison:
    """Prints an app's table, writes it, its rows and its pictures to files, and records the results if requested."""
    mine = [cell for cell in cells if cell.app == app]
    comparison = ranking.compared(app, mine, options.params, options.quality)
    text = ranking.table(comparison)
    print("\n" + text)
    if ranking.empty(comparison):
        print(f"Nothing has been measured, so nothing is written to {folders.root() / 'compare'}.")
    else:
        print("Written to " + ", ".join(map(str, write(comparison, text))))
    if options.record and comparison.found:
        results.keep(records(comparison, options), Path(__file__).parent / app)
    return comparison


def write(comparison: Comparison, text: str) -> list[Path]:
    """Writes a table, its rows and its pictures, and removes those of an earlier table; returns what was written."""
    kept = folders.root() / "compare" / f"{comparison.app}.md"
    kept.parent.mkdir(parents=True, exist_ok=True)
    seconds, parameters = (kept.with_name(f"{comparison.app}-{what}.png") for what in ("seconds", "parameters"))
    for picture in (seconds, parameters):
        picture.unlink(missing_ok=True)
    files.write_text(kept, text + "\n")
    files.write_json(kept.with_suffix(".json"), [dataclasses.asdict(row) for row in comparison.rows])
    charts.against_seconds(comparison, seconds)
    charts.against_parameters(comparison, parameters)
    return [path for path in (kept, kept.with_suffix(".json"), seconds, parameters) if path.exists()]


def records(comparison: Comparison, options: Compare) -> list[measured.Record]:
    """Returns the headline records, averaged over the seeds.

    Those of equal sizes have their budget, by which they are kept apart from what the recipe reaches.
    """
    found = []
    for arch, done in comparison.found.items():
        averaged = results.mean([measured.records(each.trial) for each in done], "seeds")
        own = averaged[0]["command"] + (f" --seeds {len(done)}" if len(done) > 1 else "")
        more = {
            "budget": comparison.size or None,
            "command": repeated(comparison.app, arch, len(done), options) if comparison.size else own,
        }
        found += [{k: v for k, v in (r | more).items() if k != "details"} for r in averaged if r["headline"]]
    return found


def repeated(app: str, arch: str, seeds: int, options: Compare) -> str:
    """Returns the command that measures one architecture of a comparison again."""
    words = ["python", "-m", "apps", "compare", "--app", app, "--arch", arch, "--params", options.params]
    words += ["--data", options.data] if options.data else []
    words += [f"--more={options.more}"] if options.more else []
    words += ["--tune", str(options.tune)] if options.tune > 1 else []
    words += ["--seeds", str(seeds)] if seeds > 1 else []
    return shlex.join(words)


def show_skill(skills: charts.Skills) -> None:
    """Prints the skill of each architecture in each app, and draws it as a heat map."""
    if not any(skills.values()):
        return
    text = charts.skill_table(skills)
    kept = folders.root() / "compare" / "skill.md"
    files.write_text(kept, text + "\n")
    charts.heat_map(skills, kept.with_suffix(".png"))
    print(f"\n{text}\nWritten to {kept}, {kept.with_suffix('.png')}")


def report_failures(cells: Sequence[Cell], comparisons: Sequence[Comparison]) -> None:
    """Says how to try again what has failed. Raises InputError if an app has no figure at all.

    That all trainings of an app were stopped at the time limit is no error: --minutes asked for it.
    """
    trials = [trial for cell in cells for trial in dict.fromkeys([*cell.search(), *cell.trials()])]
    states = [measured.failure(trial)[0] for trial in trials]
    trainings = sized(len(trials), "trainings")
    if stopped := states.count(STOPPED):
        print(f"\n{stopped} of {trainings} stopped at the time limit: a longer --minutes resumes them.")
    if failed := states.count(FAILED):
        print(f"\n{failed} of {trainings} failed. Repeat the command to try them again.")
    waiting = {trial.app for trial, state in zip(trials, states, strict=True) if state == STOPPED}
    broken = {trial.app for trial, state in zip(trials, states, strict=True) if state not in ("", STOPPED)}
    without = [c.app for c in comparisons if ranking.empty(c) and (c.app in broken or c.app not in waiting)]
    if without:
        or_stopped = " or was stopped at the time limit" if waiting.intersection(without) else ""
        raise InputError(
            f"Every training of {', '.join(without)} failed{or_stopped}: see the logs in "
            f"{folders.root() / 'compare'}, then repeat the command"
        )
