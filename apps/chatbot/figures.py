"""Measured figures: one record each, printed beside the simple methods, averaged over seeds, kept in results.json."""

import datetime
import statistics
import sys
from pathlib import Path
from typing import Any

from shared import results, runs

from .config import APP

HERE = Path(__file__).parent
LOWER = ("perplexity", "most_frequent_reply", "turn_ms_p99")  # of these metrics less is better


def record(run: runs.Run, model: Any, command: str, metric: str, value: float, others: dict, published: Any) -> dict:
    """One figure of the run's test part in the form of results.json; `others` are those of the simple methods."""
    sign = 1 if metric in LOWER else -1
    others = dict(sorted(others.items(), key=lambda item: sign * item[1]))
    name = next(iter(others))
    return {
        "data": run.config["data"],
        "split": "test",
        "metric": metric,
        "direction": "lower" if metric in LOWER else "higher",
        "arch": run.config["arch"],
        "params": model.count_params(),
        "value": round(value, 5),
        "std": None,
        "seeds": 1,
        "baseline": {"name": name, "value": round(others[name], 5)},
        "baselines": {name: round(other, 5) for name, other in others.items()},
        "published": published,
        "minutes": round(run.seconds() / 60, 1),
        "command": command,
        "hardware": runs.hardware(),
        "versions": runs.versions(),
        "date": datetime.date.today().isoformat(),
    }


def report(records: list[dict]) -> None:
    """Prints the figures beside those of the simple methods and says which one wins."""
    print(f"\n{records[0]['data']}, {records[0]['arch']}: {records[0]['minutes']} minutes of training")
    for one in records:
        spread = f" \u00b1 {one['std']:.4f}" if one["std"] is not None else ""
        published = f"; published {one['published']['value']:g}" if one["published"] else ""
        others = ", ".join(f"{name} {other:.4f}" for name, other in one["baselines"].items())
        ahead = results.winner(one)
        print(f"  {one['split']} {one['metric']:19} {one['value']:.4f}{spread}   {others}: {ahead}{published}")
    for line in records[0].get("said", []):
        print(f"  {line}")
    sys.stdout.flush()


def siblings(run: runs.Run) -> list[list[dict]]:
    """The records of all measured runs that differ from this one in the seed alone."""
    found = {}
    for path in sorted(run.path.parent.glob("[!.]*/metrics.json")):
        other = runs.find(APP, path.parent.name)
        if other.config | {"seed": 0} == run.config | {"seed": 0}:
            found[other.config["seed"]] = other.metrics()
    return [found[key] for key in sorted(found)]


def summary(done: list[list[dict]]) -> list[dict]:
    """Each figure as one record over all seeds; minutes are those of one training."""
    if len(done) == 1:
        return done[0]
    records = []
    for same in zip(*done, strict=True):
        values = [one["value"] for one in same]
        simple = {
            name: round(statistics.mean(one["baselines"][name] for one in same), 5) for name in same[0]["baselines"]
        }
        sign = 1 if same[0]["direction"] == "lower" else -1
        simple = dict(sorted(simple.items(), key=lambda item: sign * item[1]))
        name = next(iter(simple))
        records.append(
            {key: value for key, value in same[0].items() if key != "said"}
            | {
                "value": round(statistics.mean(values), 5),
                "std": round(statistics.stdev(values), 5),
                "seeds": len(values),
                "baseline": {"name": name, "value": simple[name]},
                "baselines": simple,
                "minutes": round(statistics.mean(one["minutes"] for one in same), 1),
                "command": f"{same[0]['command']} --seeds {len(values)}",
            }
        )
    return records


def keep(records: list[dict]) -> None:
    """Writes records into results.json and the README, in place of older ones of the same data and network."""
    path = HERE / "results.json"
    new = {_cell(one) for one in records}
    old = runs.read_json(path, list) if path.exists() else []
    runs.write_json(path, [one for one in old if _cell(one) not in new])
    results.record(path, [{key: value for key, value in one.items() if key != "said"} for one in records])
    results.render(HERE / "README.md", path)
    print(f"Recorded in {path}")


def _cell(one: dict) -> tuple:
    """What is measured, whatever the command: a figure over more seeds replaces one over fewer."""
    return tuple(one[key] for key in ("data", "split", "metric", "arch"))
