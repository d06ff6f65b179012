"""Lists the trained runs of all apps, compares two of them, or deletes one."""

import datetime
import json
import shutil
from pathlib import Path

from shared import InputError, MissingFileError
from shared import runs as folders

from .gallery import gallery
from .options import Runs

COLUMNS = ("run", "data", "arch", "figure", "size", "trained")


def runs(options: Runs) -> None:
    """Runs the runs command."""
    if options.compare and len(options.compare) != 2:
        raise InputError(f"--compare: expected two runs, each APP/NAME; received {len(options.compare)}")
    if options.delete:
        delete(found(options.delete), options.yes)
    elif options.compare:
        compare(*map(found, options.compare))
    else:
        show(options.app)


def show(app: str = "") -> None:
    """Prints one line per run, the last trained first."""
    known = [name for name, _ in gallery()]
    if app and app not in known and not (folders.root() / app).is_dir():
        raise InputError(f"--app: expected one of {', '.join(known)}; received {app!r}")
    paths = sorted(trained(app), key=lambda path: -trained_at(path))
    if not paths:
        where = folders.root() / app if app else folders.root()
        raise MissingFileError(f"There is no run in {where} yet. Make one: python -m apps.{app or 'NAME'} train")
    rows = [COLUMNS, *map(row, paths)]
    widths = [max(len(line[column]) for line in rows) for column in range(len(COLUMNS))]
    for line in rows:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def trained(app: str = "") -> list[Path]:
    """Returns the folders of all runs, or of one app's."""
    root = folders.root()
    found = [path.parent for path in (root / app).glob("**/config.json")]
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts)]


def trained_at(path: Path) -> float:
    """Returns when a run's model was saved last, which decides the default run; before that, when it was started."""
    model = path / "model.keras"
    return (model if model.exists() else path / "config.json").stat().st_mtime


def row(path: Path) -> tuple[str, ...]:
    """Returns the table row of a run: name, data, architecture, headline metric, size on disk, date."""
    saved = folders.read_json(path / "config.json", dict)
    config = saved.get("config", {})
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 2**20
    day = datetime.datetime.fromtimestamp(trained_at(path)).strftime("%Y-%m-%d %H:%M")
    name = path.relative_to(folders.root()).as_posix()
    return name, str(config.get("data", "")), str(config.get("arch", "")), figure(path), f"{size:.1f} MiB", day


def figure(path: Path) -> str:
    """Formats the headline metric of a finished run, or states that it is not finished."""
    metrics = path / "metrics.json"
    if not metrics.exists():
        return "not finished"
    main = next(record for record in folders.read_json(metrics, list) if record["headline"])
    return f"{main['split']} {main['metric']} {main['value']:.4g}"


def found(name: str) -> Path:
    """Returns the folder of the run APP/NAME. Raises MissingFileError if it does not exist."""
    path = folders.root() / name
    if path not in trained():
        known = ", ".join(sorted(each.relative_to(folders.root()).as_posix() for each in trained())) or "none"
        raise MissingFileError(f"Expected a run APP/NAME in {folders.root()}. There is no {name}. Runs there: {known}")
    return path


def compare(first: Path, second: Path) -> None:
    """Prints the settings in which two runs differ, and the metrics they have in common."""
    configs = [folders.read_json(path / "config.json", dict)["config"] for path in (first, second)]
    differing = [name for name in {**configs[0], **configs[1]} if configs[0].get(name) != configs[1].get(name)]
    lines = [("", row(first)[0], row(second)[0])]
    lines += [(name, *(json.dumps(config.get(name)) for config in configs)) for name in differing]
    figures = [metrics(path) for path in (first, second)]
    lines += [(name, *(f"{each[name]:.6g}" for each in figures)) for name in figures[0] if name in figures[1]]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def metrics(path: Path) -> dict[str, float]:
    """Returns the metrics of a finished run by split, metric and options; {} if it is not finished."""
    file = path / "metrics.json"
    records = folders.read_json(file, list) if file.exists() else []
    return {" ".join([r["split"], r["metric"], *map(str, r["options"].values())]): r["value"] for r in records}


def delete(path: Path, sure: bool) -> None:
    """Deletes a run after confirmation."""
    if not sure:
        print(f"Delete {path}, {figure(path)}? Type yes: ", end="", flush=True)
        try:
            sure = input().strip().lower() == "yes"
        except EOFError:
            print()
    if not sure:
        raise InputError(f"{path} was not deleted: expected the answer yes, or --yes.")
    shutil.rmtree(path)
    print(f"Deleted {path}")
