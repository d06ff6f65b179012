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
from shared.data.wording import sized
from shared.fingerprint import fingerprint

from .bars import Bars
from .config import HORIZONS, Config
from .features import WARM_UP, Series, inputs, measured, scaled
from .refits import FEWEST, Refit, first_block, refit_at, walk
from .sources import read_source
from .targets import Targets, targets

LEAST_KNOWN = 10  # minimum number of examples of each part and horizon


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """All days; each refit selects its training, validation and test examples.

    `info` fits JSON: source, fingerprint, tickers, inputs (their names), refits (from, until: the first and last test
    day; mean, deviation of the inputs in training).
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

    @property
    def split(self) -> str:
        """The parts in words."""
        first, last = self.bars.days[self.refits[0].test], self.bars.days[self.refits[-1].end - 1]
        refits, examples = sized(len(self.refits), "refits"), sized(int(self.tested()[0].sum()), "ticker-days")
        blocks, (start, end) = sized(len(self.refits[-1].blocks), "blocks"), self.refits[-1].blocks[0]
        return f"test {first} to {last}, {refits}, {examples}; before, {blocks} of {end - start} days for validation"

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
    data = laid_out(found, refits, {"source": found.source})
    check_known(data)
    say(found.source, found.notes)
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
    data.info.update(
        refits=scales,
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


def say(source: str, notes: Sequence[str]) -> None:
    """Prints notes on the bars on stderr."""
    for note in notes:
        print(f"{source}: {note}", file=sys.stderr)


def check_tickers(data: Data, info: dict, run: str) -> None:
    """Raises InputError if the bars have one ticker and the run was trained on several, or the other way round.

    A network that was trained on several reads their average.
    """
    if data.info["inputs"] == info["inputs"]:
        return
    received = f"{sized(len(data.bars.tickers), 'tickers')}: {', '.join(data.bars.tickers)}"
    if len(info["tickers"]) > 1:
        wanted, todo = "several tickers", "Give them together, as one file or folder, or train a run on one ticker"
    else:
        wanted, todo = "one ticker", "Give one at a time, or train a run on several"
    raise InputError(
        f"{data.info['source']}: expected {wanted}, since the run {run} was trained on {', '.join(info['tickers'])}; "
        f"received {received}. {todo}, or choose another one with --run"
    )


def check_known(data: Data) -> None:
    """Raises InputError if too few days of a part have a known variance: there is nothing to fit to, or to test on."""
    test = data.tested().sum(axis=(1, 2))
    for refit in data.refits:
        counts = zip(
            HORIZONS, data.train(refit).sum(axis=(1, 2)), data.valid(refit).sum(axis=(1, 2)), test, strict=True
        )
        for horizon, *parts in counts:
            if min(parts) < LEAST_KNOWN:
                bars, known = int(data.series.traded.sum()), int(np.isfinite(data.series.variance).sum())
                train, valid, tested = (f"{count:,}" for count in parts)
                raise InputError(
                    f"{data.bars.source}: expected at least {LEAST_KNOWN} days with a known variance of the next "
                    f"{sized(horizon, 'days')} in training, validation and test each; received {train}, {valid} and "
                    f"{tested}. Of {sized(bars, 'bars')}, {known:,} have Open, High and Low, which a day's variance "
                    "needs, and all days ahead need it: fill in these cells, or remove the bars without them"
                )


def tested_on(data: Data, path: str, config: Config, run: str) -> Data:
    """Returns other bars with the run's scales: the last `test_share` of days are for testing, earlier ones calibrate.

    Args:
        data, config, run: data, settings and name of the run. path: of the other bars.

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
    other = laid_out(found, (last,), {"source": path})
    check_tickers(other, data.info, run)
    check_known(other)
    other.info.update(refits=data.info["refits"])
    fitted = data.info["refits"][-1]["from"]
    if found.days[test] < np.datetime64(fitted):
        say(path, [f"some of the days tested are before {fitted}, until when the network was fitted and validated"])
    return other
