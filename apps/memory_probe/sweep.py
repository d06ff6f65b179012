"""How far back each architecture remembers: every one at every length, with an equal number of parameters."""

import dataclasses
import statistics
from pathlib import Path

import keras

from shared import InputError, plots, runs

from .config import APP, SUITED, Config, Sweep, flags, recipe
from .evaluate import keep
from .tasks import TASKS
from .train import train_one

Cells = dict[tuple[int, str], list[list[dict]]]  # (length, architecture) -> the records of each seed's run


def sweep(options: Sweep) -> None:
    """The sweep verb: trains what is not trained yet, prints a table, draws a picture."""
    configs = plan(options)
    cells: Cells = {}
    refused: list[str] = []
    for number, config in enumerate(configs, 1):
        said = f"{config.arch}, length {config.length}, seed {config.seed}"
        print(f"\n--- {number} of {len(configs)}: {said} ---", flush=True)
        try:
            cells.setdefault((config.length, config.arch), []).append(measured(config))
        except InputError as error:  # a training that diverges, or no width for the budget, ends one cell only
            refused.append(f"{said}: {error}")
            print(refused[-1], flush=True)
        keras.utils.clear_session()
    if not any(cells.values()):
        raise InputError(f"No run came to an end. {refused[0]}")
    records = [summary(done, command(options)) for done in cells.values() if done]
    print(f"\n{options.config.data}, {options.config.params:,} parameters each\n{table(records)}")
    print("\n".join(f"left out: {line}" for line in refused), end="\n" if refused else "")
    picture = runs.root() / APP / f"sweep-{options.config.data}.png"
    draw(cells, options.config, picture)
    print(f"Picture: {picture}")
    if options.record:
        keep(records)


def plan(options: Sweep) -> list[Config]:
    """The settings of every run, the shortest sequences first; refuses all of them if one cannot work."""
    config, start = options.config, recipe(options.recipe, options.config.data)
    if (config.arch, config.length) != (start.arch, start.length):
        raise InputError("Expected --archs and --lengths. Received: --arch or --length, which name only one")
    if options.seeds < 1 or not options.archs:
        raise InputError(f"Expected --seeds of at least 1 and --archs. Received: {options.seeds} and {options.archs}")
    return [
        dataclasses.replace(config, length=length, arch=arch, seed=config.seed + seed)
        for length in sorted(set(options.lengths or TASKS[config.data].lengths))
        for arch in dict.fromkeys(options.archs)
        for seed in range(options.seeds)
    ]


def measured(config: Config) -> list[dict]:
    """The records of the run with these settings, which is trained if it is not there or not finished."""
    run = runs.start(APP, dataclasses.asdict(config))
    if run.file("metrics.json").exists():
        print(f"{run.path} is done")
        return run.metrics()
    return train_one(config).metrics()


def summary(done: list[list[dict]], said: str) -> dict:
    """The task's own figure as one record over all seeds; minutes are those of one training."""
    values = _values(done)
    return done[-1][0] | {
        "value": round(statistics.mean(values), 5),
        "std": round(statistics.stdev(values), 5) if len(values) > 1 else None,
        "seeds": len(values),
        "minutes": round(statistics.mean(records[0]["minutes"] for records in done), 1),
        "command": said,
    }


def command(options: Sweep) -> str:
    """The command line of this sweep."""
    words = [f"python -m {__package__} sweep", *flags(options.config, left_out=("arch", "length"))]
    words += [f"--archs {' '.join(options.archs)}"] if options.archs != SUITED else []
    words += [f"--lengths {' '.join(map(str, options.lengths))}"] if options.lengths else []
    return " ".join([*words, *([f"--seeds {options.seeds}"] if options.seeds > 1 else [])])


def table(records: list[dict]) -> str:
    """One line for each architecture, a column for each length; * marks what is solved."""
    columns = list(dict.fromkeys(record["data"] for record in records))
    found = {(record["arch"], record["data"]): record for record in records}
    simple = {record["data"]: record["baseline"] for record in records}
    lines = [f"{records[0]['metric']:20}" + "".join(f"{data.split()[1]:>18}" for data in columns)]
    for arch in dict.fromkeys(record["arch"] for record in records):
        lines.append(f"{arch:20}" + "".join(f"{_shown(found.get((arch, data))):>18}" for data in columns))
    name = simple[columns[0]]["name"]
    return "\n".join([*lines, f"{name:20}" + "".join(f"{simple[data]['value']:>17.4f} " for data in columns)])


def _shown(record: dict | None) -> str:
    if record is None:
        return "- "
    line = TASKS[record["data"].split()[0]].solved
    sign = 1 if record["direction"] == "higher" else -1
    spread = f" ± {record['std']:.4f}" if record["std"] is not None else ""
    return f"{record['value']:.4f}{spread}{'*' if line is not None and sign * record['value'] > sign * line else ' '}"


def draw(cells: Cells, config: Config, path: Path) -> None:
    """Draws the task's figure over the length, a line for each architecture, bars of one deviation."""
    task = TASKS[config.data]
    figure, axes = plots.new_figure(f"{config.data}: about {config.params:,} parameters each", size=(8.0, 4.5))
    for number, arch in enumerate(dict.fromkeys(arch for (_, arch), done in cells.items() if done)):
        points = [(length, _values(done)) for (length, name), done in cells.items() if name == arch and done]
        lengths = [length for length, _ in points]
        means = [statistics.mean(values) for _, values in points]
        spread = [statistics.stdev(values) if len(values) > 1 else 0.0 for _, values in points]
        marker = "osD^v<>PX*"[number // 10 % 10]  # ten colours, then the next marker
        axes.errorbar(lengths, means, spread, marker=marker, capsize=3, label=arch)
    simple = {length: done[0][0]["baseline"] for (length, _), done in cells.items() if done}
    heights = [baseline["value"] for baseline in simple.values()]
    axes.plot(list(simple), heights, "k--", marker="_", label=next(iter(simple.values()))["name"])
    if task.solved is not None:
        axes.axhline(task.solved, color="k", linestyle=":", label="solved")
    axes.set_xscale("log")
    axes.set_xticks(list(simple), [str(length) for length in simple])
    axes.minorticks_off()
    axes.set_xlabel(task.axis)
    if task.metric == "accuracy":
        axes.set(ylabel="accuracy (higher is better)", ylim=(-0.03, 1.03))
    else:
        axes.set(ylabel=f"{task.metric} (lower is better)", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    plots.save(figure, path)


def _values(done: list[list[dict]]) -> list[float]:
    return [records[0]["value"] for records in done]
