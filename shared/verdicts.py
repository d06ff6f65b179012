"""What a record says in words: its data and task, its metric, its best baseline, and which of the two wins."""

from collections.abc import Mapping
from typing import Any

from shared import paired

TIE = "a tie"
NO_INTERVAL = "no interval"  # a single run, measured without a confidence interval of its lead over the baseline

Record = dict[str, Any]  # see `shared.results.record`


def source(record: Record) -> str:
    """Returns data and task: "multi30k (source en, target de)"."""
    return record["data"] + (f" ({_said(record['task'])})" if record["task"] else "")


def label(record: Record) -> str:
    """Returns metric and options: "bleu (beam 5)"."""
    return record["metric"] + (f" ({_said(record['options'])})" if record["options"] else "")


def _said(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {' '.join(v) if isinstance(v, list | tuple) else v}" for key, v in values.items())


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
        return f"no difference (95 % interval {low:+.2g} to {high:+.2g})" if low < high else TIE
    return "the network wins" if ahead > 0 else f"{best[0]} wins"


def skill(record: Record) -> float | None:
    """Returns the lead over the best baseline as a fraction of its figure; None without a baseline, or if that is 0.

    0: as good as the baseline; 0.5: an error half as large, or a score half as large again.
    """
    best = best_baseline(record)
    theirs = paired.goodness(best[1], record["direction"]) if best else 0.0
    return (paired.goodness(record["value"], record["direction"]) - theirs) / abs(theirs) if theirs else None


def _interval(record: Record, ahead: float) -> tuple[float, float] | None:
    """Returns the confidence interval of the network's lead; None for a single run measured without one."""
    if record.get("ahead"):
        return record["ahead"][0], record["ahead"][1]
    if record["std"] is None:
        return None
    half = paired.by_chance(record["std"], record["n"])
    return ahead - half, ahead + half


def undecided(record: Record) -> str:
    """Returns the note after the baseline in a table if neither wins."""
    said = winner(record)
    if said == NO_INTERVAL:
        return f" ({said})"
    return " (no difference)" if said.startswith("no difference") or said == TIE else ""
