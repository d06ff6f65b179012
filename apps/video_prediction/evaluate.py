"""Evaluates a run against the baselines: squared error, SSIM, PSNR and sharpness of the predicted frames."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from shared import paired, results, runs, trials

from . import baselines, metrics, panels
from .config import APP, Config
from .data import Data, as_floats, load, tested_on
from .options import Evaluate
from .predict import Predictor

HEADLINE = ("mse_per_frame",)
SHOWN = 2  # number of test sequences in the picture
FLAT = 1e-6  # lower bound of the gradient energy, for frames of a single colour
# OpenSTL (arXiv:2306.11249): days of GPU training, other test digits of the same recipe; SSIM with data range 2.
PUBLISHED = {
    "mse_per_frame": {"name": "ConvLSTM (OpenSTL)", "value": 29.8, "source": "arXiv:2306.11249"},
    "ssim_range_2": {"name": "ConvLSTM (OpenSTL)", "value": 0.929, "source": "arXiv:2306.11249"},
}

# what the published figures were measured on
STANDARD = {"data": "moving_mnist", "size": 64, "channels": 1, "digits": 2, "past": 10, "future": 10}

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
# metric -> (direction, function of truth and prediction that returns one value per sequence and frame)
SCORES: dict[str, tuple[str, Score]] = {
    "mse_per_frame": ("lower", metrics.mse_per_frame),
    "ssim": ("higher", metrics.ssim),
    "ssim_range_2": ("higher", functools.partial(metrics.ssim, data_range=2.0)),
    "psnr_db": ("higher", metrics.psnr),
}


def evaluate(options: Evaluate) -> None:
    """Runs the evaluate command: evaluates a saved run on its own test set or on other clips."""
    run = runs.find(APP, options.run)
    config = run.settings(Config)
    data = load(config)
    run.check(data.info)
    pictured = ""
    if options.data:
        data, pictured = tested_on(data, options.data, config), f"-{Path(options.data).stem}"
        run = run.tested_on(options.data)
    records = measure(Predictor(run), data, pictured)
    report(records)
    if options.record:
        results.keep(trials.summary(trials.siblings(run)) if run.finished() else records, Path(__file__).parent)


def measure(predictor: Predictor, data: Data, pictured: str = "") -> list[dict]:
    """Evaluates the predictions for the test sequences and draws some of them.

    Args:
        predictor: the run to evaluate. data: the run's data, possibly with other test sequences.
        pictured: suffix of the picture's file name.
    """
    config = predictor.config
    sequences = as_floats(data.test)
    past, truth = sequences[:, : predictor.past], sequences[:, predictor.past :]
    found = predictor.predict(past)
    others = baselines.all_of(past, predictor.future, data.mean)
    figure = functools.partial(
        results.record,
        predictor.run,
        predictor.model,
        split="test",
        task={"past": config.past, "future": config.future, "size": config.size},
    )
    standard = all(getattr(config, name) == value for name, value in STANDARD.items())
    standard &= predictor.run.config["data"] == config.data
    records = []
    for metric, (direction, score) in SCORES.items():
        ours, theirs = score(truth, found), {name: score(truth, other) for name, other in others.items()}
        by_frame = {str(n + 1): results.rounded(value) for n, value in enumerate(ours.mean(axis=0))}
        measured = paired.compared(
            lambda values, rows: float(values[rows].mean()),
            ours.mean(axis=1),
            {name: values.mean(axis=1) for name, values in theirs.items()},
            len(truth),
            direction,
        )
        records.append(
            figure(
                metric=metric,
                published=PUBLISHED.get(metric) if standard else None,
                details={"by_frame": by_frame},
                **measured,
            )
        )
    pixels = config.size**2 * config.channels
    records.insert(1, figure(metric="mse_per_pixel", **_divided(records[0], pixels)))
    records.append(figure(metric="sharpness", **sharpness(truth, found, others)))
    picture(predictor.run.picture(f"test{pictured}.png"), past, truth, found)
    return results.headed(records, HEADLINE)


def _divided(record: dict, pixels: int) -> dict[str, Any]:
    """Converts the squared error per frame to the mean squared error per pixel."""
    return {
        "value": record["value"] / pixels,
        "baselines": {name: value / pixels for name, value in record["baselines"].items()},
        "direction": record["direction"],
        "ahead": tuple(bound / pixels for bound in record["ahead"]),
    }


def sharpness(truth: np.ndarray, found: np.ndarray, others: dict[str, np.ndarray]) -> dict[str, Any]:
    """Returns the gradient energy of the predictions relative to that of the true frames; blur lowers it."""
    real = metrics.gradient_energy(truth)

    def ratio(energy: np.ndarray, rows: np.ndarray) -> float:
        return float(energy[rows].sum() / max(real[rows].sum(), FLAT))

    theirs = {name: metrics.gradient_energy(other) for name, other in others.items()}
    return paired.compared(ratio, metrics.gradient_energy(found), theirs, len(truth), "one")


def picture(path: Path, past: np.ndarray, truth: np.ndarray, found: np.ndarray) -> None:
    """Draws the input, true and predicted frames of some test sequences."""
    rows = []
    for n in np.unique(np.linspace(0, len(truth) - 1, SHOWN).astype(int)):
        count = max(past.shape[1], truth.shape[1])
        for title, frames in (("input", past[n]), ("truth", truth[n]), ("prediction", found[n])):
            filling = np.zeros((count - len(frames), *frames.shape[1:]), frames.dtype)
            rows.append((title, np.concatenate([frames, filling])))
    panels.strip(rows, path)


def beaten_by(records: list[dict]) -> list[str]:
    """Lists the baselines that match or beat the network in squared error or SSIM, with their values."""
    found = []
    for record in records:
        if record["metric"] in ("mse_per_frame", "ssim"):
            ours = paired.goodness(record["value"], record["direction"])
            found += [
                f"{name} ({record['metric']} {value:.4g}, the network {record['value']:.4g})"
                for name, value in record["baselines"].items()
                if paired.goodness(value, record["direction"]) >= ours
            ]
    return found


def report(records: list[dict]) -> None:
    """Prints the metrics, after a warning that lists the baselines which the network does not beat."""
    if beaten := beaten_by(records):
        print(f"\nNOT BETTER THAN EVERY BASELINE: {', '.join(beaten)}")
    results.report(records)
    by_frame = records[0].get("details", {}).get("by_frame", {})
    said = ", ".join(f"{value:.1f}" for value in by_frame.values())
    print(f"  MSE of each predicted frame, first to last: {said}", flush=True)
