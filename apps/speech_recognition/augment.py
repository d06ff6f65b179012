"""Data augmentation: tempo, vocal tract length, equaliser, noise, and SpecAugment masks."""

import functools
from typing import Any

import numpy as np

from .config import Config
from .features import Frames, cosines, loudness, total

NATS_A_DB = np.log(10) / 10
CURVES = 4  # number of cosines over the bands that make up an equaliser curve
QUIETEST_DB = 40.0  # signal-to-noise ratio of the weakest noise
GRID = 20  # vocal tract factors on either side of 1; a grid, so that the matrices can be cached
MASKS = 2


def varied(raw: np.ndarray, frames: Frames, config: Config, random: np.random.Generator, least: int) -> np.ndarray:
    """Augments raw frames (frames, features): tempo, speaker, noise, equaliser. Returns at least `least` frames."""
    x = at_tempo(raw, max(least, round(len(raw) * random.uniform(1 - config.speed, 1 + config.speed))))
    if config.vocal_tract:
        step = int(random.integers(-GRID, GRID + 1))
        x = x @ vocal_tract(frames, 1 + config.vocal_tract * step / GRID).T
    if frames.kind == "logmel":
        if config.noise and random.random() < 0.5:
            x = noisy(x, random.uniform(config.noise, max(config.noise, QUIETEST_DB)), random)
        if config.equaliser:
            x = x + curve(x.shape[1], config.equaliser, random)
    return x


def at_tempo(raw: np.ndarray, count: int) -> np.ndarray:
    """Stretches or compresses the frames to `count` frames, by linear interpolation."""
    at = np.linspace(0, len(raw) - 1, count)
    before = np.minimum(at.astype(int), max(0, len(raw) - 2))
    share = (at - before)[:, None].astype(raw.dtype)
    return raw[before] * (1 - share) + raw[np.minimum(before + 1, len(raw) - 1)] * share


@functools.lru_cache(maxsize=128)
def vocal_tract(frames: Frames, factor: float) -> np.ndarray:
    """Returns the matrix (features, features) that scales the frequency axis: vocal tract length perturbation.

    Jaitly and Hinton (2013), "Vocal Tract Length Perturbation (VTLP) improves speech recognition". For MFCC the warp is
    applied between the inverse cosine transform and the cosine transform.
    """
    import librosa

    centres = librosa.mel_frequencies(frames.bands + 2, fmin=50.0, fmax=frames.rate / 2)[1:-1]
    at = np.interp(np.minimum(centres * factor, centres[-1]), centres, np.arange(frames.bands))
    before = np.minimum(at.astype(int), frames.bands - 2)
    rows, warp = np.arange(frames.bands), np.zeros((frames.bands, frames.bands))
    warp[rows, before] = 1 - (at - before)
    warp[rows, before + 1] = at - before
    if frames.kind == "mfcc":
        there = cosines(frames.bands)
        warp = there @ warp @ np.linalg.pinv(there)
    return warp.astype(np.float32)


def curve(bands: int, deviation_db: float, random: np.random.Generator) -> np.ndarray:
    """Returns a smooth random curve over the bands, including a random gain, in nats."""
    angles = np.pi * (np.arange(bands) + 0.5) / bands
    weights = random.normal(0, deviation_db * NATS_A_DB / np.sqrt(1 + np.arange(CURVES + 1)))
    return (weights @ np.cos(np.arange(CURVES + 1)[:, None] * angles)).astype(np.float32)


def noisy(raw: np.ndarray, ratio_db: float, random: np.random.Generator) -> np.ndarray:
    """Adds steady, coloured noise to log energies, at the given signal-to-noise ratio."""
    level = total(loudness(raw)) - ratio_db * NATS_A_DB
    colour = curve(raw.shape[1], 6.0, random)
    # The noise energy in a band is roughly a sum of a few squared normal variables.
    ripple = np.log(random.standard_gamma(3, raw.shape, np.float32) / 3)
    return np.logaddexp(raw, np.float32(level) + colour + ripple)


def masked(x: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Sets random ranges of time steps and of features to 0 (SpecAugment).

    Park et al. (2019), arXiv:1904.08779.
    """
    x = x.copy()
    for _ in range(MASKS if share else 0):
        for axis in (0, 1):
            size = x.shape[axis]
            width = int(random.integers(0, int(share * size) + 1))
            start = int(random.integers(0, size - width + 1))
            hidden: list[Any] = [slice(None), slice(None)]
            hidden[axis] = slice(start, start + width)
            x[tuple(hidden)] = 0
    return x
