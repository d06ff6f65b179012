"""results.json: the measured figures of an app, and the table that its README shows of them."""

import json
from pathlib import Path

from shared import InputError, runs

BEGIN, END = "<!-- results: begin (generated) -->", "<!-- results: end -->"
KEY = ("data", "split", "metric", "arch", "params", "command")
HEADER = (
    "| data, split | metric | arch | parameters | measured | simple baseline | published | minutes | hardware |",
    "|---|---|---|---|---|---|---|---|---|",
)


def record(path: Path, records: list[dict]) -> None:
    """Adds the records to results.json; a record of the same data, metric, architecture and command is replaced."""
    old = runs.read_json(path, list) if path.exists() else []
    kept = {tuple(map(str, (r[key] for key in KEY))): r for r in [*old, *records]}
    runs.write_json(path, sorted(kept.values(), key=lambda r: tuple(str(r[key]) for key in KEY)))


def table(records: list[dict]) -> str:
    """The records as a Markdown table, each command below it once."""
    rows = [*HEADER]
    for r in records:
        spread = f" ± {r['std']:.3g}" if r["std"] is not None else ""
        seeds = f" ({r['seeds']} seeds)" if r["seeds"] > 1 else ""
        published = f"{r['published']['value']:g} {r['published']['name']}" if r["published"] else ""
        rows.append(
            f"| {r['data']}, {r['split']} | {r['metric']} | {r['arch']} | {r['params']:,} | "
            f"**{r['value']:.4g}**{spread}{seeds} | {r['baseline']['value']:.4g} {r['baseline']['name']} | "
            f"{published} | {r['minutes']:g} | {r['hardware']} |"
        )
    commands = dict.fromkeys(r["command"] for r in records)
    return "\n".join([*rows, "", "Measured by:", "", "```", *commands, "```"])


def render(readme: Path, path: Path) -> None:
    """Puts the table of results.json into the README; see `replace`."""
    replace(readme, table(json.loads(path.read_text(encoding="utf-8"))))


def replace(readme: Path, generated: str) -> None:
    """Puts generated text between the marks of the README.

    Raises:
        InputError: if the README has no such marks.
    """
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise InputError(f"Expected the lines {BEGIN} and {END} in {readme}.")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    runs.write_text(readme, f"{before}{BEGIN}\n{generated}\n{END}{after}")
