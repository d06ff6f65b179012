"""Result records as Markdown tables: in a model card, with every figure, and in the README, with the headlines."""

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from shared import InputError, files
from shared.verdicts import NO_INTERVAL, Record, best_baseline, label, source, undecided, winner

BEGIN, END = "<!-- results: begin (generated) -->", "<!-- results: end -->"
HEADER = (
    "| data | split | metric | architecture | parameters | measured | best baseline | published | minutes | hardware |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
SEVERAL = 6  # rows; with more records of one architecture per data set the table has one row per data set instead, ...
LEADING = 3  # ... with its first metrics
LONGEST = 20  # rows; with more records of several architectures the table has one column per data set instead
TOLERANCE = 0.03  # of a size that was asked for; beyond it the size is shown
ARROWS = {"higher": "↑", "lower": "↓", "one": "→ 1"}  # which values are better
REPEATED = 3  # commands that differ in one value, to write them as a loop


def table(records: list[Record]) -> str:
    """Returns the records as Markdown tables: those of the recipes, then those with an equal number of parameters."""
    budgets = {r["budget"] for r in records}
    parts = [[r for r in records if r["budget"] == budget] for budget in sorted(budgets, key=lambda size: size or 0)]
    return "\n\n".join(_of_equal_size(some) if some[0]["budget"] else _of_recipes(some) for some in parts)


def _of_equal_size(records: list[Record]) -> str:
    """Returns a table with a row per data set and a column per architecture, and the commands."""
    archs = list(dict.fromkeys(r["arch"] for r in records))
    rows: dict[str, dict[str, Record]] = {}
    for r in records:
        rows.setdefault(f"{source(r)}, {r['split']} {_metric(r)}", {})[r["arch"]] = r
    size = f"{records[0]['budget']:,} parameters each, without embeddings"
    lines = [f"| {size} | {' | '.join(archs)} | best baseline | runs | minutes |"]
    lines.append("|---" * (len(archs) + 4) + "|")
    for name, found in rows.items():
        cells = " | ".join(_of_size(found[arch]) if arch in found else "" for arch in archs)
        one = next((r for r in found.values() if r["baselines"]), next(iter(found.values())))
        counts, minutes = _span([r["n"] for r in found.values()]), statistics.mean(r["minutes"] for r in found.values())
        lines.append(f"| {name} | {cells} | {_baseline(one)} | {counts} | {minutes:.1f} |")
    same = any(" =" in line for line in lines)
    said = "= beside a figure: the interval of its difference from the best baseline includes 0. " if same else ""
    commands = ", ".join(f"`{command}`" for command in _looped(dict.fromkeys(r["command"] for r in records)))
    return "\n".join([*lines, "", f"{said}Measured by {commands}"])


def _of_size(record: Record) -> str:
    """Returns a figure among others of equal size; with the size, if no width meets it."""
    off = record["non_embedding"] and abs(record["non_embedding"] / record["budget"] - 1) > TOLERANCE
    size = f" ({record['non_embedding']:,})" if off else ""
    same = " =" if undecided(record).endswith("difference)") else ""
    return f"{_measured(record)}{same}{size}"


def _of_recipes(records: list[Record]) -> str:
    """Returns a table, followed by each distinct command.

    Few records have a row each. More than `SEVERAL` of one architecture per data set have a row per data set with its
    first `LEADING` metrics, and more than `LONGEST` of several architectures a row per architecture.
    """
    columns = [column(r) for r in records]
    if len(records) > SEVERAL and len(set(columns)) == len(records):
        return _by_data(records)
    if len(records) > LONGEST and len({(r["arch"], *column(r)) for r in records}) == len(records):
        return _by_architecture(records)
    rows = [*HEADER]
    for r in records:
        averaged = f" ({r['n']} {r['over']})" if r["over"] else ""
        rows.append(
            f"| {source(r)} | {r['split']} | {_metric(r)} | {r['arch']} | {r['params']:,} | {_measured(r)}{averaged} | "
            f"{_baseline(r)}{undecided(r)} | {_published(r)} | {r['minutes']:g} | {r['hardware']} |"
        )
    return "\n".join([*rows, "", "Minutes are per run. Commands:", "", *_commands(records)])


def _by_data(records: list[Record]) -> str:
    """Returns a table with a row per data set and task, and a column per metric."""
    by_data: dict[tuple[str, str, int, int], list[Record]] = {}
    for r in records:
        by_data.setdefault((f"{source(r)}, {r['split']}", r["arch"], r["params"], r["n"]), []).append(r)
    heads = dict.fromkeys(_metric(r) for some in by_data.values() for r in some[:LEADING])
    rows = [f"| data | architecture | parameters | {' | '.join(heads)} | runs | minutes |"]
    rows.append("|---" * (len(heads) + 5) + "|")
    for (name, *_), some in by_data.items():
        found = {_metric(r): r for r in some}
        cells = " | ".join(_compared(found[head]) if head in found else "" for head in heads)
        one = some[0]
        rows.append(f"| {name} | {one['arch']} | {one['params']:,} | {cells} | {one['n']} | {one['minutes']:g} |")
    hardware = ", ".join(dict.fromkeys(r["hardware"] for r in records))
    said = (
        "In brackets the best baseline: = where the interval of the difference includes 0, ~ where none was "
        f"recorded, behind where the baseline wins. Minutes are per run, {hardware}. Further metrics: `results.json`. "
        "Commands:"
    )
    return "\n".join([*rows, "", said, "", *_commands(records)])


def _compared(record: Record) -> str:
    """Returns the figure, the best baseline and the published figure in one cell."""
    won = winner(record)
    than = {"the network wins": "", NO_INTERVAL: "~ "}.get(won, "= " if undecided(record) else "behind ")
    best = _baseline(record)
    theirs = f" ({than}{best})" if best else ""
    return f"{_measured(record)}{theirs}{'; published ' + _published(record) if record['published'] else ''}"


def _published(record: Record) -> str:
    other = record["published"]
    return f"{other['value']:g} {other['name']}" if other else ""


def _by_architecture(records: list[Record]) -> str:
    """Returns a table with a row per architecture and a column per data, split and metric; the baselines come last."""
    columns = {column(r): r for r in records}
    found = {(r["arch"], *column(r)): r for r in records}
    heads = [f"{source(r)}, {r['split']}, {_metric(r)}" for r in columns.values()]
    rows = [f"| architecture | parameters | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for arch in dict.fromkeys(r["arch"] for r in records):
        cells = [found.get((arch, *column)) for column in columns]
        sizes = _span([r["params"] for r in cells if r])
        rows.append(f"| {arch} | {sizes} | {' | '.join(_measured(r) if r else '' for r in cells)} |")
    if any(r["baselines"] for r in columns.values()):
        rows.append(f"| best baseline | | {' | '.join(map(_baseline, columns.values()))} |")
    published = [r["published"] for r in columns.values()]
    if any(published):
        said = " | ".join(f"{other['value']:.4g} {other['name']}" if other else "" for other in published)
        rows.append(f"| published | | {said} |")
    counts = _span([r["n"] for r in records])
    over = " and ".join(dict.fromkeys(r["over"] for r in records if r["over"]))
    said = f"Means of {counts} {over}" if over else "One run each"
    minutes = sum(r["minutes"] * r["n"] for r in records)
    hardware = ", ".join(dict.fromkeys(r["hardware"] for r in records))
    rows += ["", f"{said}; {minutes:,.0f} minutes in total, {hardware}. Commands:", ""]
    return "\n".join([*rows, *_commands(records)])


def _span(numbers: list[int]) -> str:
    return " to ".join(f"{number:,}" for number in dict.fromkeys([min(numbers), max(numbers)]))


def headline(name: str, record: Record) -> str:
    """Returns a record as a row of the table of all apps: name, data, metric, result, baseline, published figure."""
    averaged = f" ({record['n']} {record['over']})" if record["over"] else ""
    cells = [
        name,
        source(record),
        f"{record['split']} {_metric(record)}",
        f"{_measured(record)}{averaged} {record['arch']}",
        f"{_baseline(record)}{undecided(record)}",
        _published(record),
    ]
    return f"| {' | '.join(cells)} |"


def column(record: Record) -> tuple[str, str, str]:
    """Returns the column in which architectures are compared: data and task, split, metric."""
    return source(record), record["split"], label(record)


def _metric(record: Record) -> str:
    return f"{label(record)} {ARROWS[record['direction']]}"


def _measured(record: Record) -> str:
    """Returns the figure and its spread, in bold unless a baseline wins."""
    spread = f" ± {record['std']:.3g}" if record["std"] is not None else ""
    best = best_baseline(record)
    behind = best is not None and winner(record) == f"{best[0]} wins"
    return f"{record['value']:.4g}{spread}" if behind else f"**{record['value']:.4g}**{spread}"


def _baseline(record: Record) -> str:
    best = best_baseline(record)
    return f"{best[1]:.4g} {best[0]}" if best else ""


def _commands(records: list[Record]) -> list[str]:
    return ["```", *_looped(dict.fromkeys(r["command"] for r in records)), "```"]


def _looped(commands: Iterable[str]) -> list[str]:
    """Joins at least `REPEATED` commands that differ in one option's value to a loop of the shell."""
    left, lines = list(commands), []
    while left:
        words = left[0].split()
        alike = {place: [c for c in left if _differs_at(c, words, place)] for place in _values(words)}
        place = max(alike, key=lambda place: len(alike[place]), default=0)
        same = alike.get(place, [])
        if len(same) >= REPEATED:
            values = " ".join(c.split()[place] for c in same)
            lines.append(f"for value in {values}; do {' '.join([*words[:place], '$value', *words[place + 1 :]])}; done")
        else:
            same = left[:1]
            lines += same
        left = [c for c in left if c not in same]
    return lines


def _values(words: Sequence[str]) -> list[int]:
    """Returns the positions of the options' values."""
    return [n for n in range(1, len(words)) if words[n - 1].startswith("--") and not words[n].startswith("--")]


def _differs_at(command: str, words: Sequence[str], place: int) -> bool:
    """Returns whether a command has these words, except perhaps at one position."""
    others = command.split()
    return len(others) == len(words) and [*others[:place], *others[place + 1 :]] == [
        *words[:place],
        *words[place + 1 :],
    ]


def replace(readme: Path, generated: str, begin: str = BEGIN, end: str = END) -> None:
    """Replaces the text between two markers of a README with generated text.

    Raises:
        InputError: if the README does not contain the markers.
    """
    text = readme.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise InputError(f"Expected the lines {begin} and {end} in {readme}.")
    before, after = text.split(begin)[0], text.split(end)[1]
    files.write_text(readme, f"{before}{begin}\n{generated}\n{end}{after}")
