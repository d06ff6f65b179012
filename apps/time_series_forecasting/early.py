"""What a command refuses before a backend starts: files, headers and options that do not fit the run."""

from pathlib import Path

from shared import InputError, files
from shared.runs import Run

from .config import Config
from .reading import check_header


def forecast_out(out: str | None, series: str, run: Run, chart: bool = True) -> Path:
    """Returns the path of the CSV file of `forecast`; raises InputError if it or its fan chart cannot be written."""
    path = csv_out(out, series, run.file(f"forecast-{Path(series).stem}.csv"))
    picture = path.with_suffix(".png")
    if not chart:
        return path
    if picture.exists() and not path.exists():
        raise InputError(f"--out: the fan chart of {path.name} would overwrite {picture}; choose another name")
    files.check_picture(picture, "--out")
    return path


def csv_out(out: str | None, series: str, default: Path) -> Path:
    """Returns the path of the CSV file to write; raises InputError if it cannot be written."""
    path = Path(out) if out else default
    if path.suffix != ".csv":
        raise InputError(f"--out: expected the path of a CSV file in a folder that exists; received {path}")
    files.check_output(path, "--out", "a CSV file", {"the series": series})
    return path


def steps_of(horizon: int | None, run: Run, option: str = "--horizon") -> int:
    """Returns the number of steps to forecast, by default as in training. Raises InputError if it is larger."""
    most = run.settings(Config).horizon
    if horizon and horizon > most:
        raise InputError(
            f"{option}: expected at most {most}, for which {run.path.name} was trained; received {horizon}"
        )
    return horizon or most


def readable(series: str, run: Run) -> None:
    """Raises InputError if a file does not exist, or has not the columns that the run reads."""
    info = run.info()
    check_header(Path(series), info["known"], list(info["static"]))


def growing(feed: str, follow: bool, run: Run) -> None:
    """Raises InputError as `readable` for the file of a stream, which may still be empty if it is followed."""
    path = Path(feed)
    if feed != "-" and not (follow and path.is_file() and not path.stat().st_size):
        readable(feed, run)


def streamable(run: Run) -> None:
    """Raises InputError if the run reads columns whose future is known."""
    if known := run.info()["known"]:
        raise InputError(
            f"stream: expected a run without --known, since no row has its future values; {run.path.name} reads "
            f"{', '.join(known)}"
        )
