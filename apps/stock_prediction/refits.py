"""The walk-forward scheme: which days each fit of the network learns from, is validated on, and is tested on."""

import dataclasses

import numpy as np

from shared import InputError

from .bars import Bars
from .config import HORIZONS, Config
from .features import WARM_UP

FEWEST = 100  # minimum number of training days of the first fit


@dataclasses.dataclass(frozen=True)
class Refit:
    """One fit of the walk-forward scheme, to the days before `test`, for predictions from `test` to before `end`.

    Attributes:
        number: from 0. test, end: indices of days.
        blocks: (from, to before) the validation days.
        recent: the calibration factors are fitted on the days from this one up to the test period.
        embargo: days left out on both sides of a block.
    """

    number: int
    test: int
    end: int
    blocks: tuple[tuple[int, int], ...]
    recent: int
    embargo: int


def walk(found: Bars, config: Config) -> tuple[Refit, ...]:
    """Returns the refits. Raises InputError if there are too few days before or in the test part."""
    days = len(found.days)
    start = days - round(days * config.test_share)
    if config.test_from:
        start = int(np.searchsorted(found.days, np.datetime64(config.test_from, "D")))
    needed = WARM_UP + FEWEST + first_block(config) * config.block_days
    if start < needed or days - start < 2 * max(HORIZONS):
        first = config.test_from or found.days[min(start, days - 1)]
        raise InputError(
            f"{found.source}: expected at least {needed:,} days before the test part and {2 * max(HORIZONS)} in it; "
            f"received {start:,} and {days - start:,}, from {first} on, as the last day is {found.days[-1]}. "
            f"Use longer series, or lower --block-days "
            f"(now {config.block_days}), or choose --test-from or --test-share"
        )
    starts = list(range(start, days, config.refit_days))
    if len(starts) > 1 and days - starts[-1] < max(HORIZONS):
        starts.pop()  # the last few days are too few for a period of their own
    ends = [*starts[1:], days]
    return tuple(
        refit_at(number, test, end, config, config.block_days)
        for number, (test, end) in enumerate(zip(starts, ends, strict=True))
    )


def first_block(config: Config) -> int:
    """Returns which block before the test period is the first one for validation, counted backwards from 1."""
    return (config.valid_every + 1) // 2


def refit_at(number: int, test: int, end: int, config: Config, block: int) -> Refit:
    """Returns a refit whose validation blocks are spread over all days before the test period.

    So validation covers all market regimes, and the most recent years are also used for training. Training on days
    after a validation block does not leak from the test period.
    """
    ends = range(test - (first_block(config) - 1) * block, WARM_UP + block, -config.valid_every * block)
    blocks = tuple((end - block, end) for end in ends)
    return Refit(number, test, end, blocks, max(WARM_UP, test - config.calibration_days), config.embargo)
