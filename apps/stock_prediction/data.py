"""Daily bars as training data, walk-forward: each test period is predicted by a model fitted to earlier days.

No information leaks: inputs only look back, a target belongs to a split only if all of its days do, days between the
splits are left out, and means and standard deviations come from the training days alone.
"""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import InputError, trials
from shared.fingerprint import fingerprint

from .bars import Bars
from .config import HORIZONS, Config
from .features import WARM_UP, Series, inputs, measured, scaled
from .sources import read_source
from .targets import Targets, targets

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


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """All days; each refit selects its training, validation and test examples.

    `info` fits JSON: source, fingerprint, tickers, inputs (their names), refits (from, until: the first and last test
    day; mean, deviation of the inputs in training), split, counts of the corrections made to the bars.
    """

    bars: Bars
    series: Series
    inputs: np.ndarray  # (tickers, days, inputs), unscaled
    targets: Targets
    refits: tuple[Refit, ...]
    info: dict[str, Any]

    def train(self, refit: Refit) -> np.ndarray:
        """(horizons, tickers, days) bool: a refit's training examples, whose targets avoid its validation blocks."""
        chosen = self.before(refit)
        for start, end in refit.blocks:
            chosen &= (self.targets.last < start - refit.embargo) | (self.targets.first >= end + refit.embargo)
        return chosen

    def valid(self, refit: Refit) -> np.ndarray:
        """The same for validation: targets within a block."""
        return np.any([self.targets.inside(start, end) for start, end in refit.blocks], axis=0)

    def recent(self, refit: Refit) -> np.ndarray:
        """The last examples before the test period, in training or not, which are used for calibration."""
        return self.targets.inside(refit.recent, refit.test)

    def before(self, refit: Refit) -> np.ndarray:
        """All examples before the test period, to which the baselines are fitted."""
        return self.targets.inside(0, refit.test)

    def asked(self, refit: Refit) -> np.ndarray:
        """(tickers, days) bool: the days on which to make a forecast, those whose next bar is in the test period."""
        return (self.targets.first >= refit.test) & (self.targets.first < refit.end)

    def test(self, refit: Refit) -> np.ndarray:
        """The test examples, see `train`; the last bar of a long horizon may be after the test period."""
        return self.asked(refit) & np.isfinite(self.targets.variance)

    def tested(self) -> np.ndarray:
        """The test examples of all refits."""
        return np.any([self.test(refit) for refit in self.refits], axis=0)

    def scaled(self, number: int) -> np.ndarray:
        """(tickers, days, inputs) float32: the inputs normalised for the network of this refit."""
        scale = self.info["refits"][number]
        return scaled(self.inputs, np.array(scale["mean"]), np.array(scale["deviation"]))


@trials.same_for_every_seed
def load(config: Config) -> Data:
    """Reads and validates the bars of `config.data`, and splits them walk-forward.

    Raises:
        InputError: the source is unknown, a file is invalid, or there are too few days.
    """
    found = read_source(config.data).last(config.max_examples)
    refits = walk(found, config)
    say(found.notes)
    data = laid_out(found, refits, {"source": found.source, "counts": dict(found.counts)})
    scales = []
    for refit in refits:
        # The training days are the same for all horizons, except for the last few.
        mean, deviation = scale_of(data.inputs[data.train(refit)[0]])
        scales.append(
            {
                "from": str(found.days[refit.test]),
                "until": str(found.days[refit.end - 1]),
                "mean": mean.tolist(),
                "deviation": deviation.tolist(),
            }
        )
    examples = int(data.tested()[0].sum())
    data.info.update(
        refits=scales,
        split=f"test {scales[0]['from']} to {scales[-1]['until']}, {len(refits)} refit(s), {examples:,} ticker-days; "
        f"of the {config.block_days}-day blocks before, 1 in {config.valid_every} validates",
        fingerprint=fingerprint(found.tickers, found.days.astype(str).tolist(), found.close, data.series.variance),
    )
    return data


def scale_of(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard deviation of each input's known values; 0 and 1 if there are none; 1 if constant."""
    known = np.isfinite(rows)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, rows, 0).sum(axis=0) / counts
    deviation = np.sqrt((np.where(known, rows - mean, 0) ** 2).sum(axis=0) / counts)
    return mean, np.where(deviation > 1e-6, deviation, 1.0)


def laid_out(found: Bars, refits: tuple[Refit, ...], info: dict[str, Any]) -> Data:
    """Computes inputs and targets from bars."""
    series = measured(found)
    names, values = inputs(found, series)
    info = info | {"tickers": list(found.tickers), "inputs": list(names)}
    return Data(found, series, values, targets(series), refits, info)


def say(notes: Sequence[str]) -> None:
    """Prints notes on the bars on stderr."""
    for note in notes:
        print(note, file=sys.stderr)


def walk(found: Bars, config: Config) -> tuple[Refit, ...]:
    """Returns the refits. Raises InputError if there are too few days before or in the test part."""
    days = len(found.days)
    start = days - round(days * config.test_share)
    if config.test_from:
        start = int(np.searchsorted(found.days, np.datetime64(config.test_from, "D")))
    needed = WARM_UP + FEWEST + first_block(config) * config.block_days
    if start < needed or days - start < 2 * max(HORIZONS):
        first = found.days[min(start, days - 1)]
        raise InputError(
            f"{found.source}: expected at least {needed:,} days before the test part and {2 * max(HORIZONS)} in it; "
            f"received {start:,} and {days - start:,}, from {first} on. Use longer series, or lower --block-days "
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


def tested_on(data: Data, path: str, config: Config) -> Data:
    """Returns other bars with the run's scales: the last `test_share` of days are for testing, earlier ones calibrate.

    Raises:
        InputError: the file is invalid, or there are too few days.
    """
    found = read_source(path)
    days = len(found.days)
    test, block = days - round(days * config.test_share), 2 * max(HORIZONS)
    needed = WARM_UP + FEWEST + first_block(config) * block
    if test < needed or days - test < 2 * max(HORIZONS):
        raise InputError(
            f"{path}: expected at least {needed} days before the tested ones and {2 * max(HORIZONS)} tested; "
            f"received {test} and {days - test}. Use longer series"
        )
    last = refit_at(len(data.refits) - 1, test, days, config, block)
    other = laid_out(found, (last,), {"source": path, "counts": dict(found.counts)})
    if other.info["inputs"] != data.info["inputs"]:
        raise InputError(
            f"{path}: expected {'several tickers' if len(data.bars.tickers) > 1 else 'one ticker'}, as the run was "
            f"trained on; received {', '.join(found.tickers)}"
        )
    say(found.notes)
    other.info.update(
        refits=data.info["refits"],
        split=f"test {found.days[test]} to {found.days[-1]}, {int(other.tested()[0].sum()):,} ticker-days",
    )
    fitted = data.info["refits"][-1]["from"]
    if found.days[test] < np.datetime64(fitted):
        say([f"{path}: some of the days tested are before {fitted}, until when the network was fitted and validated"])
    return other
