"""Trains every architecture at every length with the same number of parameters, to compare their memory."""

import dataclasses
from pathlib import Path

import keras

from shared import InputError, plots, results, runs, settings, trials, verdicts
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.trials import Seeds

from .config import APP, RECIPES, Config
from .evaluate import solved
from .model import check_budget
from .options import Sweep
from .tasks import TASKS
from .train import train_one


def sweep(options: Sweep) -> None:
    """Runs the sweep command: trains all missing runs, prints a table, and draws a plot."""
    planned = cells(options)
    records: list[dict] = []
    refused: list[str] = []
    for number, config in enumerate(planned, 1):
        cell = f"{config.arch}, length {config.length}"
        print(f"\n=== {number} of {len(planned)}: {config.data}, {cell} ===", flush=True)
        try:
            records.append(measured(config, options) | {"command": command_line(options)})
        except InputError as error:  # a diverging training, or a budget without a matching width, fails this cell only
            refused.append(f"{cell}: {error}")
            print(f"left out: {error}", flush=True)
    if not records:
        raise InputError(f"No run was trained to its end. {refused[0]}")
    print(f"\n{options.config.data}, {options.config.params:,} parameters each\n{table(records)}")
    for line in refused:
        print(f"left out: {line}")
    picture = runs.root() / APP / f"sweep-{options.config.data}.png"
    draw(records, options.config, picture)
    print(f"Picture: {picture}")
    if options.record:
        results.keep(records, Path(__file__).parent)


def cells(options: Sweep) -> list[Config]:
    """Returns the settings of all cells, shortest sequences first; raises InputError if any is invalid."""
    config, start = options.config, settings.recipe(RECIPES, options.recipe, options.config.data)
    if not options.archs or (config.arch, config.length) != (start.arch, start.length):
        raise InputError(
            "Expected --archs and --lengths, for several of each. Received: --arch or --length, or no architecture"
        )
    if config.units:
        raise InputError("--units: expected with train only; a sweep compares networks of --params parameters")
    task = TASKS[config.data]
    lengths = sorted(set(options.lengths or task.lengths))
    if lengths[0] < task.shortest:
        raise InputError(f"--lengths: expected at least {task.shortest} for {config.data}; received {lengths[0]}")
    archs = dict.fromkeys(options.archs)
    return [dataclasses.replace(config, length=length, arch=arch) for length in lengths for arch in archs]


def measured(config: Config, options: Sweep) -> dict:
    """Returns the main metric of one cell, averaged over its seeds; trains missing runs.

    Raises:
        InputError: the architecture has no width for the budget, or a training diverges: the mean over the others would
            be too optimistic.
    """
    check_budget(config)
    planned = trials.plan(APP, config, RECIPES, Seeds(fresh=options.fresh, seeds=options.seeds))
    for one, run in trials.unfinished(planned):
        try:
            train_one(one, run)
        finally:
            keras.utils.clear_session()
    return next(record for record in trials.summary(trials.finished(planned)) if record["headline"])


def command_line(options: Sweep) -> str:
    """Returns the command line of this sweep, without default options."""
    more = {
        "archs": options.archs if options.archs != SEQUENCE_ARCHITECTURES else (),
        "lengths": options.lengths,
        "seeds": options.seeds if options.seeds > 1 else None,
    }
    given = {name: value for name, value in more.items() if value}
    return settings.command(APP, options.config, RECIPES, "sweep", leave_out=("arch", "length"), **given)


def table(records: list[dict]) -> str:
    """Formats one line per architecture and one column per length; * marks solved tasks."""
    lengths = list(dict.fromkeys(record["task"]["length"] for record in records))
    found = {(record["arch"], record["task"]["length"]): record for record in records}
    lines = [f"{records[0]['metric']:20}" + "".join(f"{f'length {length}':>18}" for length in lengths)]
    for arch in dict.fromkeys(record["arch"] for record in records):
        lines.append(f"{arch:20}" + "".join(f"{_shown(found.get((arch, length))):>18}" for length in lengths))
    name, values = baseline(records)
    lines.append(f"{name:20}" + "".join(f"{values[length]:>17.4f} " for length in lengths))
    return "\n".join([*lines, "* solved"] if any(map(solved, records)) else lines)


def baseline(records: list[dict]) -> tuple[str, dict[int, float]]:
    """Returns the name of the baseline and its metric at each length."""
    best = {record["task"]["length"]: verdicts.best_baseline(record) for record in records}
    return next(iter(best.values()))[0], {length: value for length, (_, value) in best.items()}


def _shown(record: dict | None) -> str:
    if record is None:
        return "- "
    spread = f" ± {record['std']:.4f}" if record["std"] is not None else ""
    return f"{record['value']:.4f}{spread}{'*' if solved(record) else ' '}"


def draw(records: list[dict], config: Config, path: Path) -> None:
    """Plots the main metric over the length, one line per architecture, with error bars of one standard deviation."""
    task = TASKS[config.data]
    figure, axes = plots.new_figure(f"{config.data}: about {config.params:,} parameters each", size=(8.0, 4.5))
    for number, arch in enumerate(dict.fromkeys(record["arch"] for record in records)):
        points = [record for record in records if record["arch"] == arch]
        lengths = [record["task"]["length"] for record in points]
        deviations = [record["std"] or 0.0 for record in points]
        marker = "osD^v<>PX*"[number // 10 % 10]  # the marker changes after every ten colours
        values = [record["value"] for record in points]
        axes.errorbar(lengths, values, deviations, marker=marker, capsize=3, label=arch)
    name, heights = baseline(records)
    axes.plot(list(heights), list(heights.values()), "k--", marker="_", label=name)
    if task.solved_at is not None:
        axes.axhline(task.solved_at, color="k", linestyle=":", label="solved")
    axes.set_xscale("log")
    axes.set_xticks(list(heights), [str(length) for length in heights])
    axes.minorticks_off()
    axes.set_xlabel(task.length_label)
    if task.metric == "accuracy":
        axes.set(ylabel="accuracy (higher is better)", ylim=(-0.03, 1.03))
    else:
        axes.set(ylabel=f"{task.metric} (lower is better)", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    plots.save(figure, path)
