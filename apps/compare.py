"""Compares architectures with the same data, schedule and number of parameters, using each app's train command.

An app is accessed only through its command line and its records. Each trial is a `train` command in its own process,
which resumes where it was interrupted; finished trials are not trained again.
"""

import dataclasses
import importlib
import os
import re
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared import InputError, MissingFileError, cli, files, paired, plots, results
from shared import runs as folders
from shared.fingerprint import fingerprint
from shared.layers import ARCHITECTURES

from .gallery import gallery
from .options import Compare

OWN = ("--data", "--params", "--arch", "--seed", "--seeds", "--folds", "--run")  # options that --more must not contain
SIZES = {"": 1, "k": 1_000, "m": 1_000_000}
HEADER = (
    "| architecture | parameters | {figure} | lead over the best other | minutes | peak MiB | |",
    "|---|---|---|---|---|---|---|",
)


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training: its command and its run folder."""

    app: str
    arch: str
    seed: int
    name: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command line."""
        return shlex.join(["python", "-m", f"apps.{self.app}", *self.words])

    @property
    def path(self) -> Path:
        """The run folder."""
        return folders.root() / self.app / self.name

    @property
    def finished(self) -> bool:
        """Whether the run has been trained to the end and evaluated."""
        return (self.path / "metrics.json").exists()

    @property
    def log(self) -> Path:
        """The file with the output of the training."""
        return folders.root() / "compare" / f"{self.app}-{self.name}.log"

    @property
    def outcome(self) -> Path:
        """The file with the outcome: status, reason, peak memory."""
        return self.log.with_suffix(".json")


def compare(options: Compare) -> None:
    """Runs the compare command."""
    planned = plan(options)
    if options.commands:
        print("\n".join(trial.command for trial in planned))
        return
    for trial in planned:
        check_finished(trial)
    try:
        for number, trial in enumerate(planned, 1):
            if not trial.finished:
                print(f"[{number}/{len(planned)}] {trial.command}", flush=True)
                carry_out(trial)
    except KeyboardInterrupt:
        raise folders.Stopped("Stopped. Repeat the command to resume; what is finished is not trained again.") from None
    apps = dict.fromkeys(trial.app for trial in planned)
    for app in apps:
        show(app, [trial for trial in planned if trial.app == app], options)
    trained = {trial.app for trial in planned if trial.finished}
    if failed := [app for app in apps if app not in trained]:
        logs = folders.root() / "compare"
        raise InputError(
            f"Every training of {', '.join(failed)} failed: see the logs in {logs}, then repeat the command"
        )


def check_finished(trial: Trial) -> None:
    """Raises InputError if the trial is finished but its data has changed since."""
    if trial.finished:
        try:
            folders.find(trial.app, trial.name).check_files()
        except InputError as error:
            raise InputError(
                f"{error} To train it again: python -m apps runs --delete {trial.app}/{trial.name}"
            ) from error


def plan(options: Compare) -> list[Trial]:
    """Returns all trials; raises InputError if any command line is invalid."""
    known = [name for name, _ in gallery()]
    apps = known if options.app == ("all",) else chosen("--app", options.app, known)
    archs = chosen("--arch", options.arch, list(ARCHITECTURES))
    size = parameters(options.params) if options.params else 0
    if ("/" in options.data or Path(options.data).suffix) and not (":" in options.data or Path(options.data).exists()):
        raise MissingFileError(
            f"--data: expected a data set of the app, a file or a folder. There is no {options.data}"
        )
    shared_words = [*(["--data", options.data] if options.data else []), *(["--params", str(size)] if size else [])]
    shared_words += further(options.more)
    trials = []
    for app in apps:
        check_words(app, archs, shared_words)
        for arch in archs:
            for seed in range(1, options.seeds + 1):
                words = ["train", *shared_words, "--arch", arch, "--seed", str(seed)]
                name = f"compare-{arch}-{fingerprint(words)[:8]}"
                trials.append(Trial(app, arch, seed, name, (*words, "--run", name)))
    return trials


def chosen(option: str, names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Removes duplicate names. Raises InputError if there are none, or one is unknown."""
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        every = ", or all" if option == "--app" else ""
        received = repr(wrong[0]) if wrong else "none"
        raise InputError(f"{option}: expected one or more of {', '.join(known)}{every}; received {received}")
    return list(dict.fromkeys(names))


def further(more: str) -> list[str]:
    """Splits --more into words. Raises InputError if it cannot be parsed, or contains options set by this command."""
    try:
        words = shlex.split(more)
    except ValueError as error:
        raise InputError(f"--more: expected options as they are typed; received {more!r}: {error}") from error
    if taken := [word for word in words if word.partition("=")[0] in OWN]:
        raise InputError(f"--more: expected other options than {', '.join(OWN)}; received {taken[0]}")
    return words


def check_words(app: str, archs: Sequence[str], shared_words: Sequence[str]) -> None:
    """Raises InputError if `train` rejects the words with every architecture, including the app's default.

    Checked before a backend is loaded. An architecture unknown to the app is not an error: it gets a line in the table.
    """
    options = importlib.import_module(f"apps.{app}.options")
    refused = []
    for arch in ([], *(["--arch", arch] for arch in archs)):
        words = ["train", *shared_words, *arch]
        try:
            parsed = cli.parse(f"apps.{app}", options.verbs(words), words)
            if check := getattr(parsed, "check", None):
                check()
            return
        except InputError as error:
            refused.append(error)
    raise refused[0]


def parameters(text: str) -> int:
    """Parses a number of parameters such as 200000, 200k or 1.5M."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmM]?)", text)
    size = round(float(match[1]) * SIZES[match[2].lower()]) if match else 0
    if not size:
        raise InputError(f"--params: expected a number such as 200000, 200k or 1.5M; received {text!r}")
    return size


def carry_out(trial: Trial) -> None:
    """Trains in a separate process; saves the outcome next to its log, also after a failure."""
    trial.log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with trial.log.open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", f"apps.{trial.app}", *trial.words], stdout=log, stderr=log)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            process.wait()  # the training received the signal too; it saves its state and exits
            raise
    process.returncode = os.waitstatus_to_exitcode(status)
    lines = trial.log.read_text(encoding="utf-8", errors="replace").strip().split("\n")
    finished = process.returncode == 0 and trial.finished
    outcome = {
        "finished": finished,
        "status": process.returncode,
        "reason": "" if finished else lines[-1][:200],
        "seconds": round(time.monotonic() - started, 1),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }
    files.write_json(trial.outcome, outcome)
    print(
        f"    {'finished' if finished else 'failed: ' + outcome['reason']} after {outcome['seconds']:.0f} s", flush=True
    )


def show(app: str, trials: list[Trial], options: Compare) -> None:
    """Prints an app's table, writes it and its plot to files, and records the results if requested."""
    found: dict[str, list[list[dict[str, Any]]]] = {}
    for trial in trials:
        if trial.finished:
            found.setdefault(trial.arch, []).append(folders.read_json(trial.path / "metrics.json", list))
    text = table(app, trials, found)
    print("\n" + text)
    kept = folders.root() / "compare" / f"{app}.md"
    files.write_text(kept, text + "\n")
    if found:
        draw(app, found, kept.with_suffix(".png"))
        print(f"Written to {kept} and {kept.with_suffix('.png')}")
    if options.record and found:
        records = [record for done in found.values() for record in results.mean(done, "seeds") if record["headline"]]
        results.keep(records, Path(__file__).parent / app)


def table(app: str, trials: list[Trial], found: dict[str, list[list[dict[str, Any]]]]) -> str:
    """Formats a Markdown table: one row per architecture, best first, then failures, then baselines."""
    values = {arch: [main(records)["value"] for records in done] for arch, done in found.items()}
    lines = [f"## {app}", ""]
    if not found:
        lines += [HEADER[0].format(figure="figure"), HEADER[1]]
    else:
        first = main(next(iter(found.values()))[0])
        better = {"higher": "higher is better", "lower": "lower is better", "one": "closest to 1 is best"}
        figure = f"{first['split']} {first['metric']} ({better[first['direction']]})"
        lines += [f"{first['data']}, the same schedule for all.", "", HEADER[0].format(figure=figure), HEADER[1]]
        order = sorted(found, key=lambda arch: -paired.goodness(statistics.mean(values[arch]), first["direction"]))
        lines += [row(arch, trials, found, values, order, first["direction"]) for arch in order]
    for arch in dict.fromkeys(trial.arch for trial in trials if trial.arch not in found):
        reason = next(outcome_of(trial)["reason"] for trial in trials if trial.arch == arch)
        lines.append(f"| {arch} | | | | | | failed: {reason} |")
    if found:
        lines += [f"| *{name}* | | {value:.4g} | | | | baseline |" for name, value in baselines(found).items()]
    return "\n".join(lines)


def row(arch: str, trials: list[Trial], found: dict, values: dict, order: list[str], direction: str) -> str:
    """Formats the row of one architecture."""
    done, mine = found[arch], values[arch]
    spread = f" ± {statistics.stdev(mine):.3g}" if len(mine) > 1 else ""
    minutes = statistics.mean(main(records)["minutes"] for records in done)
    peak = max((outcome_of(t)["peak_mib"] for t in trials if t.arch == arch), default=0)
    planned = sum(trial.arch == arch for trial in trials)
    missing = f"{planned - len(done)} of {planned} failed" if len(done) < planned else ""
    other = next((each for each in order if each != arch), None)
    ahead = lead(mine, values[other], direction, other) if other else ""
    size = f"{main(done[0])['params']:,}"
    return f"| {arch} | {size} | {statistics.mean(mine):.4g}{spread} | {ahead} | {minutes:.1f} | {peak:,} | {missing} |"


def lead(mine: list[float], theirs: list[float], direction: str, other: str) -> str:
    """Formats the lead over another architecture, with the 95 % interval over the seeds (Welch's t)."""
    difference = paired.goodness(statistics.mean(mine), direction) - paired.goodness(statistics.mean(theirs), direction)
    if len(mine) < 2 or len(theirs) < 2:
        return f"{difference:+.3g} over {other}, one seed"
    from scipy import stats

    signed = [[paired.goodness(value, direction) for value in some] for some in (mine, theirs)]
    if statistics.stdev(mine) == statistics.stdev(theirs) == 0:
        return f"{difference:+.3g} over {other}"
    interval = stats.ttest_ind(*signed, equal_var=False).confidence_interval(paired.LEVEL)
    word = "no difference to" if interval.low <= 0 <= interval.high else f"{difference:+.3g} over"
    return f"{word} {other} ({interval.low:+.2g} to {interval.high:+.2g})"


def main(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the headline record of a run."""
    return next(record for record in records if record["headline"])


def baselines(found: dict[str, list[list[dict[str, Any]]]]) -> dict[str, float]:
    """Returns the baselines of the headline metric, best first."""
    first = main(next(iter(found.values()))[0])
    return dict(sorted(first["baselines"].items(), key=lambda item: -paired.goodness(item[1], first["direction"])))


def outcome_of(trial: Trial) -> dict[str, Any]:
    """Returns the outcome of a trial; for one trained by another command, only default values are known."""
    if not trial.outcome.exists():
        return {"finished": True, "reason": "not run", "peak_mib": 0}
    return folders.read_json(trial.outcome, dict)


def draw(app: str, found: dict[str, list[list[dict[str, Any]]]], path: Path) -> None:
    """Plots the metric of each architecture and seed over its training time, with the best baseline."""
    first = main(next(iter(found.values()))[0])
    figure, axes = plots.new_figure(f"{app}, {first['data']}", size=(6.0, 4.0))
    for arch, done in found.items():
        mains = [main(records) for records in done]
        axes.plot([r["minutes"] for r in mains], [r["value"] for r in mains], "o", label=arch)
    for name, value in list(baselines(found).items())[:1]:
        axes.axhline(value, color="grey", linestyle="--", label=name)
    axes.set(xlabel="minutes of training", ylabel=f"{first['split']} {first['metric']}")
    axes.grid(alpha=0.3)
    axes.legend()
    plots.save(figure, path)
