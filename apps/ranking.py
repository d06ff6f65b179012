"""The table of a comparison: one row per architecture, what it leads the best by, and what it costs."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from shared import paired, verdicts
from shared.data.wording import sized

from . import measured
from .leads import Lead, lead
from .measured import Measured
from .planning import Cell, parameters
from .trial import STOPPED

TOLERANCE = 0.01  # of the number of parameters
BETTER = {"higher": "higher is better", "lower": "lower is better", "one": "closest to 1 is best"}


@dataclasses.dataclass(frozen=True)
class Row:
    """What is known of one architecture, averaged over the seeds; what is not known is None."""

    arch: str
    rate: float | None = None
    params: int | None = None
    non_embedding: int | None = None  # parameters without embedding tables, to which --params refers
    value: float | None = None
    std: float | None = None
    seeds: int = 0
    lead: Lead | None = None
    valid: float | None = None
    step_ms: float | None = None
    peak_mib: float | None = None
    latency_ms: float | None = None
    quality_s: float | None = None
    minutes: float | None = None
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The rows of one app, best first, and the figures by which they are compared."""

    app: str
    rows: list[Row]
    found: dict[str, list[Measured]]
    record: dict[str, Any] | None  # a headline record: data, split, metric, direction, baselines
    valid_name: str  # the validation figure
    quality: float | None  # its value to which the seconds are counted
    size: int = 0  # the number of parameters that was asked for; 0: that of the recipe


def compared(app: str, cells: Sequence[Cell], params: str = "", quality: float | None = None) -> Comparison:
    """Compares the architectures of an app by what has been trained so far."""
    found = {cell.arch: [m for m in map(measured.measured, cell.trials()) if m] for cell in cells}
    found = {arch: done for arch, done in found.items() if done}
    if not found:
        return Comparison(app, [failed(cell) for cell in cells], {}, None, "val_loss", None)
    first = next(iter(found.values()))[0]
    direction = first.record["direction"]
    order = sorted(found, key=lambda arch: -paired.goodness(measured.mean(found[arch]), direction))
    name, valid_direction = measured.validation(first.trial.path, first.record)
    if quality is None:
        quality = measured.target(found, name, valid_direction)
    size = parameters(params) if params else 0
    of = {cell.arch: cell for cell in cells}
    rows = [row(of[arch], found[arch], found[order[0]], size, quality, valid_direction) for arch in order]
    rows += [failed(cell) for cell in cells if cell.arch not in found]
    return Comparison(app, rows, found, first.record, name, quality, size)


def empty(comparison: Comparison) -> bool:
    """Returns whether no training has any figure, on test or on validation."""
    return all(row.value is None and row.valid is None for row in comparison.rows)


def row(
    cell: Cell, done: list[Measured], best: list[Measured], size: int, quality: float | None, direction: str
) -> Row:
    """Returns the row of an architecture of which at least one seed is finished."""
    values = [each.record["value"] for each in done]
    valid = [measured.best_of([value for _, value in each.curve], direction) for each in done if each.curve]
    if not valid:  # several networks in turn
        valid = [value for _, value, _ in measured.validations([each.trial for each in done])]
    to_quality = [measured.seconds_to(each.curve, quality, direction) for each in done]
    return Row(
        cell.arch,
        rate=done[0].trial.rate or None,
        params=done[0].record["params"],
        non_embedding=done[0].record["non_embedding"],
        value=statistics.mean(values),
        std=statistics.stdev(values) if len(values) > 1 else None,
        seeds=len(values),
        lead=None if done is best else lead(done, best),
        valid=average(valid),
        step_ms=average([each.step_ms for each in done]),
        peak_mib=max((each.peak_mib for each in done if each.peak_mib), default=None),
        latency_ms=average([each.latency_ms for each in done]),
        quality_s=None if None in to_quality else average(to_quality),
        minutes=average([each.record["minutes"] for each in done]),
        notes=tuple(notes(cell, done, size)),
    )


def average(values: Sequence[float | None]) -> float | None:
    """Returns the mean of the values that are known; None if there are none."""
    known = [value for value in values if value is not None]
    return statistics.mean(known) if known else None


def notes(cell: Cell, done: Sequence[Measured], size: int) -> list[str]:
    """Returns what is to be said of an architecture: missing seeds, the size not met, the edge of the search."""
    said = []
    if missing := [trial for trial in cell.trials() if trial not in [each.trial for each in done]]:
        said.append(f"{len(missing)} of {sized(cell.seeds, 'seeds')} {reason(missing[0])}")
    off = done[0].record["non_embedding"] / size - 1 if size else 0.0
    if abs(off) > TOLERANCE:
        said.append(f"no width meets {size:,} parameters: {off:+.1%}")
    if rate := done[0].trial.rate:
        edge = " (the lowest)" if rate == min(cell.rates) else " (the highest)" if rate == max(cell.rates) else ""
        failures = [trial for trial in cell.search() if measured.failure(trial)[0] not in ("", STOPPED)]
        said.append(f"{sized(len(cell.rates), 'learning rates')} tried{edge and f', best at {rate:g}{edge}'}")
        said += [f"at {trial.rate:g}: {reason(trial)}" for trial in failures]
    return said


def failed(cell: Cell) -> Row:
    """Returns the row of an architecture without any figure: refused by the app, stopped, or failed."""
    if cell.refused:
        return Row(cell.arch, notes=(f"not trained: {cell.refused}",))
    tried = cell.trials() or cell.search()
    valid = [value for _, value, _ in measured.validations(tried)]
    reasons = dict.fromkeys(reason(trial) for trial in tried)
    return Row(
        cell.arch, rate=tried[0].rate or None if cell.trials() else None, valid=average(valid), notes=(*reasons,)
    )


def reason(trial: Any) -> str:
    """Says how a training without a figure ended, and where its log is."""
    state, said = measured.failure(trial)
    if state == STOPPED:
        epochs = sum(len(measured.history(part)) for part in measured.parts(trial.path))
        ended = f"{sized(epochs, 'epochs')}, not tested" if epochs else "0 epochs: no validation figure yet"
        unit = "minute" if trial.outcome()["minutes"] == 1 else "minutes"
        said = f"at the time limit after {trial.outcome()['minutes']:g} {unit}, {ended}"
    return f"{state}: {said.replace('|', '/')} (log {trial.log.name})"


def table(comparison: Comparison) -> str:
    """Formats the comparison as Markdown: architectures best first, then failures, then baselines."""
    record = comparison.record
    columns = columns_of(comparison)
    shown = [column for column in columns if any(column[1](each) for each in comparison.rows)]
    lines = [f"## {comparison.app}", ""]
    if record:
        lines += [f"{record['data']}, the same schedule for all.", ""]
    lines += ["| " + " | ".join(name for name, _ in shown) + " |", "|---" * len(shown) + "|"]
    lines += ["| " + " | ".join(cell(each) for _, cell in shown) + " |" for each in comparison.rows]
    if record:
        lines += [baseline_row(name, value, [name for name, _ in shown]) for name, value in baselines(record).items()]
        lines += ["", *findings(comparison), legend(comparison)]
    return "\n".join(lines)


def columns_of(comparison: Comparison) -> list[tuple[str, Callable[[Row], str]]]:
    """Returns the name of each column and how its cell is formatted; those without any value are left out later."""
    record = comparison.record
    figure = f"{record['split']} {record['metric']} ({BETTER[record['direction']]})" if record else "figure"
    seconds = f"seconds of training to {comparison.quality:.4g}" if comparison.quality is not None else "seconds"
    return [
        ("architecture", lambda row: row.arch),
        ("learning rate", lambda row: number(row.rate, "g")),
        ("parameters", lambda row: number(row.params, ",")),
        ("without embeddings", lambda row: "" if row.non_embedding == row.params else number(row.non_embedding, ",")),
        (figure, lambda row: number(row.value, ".4g") + (f" ± {row.std:.3g}" if row.std is not None else "")),
        ("lead over the best", lambda row: "best" if row.value is not None and not row.lead else said(row.lead)),
        (comparison.valid_name, lambda row: number(row.valid, ".4g")),
        ("minutes of training", lambda row: number(row.minutes, ".1f")),
        ("ms per step", lambda row: short(row.step_ms)),
        ("peak MiB", lambda row: number(row.peak_mib, ",.0f")),
        ("ms per answer", lambda row: short(row.latency_ms)),
        (seconds, lambda row: short(row.quality_s)),
        ("notes", lambda row: "; ".join(row.notes)),
    ]


def number(value: float | None, form: str) -> str:
    """Formats a number; "" if it is not known."""
    return "" if value is None else format(value, form)


def short(value: float | None) -> str:
    """Formats a time with three digits, or all of them before the point: 0.0123, 12.3, 1,234."""
    return number(value, ",.0f" if value and value >= 100 else ".3g")


def said(lead: Lead | None) -> str:
    """Formats a lead: "no difference (-0.02 to 0.01, P 0.2)", or the difference itself if the interval excludes 0."""
    if lead is None:
        return ""
    if lead.low is None or lead.high is None:
        return f"{lead.value:+.3g}, one seed"
    word = "no difference" if lead.low <= 0 <= lead.high else f"{lead.value:+.3g}"
    return f"{word} ({lead.low:+.2g} to {lead.high:+.2g}, P {lead.probability:.2g})"


def baselines(record: dict[str, Any]) -> dict[str, float]:
    """Returns the baselines of a record, best first."""
    direction = record["direction"]
    return dict(sorted(record["baselines"].items(), key=lambda item: -paired.goodness(item[1], direction)))


def baseline_row(name: str, value: float, columns: Sequence[str]) -> str:
    """Formats the row of a baseline."""
    figure = next(number for number, column in enumerate(columns) if " is be" in column)
    cells = [""] * len(columns)
    cells[0], cells[figure] = f"*{name}* (baseline)", f"{value:.4g}"
    return "| " + " | ".join(cells) + " |"


def findings(comparison: Comparison) -> list[str]:
    """Returns the paragraph on what must not be read into the table: baselines that win, one seed, unequal sizes."""
    said, tested = [], [row for row in comparison.rows if row.value is not None]
    best = verdicts.best_baseline(comparison.record) if comparison.record else None
    if best and not any(beats(row, best[1], comparison) for row in tested):
        said.append(f"No network is better than {best[0]} ({best[1]:.4g}), the best baseline.")
    if len(tested) > 1 and min(row.seeds for row in tested) < 2:
        said.append("Where there is one seed, a lead does not show what another seed would change: see --seeds.")
    sizes = [row.non_embedding for row in tested if row.non_embedding]
    if sizes and not comparison.size and max(sizes) > (1 + TOLERANCE) * min(sizes):
        said.append(f"The sizes differ, by up to {max(sizes) / min(sizes) - 1:.0%}: --params makes them equal.")
    return [" ".join(said), ""] if said else []


def beats(row: Row, value: float, comparison: Comparison) -> bool:
    """Returns whether an architecture is better than this figure, such as that of a baseline."""
    direction = comparison.record["direction"] if comparison.record else "higher"
    return row.value is not None and paired.goodness(row.value, direction) > paired.goodness(value, direction)


def interval(rows: Sequence[Row]) -> str:
    """Says what the intervals of the leads are over; with the architectures, if they differ."""
    over: dict[str, list[str]] = {}
    for row in rows:
        if row.lead and row.lead.over:
            over.setdefault(" and ".join(row.lead.over), []).append(row.arch)
    said = [f"{what} ({', '.join(archs)})" if len(over) > 1 else what for what, archs in over.items()]
    return f"95 % interval over {'; over '.join(said)}" if said else "of one seed, without an interval"


def legend(comparison: Comparison) -> str:
    """Says what the columns mean."""
    said = [f"Lead: {interval(comparison.rows)}; P: probability of being better than the best."]
    if any(row.value is not None and row.peak_mib is None for row in comparison.rows):
        said.append(
            "Peak MiB is only known of trainings that ended under this command, not of those that went on alone after "
            "it had been killed, or were started by hand."
        )
    if any(row.step_ms is not None for row in comparison.rows):
        said.append(
            "Milliseconds per step include compilation and validation; "
            f"with fewer than {measured.FEWEST_STEPS} steps after the first epoch they are left out."
        )
    if any(m.curve for done in comparison.found.values() for m in done) and all(
        r.quality_s is None for r in comparison.rows
    ):
        said.append(unreached(comparison))
    elif comparison.quality is not None:
        said.append(
            f"Seconds of training to {comparison.quality:.4g}: until {comparison.valid_name} is as good, "
            "which counts epochs as equally long."
        )
    return " ".join(said)


def unreached(comparison: Comparison) -> str:
    """Says why there is no column of seconds."""
    if comparison.quality is None:
        return "No seconds of training to a figure: no network is better than the best baseline (see --quality)."
    figure = f"{comparison.valid_name} {comparison.quality:.4g}"
    return f"No seconds of training: no network has reached {figure} with each seed."
