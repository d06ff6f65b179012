"""The command check-data: what it prints, the picture it draws, and its exit status."""

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from shared import files, runs, settings
from shared.data.doctor import NOTE, PROBLEM, Finding, sized, worst_first

if TYPE_CHECKING:
    from shared.plots import Panel

ALIKE = ("arch", "units", "params", "layers", "batch_size")  # what the time depends on besides the data
LONG = 120  # minutes, above which they are written as hours
MISLEADING = 1  # exit status
MISLEADS = "A figure measured on this data would mislead: see {problems}."
SOUND = "Nothing was found that would make a figure measured on this data mislead."


def without_backend() -> None:
    """Lets Keras start on NumPy, which is faster, unless the user chose a backend: reading data needs none."""
    os.environ.setdefault("KERAS_BACKEND", "numpy")


@dataclasses.dataclass(frozen=True)
class Report:
    """Base class for the options of the command, which also has the settings of the data."""

    # picture of the distributions to write; by default check-data-APP.png in the working folder
    out: str = ""
    # print one JSON object instead of text
    json: bool = False

    @property
    def app(self) -> str:
        """The app's folder."""
        return type(self).__module__.split(".")[-2]

    @property
    def picture(self) -> Path:
        """The path of the picture."""
        return Path(self.out or f"check-data-{self.app}.png")

    def check(self) -> None:
        """Raises InputError if the picture cannot be written."""
        without_backend()
        files.check_picture(self.picture, "--out")


@dataclasses.dataclass(frozen=True)
class Inspected:
    """What an app found: its data in one line, the findings, and the distributions to draw."""

    data: str
    findings: list[Finding]
    panels: "list[Panel]"


def report(options: Any, look: Callable[[Any], Inspected]) -> None:
    """Calls `look(options.config)`, prints what it found, the gravest first, and draws the distributions.

    Exits with status 1 if there is a problem.
    """
    from shared import plots

    with contextlib.redirect_stdout(sys.stderr):  # what reading the data prints is no part of the JSON object
        found = look(options.config)
    findings = worst_first(found.findings)
    plots.distributions(found.panels, options.picture, found.data)
    problems = [finding for finding in findings if finding.level == PROBLEM]
    if options.json:
        listed = [finding._asdict() for finding in findings]
        picture = {"picture": str(options.picture), "problems": len(problems)}
        print(json.dumps({"app": options.app, "data": found.data, "findings": listed} | picture, ensure_ascii=False))
    else:
        print(found.data)
        for level, text in findings:
            print(f"  {level:8} {text}")
        print(f"Picture: {options.picture}")
        print(MISLEADS.format(problems="the problems" if len(problems) > 1 else "the problem") if problems else SOUND)
    if problems:
        sys.stdout.flush()
        raise SystemExit(MISLEADING)


class Amount(NamedTuple):
    """What a training reads in an epoch, which its time is in proportion to, compared with the recorded training.

    The recorded training is that of the app's first recipe, usually of the built-in data.

    read: in an epoch. what: is counted, in the plural, such as "characters". recorded: in an epoch of the recorded
    training. epochs: of the recorded training; 0: those of its recipe. alike: settings that must be equal for the times
    to be in proportion, in addition to `ALIKE`.
    """

    read: float
    what: str
    recorded: float
    epochs: int = 0
    alike: tuple[str, ...] = ()


def effort(
    file: str | Path,
    config: Any,
    recipes: Mapping[str, Any],
    steps: int,
    epochs: int,
    amount: Amount | str,
    app: str = "",
) -> Finding:
    """Says how many steps a training takes, and how many minutes: recorded in results.json, or else estimated.

    Args:
        file: a file in the folder of the app. steps: batches in an epoch. epochs: at most.
        amount: what the estimate is made from; a text: why there can be none.
        app: name of the app in `shared.runs`; by default that of the folder.
    """
    folder = Path(file).parent
    app = app or folder.name
    times = sized(epochs, "epochs")
    text = f"training takes at most {times} of about {sized(steps, 'batches')}, {sized(epochs * steps, 'steps')}"
    kept = folder / "results.json"
    records = runs.read_json(kept, list) if kept.exists() else []
    if exactly := _recorded(records, settings.command(app, config, recipes)):
        return Finding(NOTE, f"{text}; it took {in_words(exactly['minutes'])} on {exactly['hardware']}")
    start = next(iter(recipes.values()))
    known = _recorded(records, settings.command(app, start, recipes))
    return Finding(NOTE, f"{text}; {_estimated(config, start, known, epochs, amount)}")


def _recorded(records: list[dict[str, Any]], command: str) -> dict[str, Any] | None:
    """Returns a record of this command, whatever the number of seeds and folds, that has the time of its training."""
    for record in records:
        if record["command"].partition(" --seeds ")[0].partition(" --folds ")[0] == command and record["minutes"]:
            return record
    return None


def _estimated(config: Any, start: Any, known: dict[str, Any] | None, epochs: int, amount: Amount | str) -> str:
    """Says how long the training may take, given a record of the one with the settings `start`; or why it cannot."""
    none = "no estimate of the minutes"
    if isinstance(amount, str):
        return f"{none}: {amount}"
    if not known:
        return f"{none}: no training with the settings of this app is recorded"
    for name in (*ALIKE, *amount.alike):
        ours, theirs = (getattr(some, name, None) for some in (config, start))
        if ours != theirs:
            return f"{none}: the recorded training has {settings.flag(name)} {theirs}, not {ours}"
    ratio, minutes = scaled(known["minutes"], amount.read * epochs, amount.recorded * (amount.epochs or start.epochs))
    took = f"{in_words(known['minutes'])} on {known['hardware']}"
    return (
        f"an estimate: {f'about {in_words(minutes)}' if minutes >= 1 else 'less than a minute'}, as that of "
        f"{start.data} took {took}, and this one reads {_times(ratio)} {amount.what}"
    )


def scaled(minutes: float, amount: float, recorded: float) -> tuple[float, float]:
    """Estimates the time of a training from a recorded one, as in proportion to what it reads.

    Args:
        minutes: those of the recorded training, which read the amount `recorded`. amount: what this one reads.

    Returns:
        How many times as much this one reads, and its minutes.

    >>> scaled(1.5, 800_000, 400_000)
    (2.0, 3.0)
    """
    ratio = amount / recorded
    return ratio, minutes * ratio


def in_words(minutes: float) -> str:
    """Writes minutes with two digits, and many of them as hours.

    >>> in_words(0.3), in_words(1), in_words(12.34), in_words(300)
    ('0.3 minutes', '1 minute', '12 minutes', '5 hours')
    """
    if minutes > LONG:
        return f"{minutes / 60:.2g} hours"
    shown = f"{minutes:.2g}" if minutes < 10 else f"{minutes:.0f}"
    return f"{shown} {'minute' if shown == '1' else 'minutes'}"


def _times(ratio: float) -> str:
    """Says how many times as many, with two digits.

    >>> _times(1.04), _times(2.04), _times(1234.5)
    ('as many', '2 times as many', '1,234 times as many')
    """
    shown = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.2g}"
    return "as many" if shown == "1" else f"{shown} times as many"
