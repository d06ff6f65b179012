"""Classical baselines: AutoETS and AutoTheta of statsforecast, refitted at each of a few test windows."""

import dataclasses
import io
import logging
import warnings

import numpy as np

from shared import files, runs
from shared.data.wording import sized
from shared.fingerprint import fingerprint

from .config import APP
from .data import Data
from .heads import LEVELS
from .predict import Answer, read_arrays

LONGEST = 2000  # maximum number of past steps to fit: more takes minutes, without better forecasts
METHODS = ("auto_ets", "auto_theta")


def classical(data: Data, origins: int) -> tuple[np.ndarray, dict[str, Answer]]:
    """Returns the rows of the chosen test windows and the forecasts of each method, which are cached in a file.

    Args:
        origins: number of windows per series, spread evenly.
    """
    rows = chosen(data, origins)
    test = data.test.among(rows)
    name = f"{fingerprint(test.store.values, test.who, test.at, test.horizon)}.npz"
    folder = runs.root() / APP / ".classical"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    kept = read_arrays(path) if path.exists() else {}
    for method in METHODS:
        if method not in kept:
            print(f"{method}: {sized(len(rows), 'forecasts')} ...", flush=True)
            kept[method] = forecasts(data, rows, method)
            content = io.BytesIO()
            np.savez_compressed(content, **kept)
            files.write_bytes(path, content.getvalue())
    middle = LEVELS.index(0.5)
    return rows, {method: Answer(found[..., middle], found) for method, found in kept.items()}


def chosen(data: Data, origins: int) -> np.ndarray:
    """Returns the rows of test windows spread evenly over each series."""
    each = [np.flatnonzero(data.test.who == number) for number in range(len(data.panel.series))]
    return np.concatenate(
        [rows[np.unique(np.linspace(0, len(rows) - 1, origins).round().astype(int))] for rows in each]
    )


def forecasts(data: Data, rows: np.ndarray, method: str) -> np.ndarray:
    """(rows, horizon, `LEVELS`) scaled forecasts; statsforecast's seasonal naive forecast where a method fails."""
    from statsforecast.models import AutoETS, AutoTheta, SeasonalNaive

    logging.getLogger("statsforecast").setLevel(logging.ERROR)
    found, test = [], data.test.among(rows)
    wide = tuple(sorted({round(100 * abs(1 - 2 * level), 4) for level in LEVELS} - {0.0}))
    for number in range(len(rows)):
        one = dataclasses.replace(test, who=test.who[number : number + 1], at=test.at[number : number + 1])
        season = int(test.store.season[one.who[0]])
        past = one.past(slice(None), min(int(one.at[0]), LONGEST))[0].astype(np.float64)
        make = {"auto_ets": AutoETS, "auto_theta": AutoTheta}[method]
        # statsforecast's ETS supports at most 24 steps per season, and estimating a season takes two of them
        usable = season if 2 * season < len(past) and (method != "auto_ets" or season <= 24) else 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = make(season_length=usable, alias=method)
            fallback = SeasonalNaive(season_length=usable)
            said = _said(model, fallback, past, test.horizon, wide)
        found.append(np.stack([_level(said, level) for level in LEVELS], axis=-1))
    return np.array(found)


def _said(model: object, fallback: object, past: np.ndarray, horizon: int, wide: tuple[float, ...]) -> dict:
    try:
        said = model.forecast(y=past, h=horizon, level=list(wide))  # type: ignore[attr-defined]
        if all(np.isfinite(values).all() for values in said.values()):
            return said
    except (ValueError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        print(f"  fails on one window ({error}): seasonal naive instead")
    return fallback.forecast(y=past, h=horizon, level=list(wide))  # type: ignore[attr-defined]


def _level(said: dict, level: float) -> np.ndarray:
    """Returns a quantile from a statsforecast result: one end of the matching interval."""
    if level == 0.5:
        return said["mean"]
    side, coverage = ("lo", 1 - 2 * level) if level < 0.5 else ("hi", 2 * level - 1)
    wanted = round(100 * coverage, 4)
    key = next(k for k in said if k.startswith(f"{side}-") and abs(float(k[3:]) - wanted) < 1e-3)
    return said[key]
