"""The data sources: the built-in series, public data, your own CSV file."""

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np

from shared import InputError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE, check

from .clock import Clock
from .config import Config
from .panel import Panel, of_values
from .reading import read

PUBLIC = ("etth1", "etth2", "exchange_rate", "m4_hourly")
HOUR = Clock("seconds", 3600)
PLAIN = Clock("steps", 1)
WEEK_S = 7 * 86_400
ETT_FIRST = 407_592  # hours from 1970 to 2016-07-01
ETT_PARTS = (8640, 2880, 2880)  # 12, 4 and 4 months of 30 days
SUNSPOT_CYCLE = 11  # years
HOURS_OF_DAY = 24


@dataclasses.dataclass(frozen=True)
class Source:
    """A panel, and the ends of the splits (train, valid, test) of each series, in steps from its start."""

    panel: Panel
    ends: tuple[tuple[int, int, int], ...]


def known(source: str) -> None:
    """Raises InputError if a --data value is not a known source."""
    check(source, PUBLIC, "or the path of a CSV file")


def load(config: Config) -> Source:
    """Reads the series of `config.data` and determines where their splits end.

    Raises:
        InputError: the source is unknown, a file is invalid, or a series is too short for three splits.
    """
    if config.data not in ("builtin", *PUBLIC):
        return own(config)
    if config.known or config.static:
        raise InputError(f"--known, --static: expected your own file as --data; {config.data} has no such columns")
    source = {"builtin": builtin, "exchange_rate": exchange_rate, "m4_hourly": m4_hourly}.get(config.data, ett)(config)
    if not config.season:
        return source
    series = tuple(dataclasses.replace(each, season=config.season) for each in source.panel.series)
    return dataclasses.replace(source, panel=dataclasses.replace(source.panel, series=series))


def builtin(config: Config) -> Source:
    """Weekly CO2 at Mauna Loa, 1958-2001, with 59 weeks missing, and yearly sunspots, 1700-2008 (statsmodels)."""
    from statsmodels.datasets import co2, sunspots

    weekly, yearly = co2.load_pandas().data, sunspots.load_pandas().data
    start = int(weekly.index[0].timestamp())
    clock = Clock("seconds", WEEK_S, start % WEEK_S)
    series = (
        of_values("co2", weekly["co2"].to_numpy(), clock, int(clock.place(np.array(start)))),
        of_values("sunspots", yearly["SUNACTIVITY"].to_numpy(), PLAIN, int(yearly["YEAR"].iloc[0]), SUNSPOT_CYCLE),
    )
    return parts(Panel("CO2 by week, sunspots by year", series), config)


def ett(config: Config) -> Source:
    """Hourly load and oil temperature of a transformer, seven channels, with the standard split."""
    rows = list(csv.reader(io.StringIO(fetch.fetch(CATALOGUE[config.data][0]).decode())))
    values = np.array([row[1:] for row in rows[1:]], np.float64)[: sum(ETT_PARTS)]
    series = tuple(of_values(name, values[:, n], HOUR, ETT_FIRST) for n, name in enumerate(rows[0][1:]))
    first, second, _ = ETT_PARTS
    return Source(Panel(config.data, series), ((first, first + second, len(values)),) * len(series))


def exchange_rate(config: Config) -> Source:
    """Daily exchange rates of eight countries, without dates; chronological 7 : 1 : 2 split."""
    values = np.loadtxt(io.BytesIO(fetch.fetch(CATALOGUE[config.data][0])), delimiter=",")
    series = tuple(of_values(f"rate_{n + 1}", values[:, n], PLAIN) for n in range(values.shape[1]))
    train, test = int(0.7 * len(values)), int(0.2 * len(values))
    return Source(Panel(config.data, series), ((train, len(values) - test, len(values)),) * len(series))


def m4_hourly(config: Config) -> Source:
    """The 414 hourly series of the M4 competition; the last 48 steps are the test part, the 48 before validation."""
    known, ahead = (_by_name(fetch.fetch(file).decode()) for file in CATALOGUE[config.data])
    horizon = len(next(iter(ahead.values())))
    if config.horizon > horizon:
        raise InputError(f"--horizon: expected at most {horizon} with m4_hourly; received {config.horizon}")
    series, ends = [], []
    for name, values in known.items():
        both = np.concatenate([values, ahead[name][: config.horizon]])
        series.append(of_values(name, both, PLAIN, season=HOURS_OF_DAY))
        ends.append((len(values) - config.horizon, len(values), len(both)))
    return Source(Panel(config.data, tuple(series)), tuple(ends))


def _by_name(text: str) -> dict[str, np.ndarray]:
    """Parses a table with one series per row: its name, then its values, then empty cells."""
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return {row[0]: np.array([float(cell) for cell in row[1:] if cell]) for row in rows}


def own(config: Config) -> Source:
    """Reads your own CSV file."""
    known(config.data)
    return parts(read(Path(config.data), config.known, config.static, config.season), config)


def parts(panel: Panel, config: Config) -> Source:
    """Splits each series chronologically: the last share is test, the one before it validation.

    Raises:
        InputError: a series is too short for one forecast in each split.
    """
    ends = []
    for series in panel.series:
        count = len(series)
        test = max(config.horizon, int(config.test_fraction * count))
        valid = max(config.horizon, int(config.valid_fraction * count))
        train = count - test - valid
        if train <= config.horizon:
            raise InputError(
                f"{panel.source}: expected more than {3 * config.horizon} steps of {series.name}, for --horizon "
                f"{config.horizon} in each of three parts; received {count}. Lower --horizon."
            )
        ends.append((train, train + valid, count))
    return Source(panel, tuple(ends))
