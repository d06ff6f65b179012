"""The options of each verb."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, settings
from shared.cli import Verbs
from shared.runs import OfRun
from shared.settings import Count, Whole, chosen, one_of
from shared.trials import Seeds

from .config import DEFAULT, RECIPES, Config


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with the baselines, and save it. Repeat the command to resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Measure a trained run again, on its test part or on other series, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # CSV file of other series to measure it on, every window of which is tested; by default the run's own test part
    data: str | None = None
    # also AutoETS and AutoTheta, which are slow and kept for the next time
    classical: bool = False
    # of how many origins of each series, spread evenly over its test part, these two forecast
    origins: Count = 5
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Refuses what does not go together."""
        settings.check(self)
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own test part")


@dataclass(frozen=True)
class Predict(OfRun):
    """Forecast the steps after the end of each series in a file: a CSV file and a fan chart in the data's units."""

    # CSV file as --data of train takes it; rows without a value give the known columns of the future
    series: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # steps to forecast; by default as many as the run was trained for
    horizon: Count | None = None
    # the CSV file to write; by default forecast-NAME.csv in the run; the fan chart goes to the same folder
    out: str | None = None

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        settings.check(self)


@dataclass(frozen=True)
class Backtest(OfRun):
    """Forecast a file's series as if at many past moments, and measure each forecast by what came."""

    # CSV file as --data of train takes it
    series: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # at how many moments, the last ones of each series
    origins: Count = 20
    # steps from one moment to the next
    stride: Count = 1
    # fit the linear part anew at every so many moments, on what was known then; 0 = never
    refit: Whole = 0
    # the CSV file to write with every forecast; by default backtest-NAME.csv in the run
    out: str | None = None

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        settings.check(self)


@dataclass(frozen=True)
class Stream(OfRun):
    """Forecast after each new row of a growing file or of standard input, with intervals that adapt."""

    # CSV file with a header, as --data of train takes it; - for standard input
    feed: Positional[str] = "-"
    # the run's name; by default the newest
    run: str | None = None
    # keep reading what is appended to the file, until Ctrl-C
    follow: bool = False
    # file that keeps the state: it is read at the start if it is there, and written at the end and on the way
    state: str | None = None
    # the step ahead that is printed
    ahead: Count = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        settings.check(self)


def verbs(words: Sequence[str]) -> Verbs:
    """Each verb with its default options and the function that does it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "predict": (Predict(), "predict:predict", "forecast"),
        "backtest": (Backtest(), "backtest:backtest"),
        "stream": (Stream(), "stream:stream"),
    }
