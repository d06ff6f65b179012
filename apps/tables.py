"""The result tables of the model cards, and the headline results of all apps in the README."""

import json
from pathlib import Path
from typing import Any

from shared import paired, tables, verdicts
from shared.layers import ARCHITECTURES

from . import charts
from .options import Tables

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- headlines: begin (generated) -->", "<!-- headlines: end -->"
FEWEST = 4  # architectures of one size on the same data, to be in the picture of all
SHOWN = 3  # data sets of an app in the README
SPREAD = 1.05  # of their sizes: largest / smallest
HEADER = ["| app | data | metric | measured | best baseline | published |", "|---|---|---|---|---|---|"]


def write(options: Tables) -> None:
    """Runs the tables command: regenerates all tables, and the picture of all architectures, from the records."""
    for path in sorted(ROOT.glob("apps/*/results.json")):
        tables.replace(path.with_name("README.md"), tables.table(read(path)))
    tables.replace(ROOT / "README.md", headlines(), BEGIN, END)
    if rows := skills():
        charts.heat_map(rows, ROOT / "apps" / "skill.png")
    print("Updated the tables in README.md and in the model cards, and apps/skill.png, from the apps' results.json.")


def read(path: Path) -> list[dict[str, Any]]:
    """Reads the records of an app."""
    return json.loads(path.read_text(encoding="utf-8"))


def skills() -> charts.Skills:
    """Returns the lead over the best baseline wherever at least `FEWEST` architectures of one size were compared.

    A row is an app with its data and task, by the headline metric; architectures are in the order of the library.
    """
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for path in sorted(ROOT.glob("apps/*/results.json")):
        for record in (record for record in read(path) if record["headline"]):
            name = f"{path.parent.name}, {verdicts.source(record)}"
            groups.setdefault((name, record["budget"] or 0), []).append(record)
    place = list(ARCHITECTURES).index
    rows = {}
    for (name, budget), some in groups.items():
        sizes = [record["non_embedding"] or record["params"] for record in some]
        if len(some) >= FEWEST and max(*sizes, budget) <= SPREAD * min(*sizes, budget or min(sizes)):
            size = f"{budget / 1e6:g}M" if budget >= 1_000_000 else f"{budget / 1e3:g}k"
            label = f"{name}, {size}" if budget else name
            rows[label] = charts.skills(sorted(some, key=lambda record: place(record["arch"])))
    return rows


def headlines() -> str:
    """Formats one row per data set and split with its headline metric, for the best architecture; `SHOWN` for an app.

    Of several tasks on the same data, such as horizons, it has the first of those with the most seeds or folds. What
    was measured with a size chosen for `compare` is not in it.
    """
    rows = [*HEADER]
    for path in sorted(ROOT.glob("apps/*/results.json")):
        app, best = path.parent.name, {}
        for record in (r for r in read(path) if r["headline"] and not r["budget"]):
            data = (record["data"], record["split"])
            known = best.get(data)
            if known is None or rank(record, known) > rank(known, known):
                best[data] = record
        shown = sorted(best, key=lambda data: telling(best[data]), reverse=True)[:SHOWN]
        rows += [tables.headline(f"[{app}](apps/{app}/README.md)", best[data]) for data in best if data in shown]
    return "\n".join(rows)


def telling(record: dict[str, Any]) -> tuple[bool, bool, int]:
    """Returns what decides which data sets are shown: built-in, then with a published figure, then with most runs."""
    return record["data"] == "builtin", record["published"] is not None, record["n"]


def rank(record: dict[str, Any], known: dict[str, Any]) -> tuple[int, float]:
    """Returns what makes a record the one to show: its number of runs; for the same task also how good it is."""
    same = tables.column(record) == tables.column(known)
    return record["n"], goodness(record) - goodness(known) if same else 0.0


def goodness(record: dict[str, Any]) -> float:
    """Returns a score that is higher for better results, whatever the direction of the metric."""
    return paired.goodness(record["value"], record["direction"])
