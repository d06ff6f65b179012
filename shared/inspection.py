"""The command check-data: what it prints, the picture it draws, and its exit status."""

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import files, runs, settings
from shared.data.doctor import NOTE, PROBLEM, Finding, sized, worst_first

if TYPE_CHECKING:
    from shared.plots import Panel

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


def effort(
    file: str | Path, config: Any, recipes: Mapping[str, Any], steps: int, epochs: int, app: str = ""
) -> Finding:
    """Says how many steps a training takes; and its minutes, if exactly this training is recorded in results.json.

    Args:
        file: a file in the folder of the app. steps: batches in an epoch. epochs: at most.
        app: name of the app in `shared.runs`; by default that of the folder.
    """
    folder = Path(file).parent
    times = f"{epochs:,} epoch{'s' * (epochs > 1)}"
    text = f"training takes at most {times} of about {sized(steps, 'batches')}, {sized(epochs * steps, 'steps')}"
    wanted = settings.command(app or folder.name, config, recipes)
    path = folder / "results.json"
    for record in runs.read_json(path, list) if path.exists() else []:
        if record["command"].partition(" --seeds ")[0].partition(" --folds ")[0] == wanted and record["minutes"]:
            return Finding(NOTE, f"{text}; it took {record['minutes']:g} minutes on {record['hardware']}")
    return Finding(NOTE, text)
