"""The result tables of the model cards, and the headline results of all apps in the README."""

import json
from pathlib import Path
from typing import Any

from shared import paired, results

from .options import Tables

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- headlines: begin (generated) -->", "<!-- headlines: end -->"
HEADER = ["| app | data | metric | measured | best baseline | published |", "|---|---|---|---|---|---|"]


def write(options: Tables) -> None:
    """Runs the tables command: regenerates all tables from the records."""
    for path in sorted(ROOT.glob("apps/*/results.json")):
        results.replace(path.with_name("README.md"), results.table(read(path)))
    results.replace(ROOT / "README.md", headlines(), BEGIN, END)
    print("Updated the tables in README.md and in the model cards from the apps' results.json.")


def read(path: Path) -> list[dict[str, Any]]:
    """Reads the records of an app."""
    return json.loads(path.read_text(encoding="utf-8"))


def headlines() -> str:
    """Formats one row per task with its headline metric, for the best architecture."""
    rows = [*HEADER]
    for path in sorted(ROOT.glob("apps/*/results.json")):
        app, best = path.parent.name, {}
        for record in (record for record in read(path) if record["headline"]):
            task = results.column(record)
            if task not in best or goodness(record) > goodness(best[task]):
                best[task] = record
        rows += [results.headline(f"[{app}](apps/{app}/README.md)", record) for record in best.values()]
    return "\n".join(rows)


def goodness(record: dict[str, Any]) -> float:
    """Returns a score that is higher for better results, whatever the direction of the metric."""
    return paired.goodness(record["value"], record["direction"])
