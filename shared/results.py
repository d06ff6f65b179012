"""results.json: the measured figures of an app, and the table that its README shows of them."""

import json
import re
from pathlib import Path

from shared import InputError, runs

BEGIN, END = "<!-- results: begin (generated) -->", "<!-- results: end -->"
KEY = ("data", "split", "metric", "arch", "params", "command")
HEADER = (
    "| data, split | metric | arch | parameters | measured | simple baseline | published | minutes | hardware |",
    "|---|---|---|---|---|---|---|---|---|",
)
LONGEST = 20  # rows; more records than that are shown side by side


def record(path: Path, records: list[dict]) -> None:
    """Adds the records to results.json; a record of the same data, metric, architecture and command is replaced."""
    old = runs.read_json(path, list) if path.exists() else []
    kept = {tuple(map(str, (r[key] for key in KEY))): r for r in [*old, *records]}
    runs.write_json(path, sorted(kept.values(), key=lambda r: [_natural(str(r[key])) for key in KEY]))


def _natural(text: str) -> list[tuple[int, str]]:
    """Sorts numbers in a text by their value: T=50 before T=100."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def table(records: list[dict]) -> str:
    """The records as a Markdown table, each command below it once.

    Many records, each architecture measured once on each of the data, become one row an architecture.
    """
    cells = {(r["arch"], *_column(r)) for r in records}
    if len(records) > LONGEST and len(cells) == len(records):
        return _side_by_side(records)
    rows = [*HEADER]
    for r in records:
        seeds = f" ({r['seeds']} seeds)" if r["seeds"] > 1 else ""
        published = f"{r['published']['value']:g} {r['published']['name']}" if r["published"] else ""
        rows.append(
            f"| {r['data']}, {r['split']} | {r['metric']} | {r['arch']} | {r['params']:,} | "
            f"{_measured(r)}{seeds} | {r['baseline']['value']:.4g} {r['baseline']['name']} | "
            f"{published} | {r['minutes']:g} | {r['hardware']} |"
        )
    return "\n".join([*rows, "", "Measured by:", "", *_commands(records)])


def _side_by_side(records: list[dict]) -> str:
    """A row for each architecture, a column for each data, split and metric; the simple methods come last."""
    columns = {_column(r): r for r in records}
    found = {(r["arch"], *_column(r)): r for r in records}
    heads = [", ".join(column) for column in columns]
    rows = [f"| arch | parameters | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for arch in dict.fromkeys(r["arch"] for r in records):
        cells = [found.get((arch, *column)) for column in columns]
        sizes = _span([r["params"] for r in cells if r])
        rows.append(f"| {arch} | {sizes} | {' | '.join(_measured(r) if r else '' for r in cells)} |")
    for name, key in (("simple baseline", "baseline"), ("published", "published")):
        others = [r[key] for r in columns.values()]
        if any(others):
            said = " | ".join(f"{other['value']:.4g} {other['name']}" if other else "" for other in others)
            rows.append(f"| {name} | | {said} |")
    seeds = _span([r["seeds"] for r in records])
    said = "One seed" if seeds == "1" else f"Means of {seeds} seeds"
    minutes = sum(r["minutes"] * r["seeds"] for r in records)
    hardware = ", ".join(dict.fromkeys(r["hardware"] for r in records))
    return "\n".join([*rows, "", f"{said}; {minutes:,.0f} minutes in all, {hardware}. By:", "", *_commands(records)])


def _span(numbers: list[int]) -> str:
    return " to ".join(f"{number:,}" for number in dict.fromkeys([min(numbers), max(numbers)]))


def _column(record: dict) -> tuple[str, str, str]:
    return record["data"], record["split"], record["metric"]


def _measured(record: dict) -> str:
    spread = f" ± {record['std']:.3g}" if record["std"] is not None else ""
    return f"**{record['value']:.4g}**{spread}"


def _commands(records: list[dict]) -> list[str]:
    return ["```", *dict.fromkeys(r["command"] for r in records), "```"]


def winner(record: dict) -> str:
    """Who is ahead by the record's value, direction ("higher" or "lower" is better) and baseline, in a few words."""
    sign = -1 if record["direction"] == "lower" else 1
    ahead = sign * (record["value"] - record["baseline"]["value"])
    if ahead == 0:
        return "a tie"
    return "the network wins" if ahead > 0 else f"{record['baseline']['name']} wins"


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
