"""Result records: creating, averaging and printing them, and saving them in results.json."""

import datetime
import json
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from shared import files, machine, paired, runs, tables, verdicts
from shared.runs import Run
from shared.verdicts import Record

# What identifies a record. A new one replaces an old one with the same key, even if their commands differ.
KEY = ("app", "data", "task", "split", "metric", "options", "arch", "budget")
ALONE = {"network": "alone"}  # option of what was measured with --no-skip, without the linear model
SPLITS = ("train", "valid", "test")
DIRECTIONS = ("higher", "lower", "one")  # which values are better; "one": closest to 1
DIGITS = 6  # significant digits of saved figures


class Network(Protocol):
    """As much of a Keras model as is needed here."""

    def count_params(self) -> int:
        """Returns the number of parameters."""


def record(
    run: Run,
    network: Network,
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
        network: the trained network, of which the parameters are counted.
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
    from shared.layers.budget import non_embedding  # late: tables are written without Keras

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
        "budget": None,  # the number of parameters that `compare --params` gave to every architecture
        "params": network.count_params(),
        "non_embedding": non_embedding(network),
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
    trained = {"trained_on": plain_name(run.trained_on)} if run.trained_on else {}
    return kept | {name: dict(given) for name, given in more.items() if given} | trained


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


def report(records: list[Record]) -> None:
    """Prints the figures, each with all baselines, who wins, and the published figure."""
    first = records[0]
    trained = verdicts.source(first | {"data": first.get("trained_on", first["data"])})
    averaged = f", mean of {first['n']} {first['over']}" if first["over"] else ""
    tested = f"; tested on {first['data']}" if "trained_on" in first else ""
    print(
        f"\n{trained}, {first['arch']}, {first['params']:,} parameters: "
        f"{first['minutes']:g} minute{'' if first['minutes'] == 1 else 's'} of training{averaged}{tested}"
    )
    width = max(len(verdicts.label(r)) for r in records)
    for r in records:
        order = sorted(r["baselines"].items(), key=lambda item: -paired.goodness(item[1], r["direction"]))
        others = ", ".join(f"{name} {_number(value)}" for name, value in order)
        compared = f"   {others}: {verdicts.winner(r)}" if others else ""
        published = f"; published {r['published']['value']:g} {r['published']['name']}" if r["published"] else ""
        spread = f" ± {_number(r['std'])}" if r["std"] is not None else ""
        print(
            f"  {r['split']:5} {verdicts.label(r):{width}} {_number(r['value'])}{spread}{compared}{published}",
            flush=True,
        )


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.2f}"


def keep(records: list[Record], folder: Path) -> None:
    """Saves the records in the folder's results.json, replacing those with the same key, and updates its README."""
    path = folder / "results.json"
    old = runs.read_json(path, list) if path.exists() else []
    # Runs finished by an earlier version have no such fields.
    found = [r if "budget" in r else r | {"budget": None, "non_embedding": None} for r in [*old, *records]]
    kept = {_key(r): {name: r[name] for name in r if name != "resampled"} for r in found}
    files.write_json(path, sorted(kept.values(), key=_place))
    tables.replace(folder / "README.md", tables.table(json.loads(path.read_text(encoding="utf-8"))))
    print(f"Recorded in {path}")


def _key(record: Record) -> str:
    return json.dumps([record[key] for key in KEY], sort_keys=True)


def _place(record: Record) -> list[Any]:
    """Returns the sort key of a record in the table: by data and task, headline first, numbers in natural order."""
    texts = (
        str(record["budget"] or 0),
        verdicts.source(record),
        str(not record["headline"]),
        record["split"],
        verdicts.label(record),
        record["arch"],
    )
    return [_natural(text) for text in texts]


def _natural(text: str) -> list[tuple[int, str]]:
    """Returns a sort key that orders numbers in a text by value: length 50 before length 100."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]
