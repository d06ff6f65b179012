"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, files, settings
from shared.cli import Verbs
from shared.data.early import read_early
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import NotNegative, Positive, chosen, one_of
from shared.trials import Seeds

from . import sources
from .config import DEFAULT, RECIPES, Config


@dataclass(frozen=True)
class Train:
    """Train a network walk-forward, compare it with the baselines, and save it. Repeat the command to resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()

    def check(self) -> None:
        """Raises InputError if the data set is not available, before a backend is loaded."""
        sources.known(self.config.data)
        read_early(self.config.data, lambda: sources.read_source(self.config.data))


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run, on its test part or on other data, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # data to evaluate on, as for train; by default the run's own test part
    data: str | None = None
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects options that cannot be combined."""
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own test part")

    def check(self) -> None:
        """Raises InputError if the run or the data set is not available, before a backend is loaded."""
        if self.data:
            sources.known(self.data)
        super().check()


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
    """Predict the volatility of the next 1, 5 and 22 days and the probability of a rise, from daily bars."""

    # CSV file or folder with the columns date, open, high, low, close, optionally volume, and name for several tickers
    bars: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # also write a CSV file with one row for each ticker and horizon
    out: str | None = None
    # print JSON, one object for all tickers of the file
    json: bool = False

    def check(self) -> None:
        """Raises InputError if there are no such bars or run, or the output cannot be written."""
        if self.out is not None:
            files.check_output(self.out, "--out", "a CSV file", {"the bars": self.bars})
        sources.there(self.bars)
        super().check()


@dataclass(frozen=True)
class Backtest(OfRun):
    """Backtest trading on the test part, after costs, and deflate the Sharpe ratio for the number of trials."""

    # the run's name; by default the newest
    run: str | None = None
    # commissions and half the spread, in basis points per unit of turnover
    cost_bps: NotNegative = 5.0
    # slippage of an order at the open, in basis points per unit of turnover
    slippage_bps: NotNegative = 2.0
    # annual volatility that positions are scaled to, in per cent
    target_volatility: Positive = 15.0
    # largest position, as a multiple of the capital
    leverage: Positive = 1.0

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)


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
        "serve": (Serve(), "serve:serve"),
    }
