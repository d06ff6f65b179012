"""Result records: creating, averaging and printing them, saving them in results.json and showing them in a README."""

import collections
import datetime
import json
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared import InputError, files, machine, paired, runs
from shared.runs import Run

BEGIN, END = "<!-- results: begin (generated) -->", "<!-- results: end -->"
# What identifies a record. A new one replaces an old one with the same key, even if their commands differ.
KEY = ("app", "data", "task", "split", "metric", "options", "arch")
ALONE = {"network": "alone"}  # option of what was measured with --no-skip, without the linear model
SPLITS = ("train", "valid", "test")
DIRECTIONS = ("higher", "lower", "one")  # which values are better; "one": closest to 1
HEADER = (
    "| data | split | metric | architecture | parameters | measured | best baseline | published | minutes | hardware |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
LONGEST = 20  # rows; with more records the table has one column per data set instead, or ...
LEADING = 3  # ... with one architecture, the first metrics of each data set
NO_INTERVAL = "no interval"  # a single run, measured without a confidence interval of its lead over the baseline
DIGITS = 6  # significant digits of saved figures

Record = dict[str, Any]


def record(
    run: Run,
    params: int,
    *,
    split: str,
    metric: str,
    value: float,
    direction: str = "higher",
    task: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    baselines: Mapping[str, float] | None = None,
    ahead: tuple[float, float] | None = None,
    resampled: Mapping[str, Any] | None = None,
    published: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Record:
    """Creates the record of one measured figure of a run.

    Args:
        run: a trained run, from which app, data, architecture, training time and command are taken.
        params: number of parameters of the network.
        split: train, valid or test.
        metric: name in snake case with its unit, if any, such as nats_per_char, and nothing else.
        value: the measured figure.
        direction: which values are better: higher, lower or one (closest to 1).
        task: what else defines the problem, such as the languages.
        options: how the figure was measured, such as the beam width.
        baselines: the same figure for each baseline.
        ahead: confidence interval of the network's lead over the best baseline (see `shared.paired.compared`).
        resampled: the figure on resamples of the test items (see `shared.paired.compared`), kept in the run only.
        published: {"name", "value", "source"} of a published figure to compare with; the source is optional. Left out
            if the test set is not the whole public one.
        details: further values worth saving, as plain JSON; not shown in tables.

    Raises:
        ValueError: if the split or direction is unknown.
    """
    if split not in SPLITS or direction not in DIRECTIONS:
        raise ValueError(f"Expected one of {SPLITS} and one of {DIRECTIONS}. Received: {split} and {direction}")
    kept = {
        "app": run.app.partition("/")[0],
        "data": plain_name(run.config["data"]),
        "task": dict(task or {}),
        "split": split,
        "metric": metric,
        "options": ({} if run.config.get("skip", True) else ALONE) | dict(options or {}),
        "direction": direction,
        "headline": False,
        "arch": run.config["arch"],
        "params": params,
        "value": rounded(value),
        "std": None,
        "n": 1,
        "over": None,
        "baselines": {name: rounded(other) for name, other in (baselines or {}).items()},
        "ahead": [rounded(bound) for bound in ahead] if ahead else None,
        "published": {"source": None} | dict(published) if published and whole_test_set(run.config) else None,
        "minutes": round(run.seconds() / 60, 1),
        "command": run.command,
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        "date": datetime.date.today().isoformat(),
    }
    more = {"details": details, "resampled": resampled if ahead else None}
    return kept | {name: dict(given) for name, given in more.items() if given}


def whole_test_set(config: Mapping[str, Any]) -> bool:
    """Returns whether a run is tested on all of its data's own test set, as published figures are."""
    return not config.get("test") and not config.get("max_examples")


def plain_name(data: str) -> str:
    """Returns the name of a data source without folders: corpus.txt for /home/me/corpus.txt."""
    return data if data.startswith("tfds:") else Path(data).name


def rounded(value: float) -> float:
    """Rounds the value to `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}")


def headed(records: list[Record], headlines: Sequence[str]) -> list[Record]:
    """Returns the records with the run's main figure first, marked as the headline.

    It is the first of the `headlines` metrics that was measured, on test if available, else on validation. If there
    are several with different options, it is the first of them.
    """
    main = next(
        r
        for metric in headlines
        for split in ("test", "valid")
        for r in records
        if r["metric"] == metric and r["split"] == split
    )
    return [main | {"headline": True}, *(r | {"headline": False} for r in records if r is not main)]


def mean(done: list[list[Record]], over: str) -> list[Record]:
    """Averages each figure over several runs: mean, standard deviation, mean minutes per run.

    Args:
        done: the records of each run. Figures that are missing in any run are left out.
        over: what the runs differ in, "seeds" or "folds".
    """
    if len(done) == 1:
        return done[0]
    others = [{_figure(r): r for r in records} for records in done[1:]]
    merged = []
    for first in done[0]:
        if all(_figure(first) in found for found in others):
            merged.append(_mean([first, *(found[_figure(first)] for found in others)], over))
    return merged


def _figure(record: Record) -> str:
    return json.dumps([record[key] for key in ("split", "metric", "options")], sort_keys=True)


def _mean(same: list[Record], over: str) -> Record:
    values = [r["value"] for r in same]
    names = [name for name in same[0]["baselines"] if all(name in r["baselines"] for r in same)]
    averaged = same[0] | {
        "value": rounded(statistics.mean(values)),
        "std": rounded(statistics.stdev(values)),
        "n": len(values),
        "over": over,
        "baselines": {name: rounded(statistics.mean(r["baselines"][name] for r in same)) for name in names},
        "ahead": _ahead(same, over),
        "minutes": round(statistics.mean(r["minutes"] for r in same), 1),
    }
    if "details" in averaged:
        averaged["details"] = _mean_of([r.get("details") for r in same])
    return averaged


def _ahead(same: list[Record], over: str) -> list[float] | None:
    intervals = [(low, high) for low, high in (r["ahead"] for r in same if r.get("ahead"))]
    if len(intervals) < len(same):
        return None
    return [rounded(bound) for bound in paired.joined(intervals, over)]


def _mean_of(values: list[Any]) -> Any:
    """Returns the mean of numbers, also within dicts that have equal keys; for other values, the first one."""
    if all(isinstance(value, dict) and value.keys() == values[0].keys() for value in values):
        return {key: _mean_of([value[key] for value in values]) for key in values[0]}
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return rounded(statistics.mean(values))
    return values[0]


def best_baseline(record: Record) -> tuple[str, float] | None:
    """Returns the name and value of the best baseline; None if there is none."""
    name = paired.best(record["baselines"], record["direction"])
    return None if name is None else (name, record["baselines"][name])


def winner(record: Record) -> str:
    """Says in a few words whether the network or the best baseline wins; "" without a baseline.

    A lead counts only if its confidence interval, over test items or else over seeds, excludes 0. For a single run
    without an interval this is unknown, so neither wins.
    """
    best = best_baseline(record)
    if best is None:
        return ""
    ahead = paired.goodness(record["value"], record["direction"]) - paired.goodness(best[1], record["direction"])
    interval = _interval(record, ahead)
    if interval is None:
        return NO_INTERVAL
    low, high = interval
    if low <= 0 <= high:
        return f"no difference (95 % interval {low:+.2g} to {high:+.2g})" if low < high else "a tie"
    return "the network wins" if ahead > 0 else f"{best[0]} wins"


def _interval(record: Record, ahead: float) -> tuple[float, float] | None:
    """Returns the confidence interval of the network's lead; None for a single run measured without one."""
    if record.get("ahead"):
        return record["ahead"][0], record["ahead"][1]
    if record["std"] is None:
        return None
    half = paired.by_chance(record["std"], record["n"])
    return ahead - half, ahead + half


def _undecided(record: Record) -> str:
    """Returns the note after the baseline in a table if neither wins."""
    said = winner(record)
    if said == NO_INTERVAL:
        return f" ({said})"
    return " (no difference)" if said.startswith("no difference") else ""


def report(records: list[Record]) -> None:
    """Prints the figures, each with all baselines, who wins, and the published figure."""
    first = records[0]
    averaged = f", mean of {first['n']} {first['over']}" if first["over"] else ""
    print(
        f"\n{_source(first)}, {first['arch']}, {first['params']:,} parameters: "
        f"{first['minutes']:g} minutes of training{averaged}"
    )
    width = max(len(_label(r)) for r in records)
    for r in records:
        order = sorted(r["baselines"].items(), key=lambda item: -paired.goodness(item[1], r["direction"]))
        others = ", ".join(f"{name} {_number(value)}" for name, value in order)
        compared = f"   {others}: {winner(r)}" if others else ""
        published = f"; published {r['published']['value']:g} {r['published']['name']}" if r["published"] else ""
        spread = f" ± {_number(r['std'])}" if r["std"] is not None else ""
        print(f"  {r['split']:5} {_label(r):{width}} {_number(r['value'])}{spread}{compared}{published}", flush=True)


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.2f}"


def _label(record: Record) -> str:
    """Returns metric and options: "bleu (beam 5)"."""
    return record["metric"] + (f" ({_said(record['options'])})" if record["options"] else "")


def _source(record: Record) -> str:
    """Returns data and task: "multi30k (source en, target de)"."""
    return record["data"] + (f" ({_said(record['task'])})" if record["task"] else "")


def _said(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {' '.join(v) if isinstance(v, list | tuple) else v}" for key, v in values.items())


def keep(records: list[Record], folder: Path) -> None:
    """Saves the records in the folder's results.json, replacing those with the same key, and updates its README."""
    path = folder / "results.json"
    old = runs.read_json(path, list) if path.exists() else []
    kept = {_key(r): {name: r[name] for name in r if name != "resampled"} for r in [*old, *records]}
    files.write_json(path, sorted(kept.values(), key=_place))
    replace(folder / "README.md", table(json.loads(path.read_text(encoding="utf-8"))))
    print(f"Recorded in {path}")


def _key(record: Record) -> str:
    return json.dumps([record[key] for key in KEY], sort_keys=True)


def _place(record: Record) -> list[Any]:
    """Returns the sort key of a record in the table: by data and task, headline first, numbers in natural order."""
    texts = (_source(record), str(not record["headline"]), record["split"], _label(record), record["arch"])
    return [_natural(text) for text in texts]


def _natural(text: str) -> list[tuple[int, str]]:
    """Returns a sort key that orders numbers in a text by value: length 50 before length 100."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def table(records: list[Record]) -> str:
    """Returns the records as a Markdown table, followed by each distinct command.

    If there are more than `LONGEST` records, with one for each architecture and column, it has a row per architecture;
    with a single architecture it has the first `LEADING` metrics of each data set.
    """
    cells = {(r["arch"], *column(r)) for r in records}
    shown, more = records, ""
    if len(records) > LONGEST and len(cells) == len(records):
        if len({r["arch"] for r in records}) > 1:
            return _side_by_side(records)
        ranks = collections.Counter[str]()
        shown, more = [r for r in records if _next(ranks, _source(r)) <= LEADING], " Further metrics: `results.json`."
    rows = [*HEADER]
    for r in shown:
        averaged = f" ({r['n']} {r['over']})" if r["over"] else ""
        published = f"{r['published']['value']:g} {r['published']['name']}" if r["published"] else ""
        rows.append(
            f"| {_source(r)} | {r['split']} | {_label(r)} | {r['arch']} | {r['params']:,} | {_measured(r)}{averaged} | "
            f"{_baseline(r)}{_undecided(r)} | {published} | {r['minutes']:g} | {r['hardware']} |"
        )
    return "\n".join([*rows, "", f"Minutes are per run.{more} Commands:", "", *_commands(records)])


def _next(counter: collections.Counter[str], key: str) -> int:
    counter[key] += 1
    return counter[key]


def _side_by_side(records: list[Record]) -> str:
    """Returns a table with a row per architecture and a column per data, split and metric; the baselines come last."""
    columns = {column(r): r for r in records}
    found = {(r["arch"], *column(r)): r for r in records}
    heads = [", ".join(column) for column in columns]
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
    published = f"{record['published']['value']:g} {record['published']['name']}" if record["published"] else ""
    cells = [
        name,
        _source(record),
        f"{record['split']} {_label(record)}",
        f"{_measured(record)}{averaged} {record['arch']}",
        f"{_baseline(record)}{_undecided(record)}",
        published,
    ]
    return f"| {' | '.join(cells)} |"


def column(record: Record) -> tuple[str, str, str]:
    """Returns the column in which architectures are compared: data and task, split, metric."""
    return _source(record), record["split"], _label(record)


def _measured(record: Record) -> str:
    spread = f" ± {record['std']:.3g}" if record["std"] is not None else ""
    return f"**{record['value']:.4g}**{spread}"


def _baseline(record: Record) -> str:
    best = best_baseline(record)
    return f"{best[1]:.4g} {best[0]}" if best else ""


def _commands(records: list[Record]) -> list[str]:
    return ["```", *dict.fromkeys(r["command"] for r in records), "```"]


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
