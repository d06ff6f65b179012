"""Series as training data: chronological splits, scaling of each series, windows.

No information leaks: the splits follow each other in time, scales and all other statistics come from the training part
alone, and missing values are filled with the previous value.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError
from shared.data.sequences import spread
from shared.data.wording import sized
from shared.fingerprint import fingerprint

from .clock import PHASES
from .config import Config
from .panel import Panel, Series, warn
from .reading import read
from .sources import Source
from .sources import load as load_source
from .step_check import clocks_of, other_steps, refuse_other_steps
from .windows import Store, Windows

PARTS = ("train", "valid", "test")
LEAST_SCALE = 1e-8  # spread of a series, relative to its size, below which it is constant
FLAT = 0.01  # scale of a constant series, relative to its size


@dataclasses.dataclass(frozen=True)
class Data:
    """The windows of the three splits, their series, and the statistics of the training part.

    `info` fits JSON: source, fingerprint, split; per series names, clocks, seasons, shift, scale, error_scale (the
    mean absolute error of the seasonal naive forecast in training, in the data's unit); calendar; known and static
    (names and encoding of the covariates) and their numbers of columns; reach, lookback, horizon; aligned (whether all
    series have the same time steps). `linear` holds the training windows with a past of any length, for linear
    forecasts with a shorter lookback.
    """

    train: Windows
    linear: Windows
    valid: Windows
    test: Windows
    panel: Panel
    info: dict[str, Any]


# Not cached between calls: the data is as large as the file, and there are only a few seeds.
def load(config: Config) -> Data:
    """Reads, splits and scales the series of `config.data`, and cuts them into windows.

    Raises:
        InputError: the source is unknown, a file is invalid, or a series is too short.
    """
    return arranged(load_source(config), config)


def arranged(source: Source, config: Config) -> Data:
    """Scales the series of a source and cuts them into windows; raises InputError as `load`."""
    panel, ends = source.panel, source.ends
    warn(panel.notes)
    info = learned(panel, ends, config)
    padded = [before(end[0], config) for end in ends]
    store = stored(panel, info, [end for _, _, end in ends], padded, config.weighting)
    if any(padded):
        warn([f"{panel.source}: series filled up at their start for --lookback: {sum(map(bool, padded)):,}"])
    cut = {"train": [], "linear": [], "valid": [], "test": []}
    for (train, valid, test), more in zip(ends, padded, strict=True):
        bounds = {
            "train": (max(config.reach, more), train + more),
            "linear": (more + 1, train + more),
            "valid": (train + more, valid + more),
            "test": (valid + more, test + more),
        }
        for part, (low, high) in bounds.items():
            cut[part].append(np.arange(low, high - config.horizon + 1))
    code = np.arange(len(panel.series))
    refuse_unobserved(panel, ends)
    found = {part: windows(store, origins, code, config) for part, origins in cut.items()}
    if config.max_examples:
        found = {part: some.among(spread(len(some), config.max_examples)) for part, some in found.items()}
    sizes = ", ".join(f"{part} {len(found[part]):,}" for part in ("train", "valid", "test"))
    info |= {
        "fingerprint": fingerprint(store.values, store.observed, store.start, store.known, store.static),
        "split": sizes,
    }
    return Data(**found, panel=panel, info=info)


def refuse_unobserved(panel: Panel, ends: Sequence[tuple[int, int, int]]) -> None:
    """Raises InputError if all values of a part are missing."""
    for number, part in enumerate(PARTS):
        bounds = [((0, *end)[number], end[number]) for end in ends]
        if not any(s.observed[low:high].any() for s, (low, high) in zip(panel.series, bounds, strict=True)):
            raise InputError(
                f"{panel.source}: expected values in the {part} part; all are missing. Change --valid-fraction or "
                "--test-fraction."
            )


def before(train: int, config: Config) -> int:
    """Returns the number of steps to pad at the start of a series whose training part is too short for one window."""
    return max(0, config.reach + config.horizon - train)


def windows(store: Store, origins: Sequence[np.ndarray], code: np.ndarray, config: Config) -> Windows:
    """Returns the windows that end before each of these steps, for each series."""
    who = np.concatenate([np.full(len(at), number) for number, at in enumerate(origins)])
    return Windows(store, who, np.concatenate(origins), code, config.reach, config.horizon)


def learned(panel: Panel, ends: Sequence[tuple[int, int, int]], config: Config) -> dict[str, Any]:
    """Computes the statistics of the training parts, see `Data.info`."""
    counts = config.head == "negative_binomial"
    scales = [scaled(series, end[0], counts) for series, end in zip(panel.series, ends, strict=True)]
    if counts:
        refuse_no_counts(panel)
    known = [series.known[: end[0]] for series, end in zip(panel.series, ends, strict=True)]
    joined = np.concatenate(known)
    static = {name: coding([s.static[n] for s in panel.series]) for n, name in enumerate(panel.static)}
    calendar = bool(config.calendar and any(s.clock.unit != "steps" for s in panel.series))
    alike = {(series.first, series.clock, len(series)) for series in panel.series}
    return {
        "source": panel.source,
        "names": list(panel.names),
        "clocks": [series.clock.saved() for series in panel.series],
        "seasons": [series.season for series in panel.series],
        "shift": [shift for shift, _ in scales],
        "scale": [scale for _, scale in scales],
        "error_scale": [error_scale(s.values[: e[0]], s.season) for s, e in zip(panel.series, ends, strict=True)],
        "calendar": calendar,
        "known": list(panel.known),
        "known_mean": joined.mean(axis=0).tolist() if joined.shape[1] else [],
        "known_scale": [float(s) or 1.0 for s in joined.std(axis=0)] if joined.shape[1] else [],
        "static": static,
        "known_columns": PHASES * calendar + len(panel.known),
        "static_columns": sum(len(how.get("texts", "1")) for how in static.values()),
        "reach": config.reach,
        "lookback": config.lookback,
        "horizon": config.horizon,
        "aligned": len(alike) == 1,
    }


def scaled(series: Series, end: int, counts: bool = False) -> tuple[float, float]:
    """Returns (shift, scale) of a series: mean and standard deviation of the observed values before `end`.

    A constant series is scaled as if it varied by `FLAT`. Counts have shift 0, as their distribution starts at zero,
    and their mean as scale.
    """
    values = series.values[:end][series.observed[:end]]
    if counts:
        return 0.0, float(max(np.abs(values).mean(), 1.0))
    spread_, size = float(values.std()), float(np.abs(values).max())
    return float(values.mean()), spread_ if spread_ > LEAST_SCALE * size else FLAT * size or 1.0


def refuse_no_counts(panel: Panel) -> None:
    """Raises InputError if a value is not a count."""
    for series in panel.series:
        wrong = np.flatnonzero(series.observed & ((series.values < 0) | (series.values != np.round(series.values))))
        if len(wrong):
            at = int(wrong[0])
            raise InputError(
                f"--head negative_binomial: expected whole numbers from 0 on; {panel.source} has {series.values[at]:g} "
                f"of {series.name} at {series.clock.text(series.first + at)}"
            )


def error_scale(values: np.ndarray, season: int) -> float:
    """Returns the mean absolute error of the seasonal naive forecast (Hyndman and Koehler 2006); 1 if it is zero."""
    season = season if len(values) > season else 1
    error = float(np.abs(values[season:] - values[:-season]).mean()) if len(values) > season else 0.0
    return error if error > LEAST_SCALE * float(np.abs(values).max(initial=0)) else 1.0


def coding(texts: Sequence[str]) -> dict[str, Any]:
    """Returns the encoding of a static column: standardised if all its values are numbers, else one-hot."""
    try:
        values = np.array([float(text) for text in texts])
    except ValueError:
        return {"texts": sorted(set(texts))}
    return {"mean": float(values.mean()), "scale": float(values.std()) or 1.0}


def coded(text: str, how: dict[str, Any]) -> list[float]:
    """Encodes a value of a static column as numbers; a category not seen in training becomes zeros."""
    if "texts" in how:
        return [float(text == each) for each in how["texts"]]
    try:
        return [(float(text) - how["mean"]) / how["scale"]]
    except ValueError:
        raise InputError(f"expected a number in a static column; received {text!r}") from None


def stored(
    panel: Panel, info: dict[str, Any], ends: Sequence[int], padded: Sequence[int], weighting: str, future: int = 0
) -> Store:
    """Concatenates the scaled series, each padded at its start with its first value.

    Args:
        ends: number of values to use from each series. padded: number of steps of padding for each.
        weighting: one of `WEIGHTINGS`.
        future: number of steps after the end for which known columns are needed as well.

    Raises:
        InputError: the known columns end too early.
    """
    values, observed, known, static = [], [], [], []
    for number, series in enumerate(panel.series):
        end, more = ends[number], padded[number]
        scaled_ = (series.values[:end] - info["shift"][number]) / info["scale"][number]
        values.append(np.concatenate([np.full(more, scaled_[0]), scaled_]))
        observed.append(np.concatenate([np.zeros(more, bool), series.observed[:end]]))
        known.append(covariates(series, info, end + future, more, panel.source))
        columns = zip(series.static, info["static"].values(), strict=True)
        static.append([number_ for text, how in columns for number_ in coded(text, how)])
    lengths, steps = [len(each) for each in values], [len(each) for each in known]
    return Store(
        np.concatenate(values).astype(np.float32),
        np.concatenate(observed),
        np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
        np.concatenate(known).astype(np.float32),
        np.concatenate([[0], np.cumsum(steps)[:-1]]).astype(np.int64),
        np.array(static, np.float32).reshape(len(values), -1),
        np.array([series.season for series in panel.series]),
        np.array([series.clock.week() or 1 for series in panel.series]),
        weights(info, weighting),
    )


def weights(info: dict[str, Any], weighting: str) -> np.ndarray:
    """Returns how much each series counts in the fit (series,), with a mean of 1, see `Config.weighting`."""
    scale = np.array(info["scale"])
    if weighting == "equal":
        return np.ones_like(scale)
    relative = scale / np.array(info["error_scale"])
    return relative / relative.mean()


def covariates(series: Series, info: dict[str, Any], end: int, more: int, source: str) -> np.ndarray:
    """Returns the scaled calendar features and known columns of a series, (more + end, columns)."""
    k = series.first + np.arange(-more, end)
    parts = [series.clock.phases(k)] if info["calendar"] else [np.zeros((len(k), 0))]
    if info["known"]:
        if len(series.known) < end:
            raise InputError(
                f"{source}: expected {', '.join(info['known'])} of {series.name} up to "
                f"{series.clock.text(series.first + end - 1)}, in rows whose value may be empty; they end at "
                f"{series.clock.text(series.first + len(series.known) - 1)}"
            )
        known = (series.known[:end] - info["known_mean"]) / info["known_scale"]
        parts.append(np.concatenate([np.repeat(known[:1], more, axis=0), known]))
    return np.concatenate(parts, axis=1)


@dataclasses.dataclass(frozen=True)
class Mine:
    """The series of a file, prepared for a trained run: the panel, a store for windows, and `info` with their scales.

    code: (series,) the index of each in training; the number of training series if it is unseen. padded: the number of
    steps of padding at the start of each.
    """

    panel: Panel
    store: Store
    info: dict[str, Any]
    code: np.ndarray
    padded: tuple[int, ...]
    trained: int  # number of training series

    def unseen(self) -> list[int]:
        """Returns the indices of the series that were not in the training data."""
        return np.flatnonzero(self.code == self.trained).tolist()


def as_read(
    panel: Panel, info: dict[str, Any], config: Config, ends: Sequence[int] | None = None, future: int = 0
) -> Mine:
    """Prepares the series of another file for a trained run; those with a training series' name get its scale.

    Args:
        ends: number of values of each series known at the first origin, used for the scale of new series; None: all.
        future: as in `stored`.
    """
    places = {name: number for number, name in enumerate(info["names"])}
    code = np.array([places.get(series.name, len(places)) for series in panel.series])
    shift, scale, errors, padded = [], [], [], []
    for number, (series, place) in enumerate(zip(panel.series, code.tolist(), strict=True)):
        end = len(series) if ends is None else ends[number]
        known = place < len(places)
        own = scaled(series, end, config.head == "negative_binomial")
        shift.append(info["shift"][place] if known else own[0])
        scale.append(info["scale"][place] if known else own[1])
        errors.append(info["error_scale"][place] if known else error_scale(series.values[:end], series.season))
        padded.append(max(0, info["reach"] - end))
    alike = {(series.first, series.clock, len(series)) for series in panel.series}
    mine = info | {
        "source": panel.source,
        "names": list(panel.names),
        "seasons": [series.season for series in panel.series],
        "clocks": [series.clock.saved() for series in panel.series],
        "shift": shift,
        "scale": scale,
        "error_scale": errors,
        "aligned": len(alike) == 1,
    }
    store = stored(panel, mine, [len(series) for series in panel.series], padded, config.weighting, future)
    return Mine(panel, store, mine, code, tuple(padded), len(places))


def read_for(path: str, info: dict[str, Any], config: Config) -> Panel:
    """Reads the series of a file with the covariates that the run was trained with; prints notes on stderr."""
    alone = info["names"][0] if len(info["names"]) == 1 else None
    panel = read(Path(path), info["known"], list(info["static"]), config.season, alone, clocks_of(info))
    refuse_other_steps(panel.clocks, path, info)
    warn(panel.notes)
    return panel


def tested_on(data: Data, path: str, config: Config) -> Data:
    """Returns the data of a run with all windows of another file as its test set.

    Raises:
        InputError: the file is invalid, or a series is too short for one forecast.
    """
    panel = read_for(path, data.info, config)
    warn(other_steps(panel.clocks, path, data.info))
    short = [series for series in panel.series if len(series) <= config.horizon]
    if short:
        raise InputError(
            f"{path}: expected more than {sized(config.horizon, 'steps')} of {short[0].name}, to measure a forecast of "
            f"as many; received {len(short[0])}"
        )
    starts = [max(1, min(config.reach, len(series) - config.horizon)) for series in panel.series]
    mine = as_read(panel, data.info, config, starts)
    origins = [
        np.arange(start + more, len(series) + more - config.horizon + 1)
        for start, more, series in zip(starts, mine.padded, panel.series, strict=True)
    ]
    test = windows(mine.store, origins, mine.code, config)
    return dataclasses.replace(data, test=test, panel=panel, info=mine.info)
