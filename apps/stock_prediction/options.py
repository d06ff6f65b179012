"""The options of each verb."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, settings
from shared.cli import Verbs
from shared.runs import OfRun
from shared.settings import NotNegative, Positive, chosen, one_of
from shared.trials import Seeds

from .config import DEFAULT, RECIPES, Config


@dataclass(frozen=True)
class Train:
    """Train a network walk-forward, compare it with the baselines, and save it. The same command again continues."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # how often it is trained
    trials: Seeds = Seeds()


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Measure a trained run again, on its test part or on other bars, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # bars to measure it on, as train takes them; by default the run's own test part
    data: str | None = None
    # write the figures, averaged over all runs that differ in the seed alone, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Refuses what does not go together."""
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own test part")


@dataclass(frozen=True)
class Predict(OfRun):
    """Predict the volatility of the next 1, 5 and 22 days and the odds of a rise, from daily bars."""

    # CSV file or folder with the columns date, open, high, low, close, perhaps volume, and name if there are several
    bars: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # also write a CSV file with one row for each ticker and horizon
    out: str | None = None


@dataclass(frozen=True)
class Backtest(OfRun):
    """Trade the test part on paper, after costs, and say how much of the Sharpe ratio the number of trials explains."""

    # the run's name; by default the newest
    run: str | None = None
    # paid for each unit of turnover, in basis points: commissions and half the spread
    cost_bps: NotNegative = 5.0
    # paid on top, in basis points, since an order at the open moves the price
    slippage_bps: NotNegative = 2.0
    # volatility a year that the position is sized for, in per cent
    target_volatility: Positive = 15.0
    # largest position, as a multiple of the capital
    leverage: Positive = 1.0

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
    }
