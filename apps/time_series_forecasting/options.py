"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, files, settings
from shared.cli import Verbs
from shared.data.early import read_early
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import Count, Whole, chosen, one_of
from shared.trials import Seeds

from . import early, sources
from .config import DEFAULT, RECIPES, Config


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with the baselines, and save it. Repeat the command to resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()

    def check(self) -> None:
        """Raises InputError if the data set is not available, before a backend is loaded."""
        sources.known(self.config.data)
        read_early(self.config.data, lambda: sources.load(self.config))


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run, on its test part or on other series, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # CSV file of other series to evaluate on, using every window; by default the run's own test part
    data: str | None = None
    # also compare with AutoETS and AutoTheta, which are slow; their results are saved for the next time
    classical: bool = False
    # number of origins of each series, spread evenly over its test part, at which AutoETS and AutoTheta forecast
    origins: Count = 5
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects options that cannot be combined."""
        settings.check(self)
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own test part")

    def check(self) -> None:
        """Raises InputError if there is no such run, or --data is no file of series."""
        super().check()
        if self.data:
            early.readable(self.data, self.trained())


@dataclass(frozen=True)
class CheckData(Report):
    """Say what is wrong with the data before training, and draw it; exit status 1 if results on it would mislead."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None

    def check(self) -> None:
        """Raises InputError if the data set is not available or the picture cannot be written."""
        super().check()
        sources.known(self.config.data)


@dataclass(frozen=True)
class Predict(OfRun):
    """Forecast the next steps of each series in a file; writes a CSV file and a fan chart, in the data's units."""

    # CSV file, as for train --data; rows without a value give the future values of known columns
    series: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # number of steps to forecast; by default as in training
    horizon: Count | None = None
    # the CSV file to write; by default forecast-NAME.csv in the run; the fan chart goes to the same folder
    out: str | None = None
    # print JSON, one object for all series of the file; files are written with --out only
    json: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)

    def check(self) -> None:
        """Raises InputError for what does not fit the run, before a backend is loaded."""
        super().check()
        run = self.trained()
        early.readable(self.series, run)
        early.steps_of(self.horizon, run)
        early.forecast_out(self.out, self.series, run, chart=not self.json)


@dataclass(frozen=True)
class Backtest(OfRun):
    """Forecast the series of a file from many past origins, and compare each forecast with the true values."""

    # CSV file, as for train --data
    series: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # number of forecast origins, the last ones of each series
    origins: Count = 20
    # steps between two origins
    stride: Count = 1
    # refit the linear part at every N-th origin, on the data up to it; 0 = never
    refit: Whole = 0
    # the CSV file to write with every forecast; by default backtest-NAME.csv in the run
    out: str | None = None

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)

    def check(self) -> None:
        """Raises InputError for what does not fit the run, before a backend is loaded."""
        super().check()
        run = self.trained()
        early.readable(self.series, run)
        early.csv_out(self.out, self.series, run.file(f"backtest-{Path(self.series).stem}.csv"))


@dataclass(frozen=True)
class Stream(OfRun):
    """Forecast after each new row of a growing file or of standard input, with adaptive intervals; the run must be
    trained without --known."""

    # CSV file with a header, as for train --data; - for standard input
    feed: Positional[str] = "-"
    # the run's name; by default the newest
    run: str | None = None
    # wait for rows appended to the file, until Ctrl-C
    follow: bool = False
    # file to save the state in, regularly and at the end, and to resume from if it exists
    state: str | None = None
    # which step ahead to print
    ahead: Count = 1

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)

    def check(self) -> None:
        """Raises InputError for what does not fit the run, before a backend is loaded."""
        super().check()
        run = self.trained()
        early.streamable(run)
        early.steps_of(self.ahead, run, "--ahead")
        early.growing(self.feed, self.follow, run)
        if self.state:
            files.check_output(self.state, "--state", apart_from={"the series": self.feed})


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=chosen(RECIPES, words)), "check_data:check_data"),
        "predict": (Predict(), "predict:predict", "forecast"),
        "backtest": (Backtest(), "backtest:backtest"),
        "stream": (Stream(), "stream:stream"),
        "serve": (Serve(), "serve:serve"),
    }
