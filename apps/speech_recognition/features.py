"""Computes the input features: frames of 25 ms every 10 ms, as log-mel energies or MFCC."""

import dataclasses
import functools
from typing import Any

import numpy as np

from shared import InputError

WINDOW_S, HOP_S = 0.025, 0.010
AT_A_TIME = 2_000  # frames transformed at a time
LEAST_SIZE = 512  # minimum FFT size: with fewer bins the lowest bands would be empty at 8 kHz
TINY = 1e-14  # energy of digital silence
COEFFICIENTS = 13
# CMU Sphinx's settings for speech at 16 kHz, with which the features of an4 were computed
LOWEST_HZ, HIGHEST_HZ = 133.3334, 6855.4976
PRE_EMPHASIS = 0.97
FULL_SCALE = 32_768
FLOOR = np.log(1e-5)  # lower limit of a band's energy, relative to the loudness: -50 dB
CENTRE, SPREAD = -3.0, 3.0  # approximate mean and standard deviation of the levelled log energies
PRIOR, MEMORY = 50, 1_000  # weight of the expected loudness, and time constant of the running loudness, in frames
DELTA = 2  # frames on each side used to estimate a slope


@dataclasses.dataclass(frozen=True)
class Frames:
    """The feature extraction. kind: "logmel" or "mfcc"; rate: in Hz; bands: number of mel bands."""

    kind: str
    rate: int
    bands: int

    @property
    def hop(self) -> int:
        """The hop length in samples."""
        return round(HOP_S * self.rate)

    @property
    def window(self) -> int:
        """The frame length in samples."""
        return round(WINDOW_S * self.rate)

    @property
    def width(self) -> int:
        """The number of features per frame."""
        return COEFFICIENTS if self.kind == "mfcc" else self.bands

    def count(self, samples: int) -> int:
        """Returns the number of whole frames in this number of samples."""
        return max(0, 1 + (samples - self.window) // self.hop)

    def __call__(self, samples: np.ndarray, where: str = "the recording") -> np.ndarray:
        """Converts samples (n,) to raw frames (frames, features) float32.

        Raises:
            InputError: the recording is shorter than one frame.
        """
        count = self.count(len(samples))
        if not count:
            raise InputError(
                f"{where}: expected at least {1000 * WINDOW_S:g} ms of sound; received {len(samples)} samples"
            )
        samples = emphasised(samples) if self.kind == "mfcc" else samples
        found = np.empty((count, self.width), np.float32)
        for start in range(0, count, AT_A_TIME):
            stop = min(start + AT_A_TIME, count)
            part = samples[start * self.hop : (stop - 1) * self.hop + self.window]
            found[start:stop] = self.transformed(
                np.lib.stride_tricks.sliding_window_view(part, self.window)[:: self.hop]
            )
        return found

    def transformed(self, windows: np.ndarray) -> np.ndarray:
        """Converts windows of samples (frames, window) to raw frames (frames, features)."""
        taper, filters, size = _tables(self)
        spectrum = np.fft.rfft(windows * taper, size)
        energy = (spectrum.real**2 + spectrum.imag**2) @ filters
        if self.kind == "logmel":
            return np.log(energy + TINY)
        return np.log(energy + TINY) @ cosines(self.bands).T


@functools.lru_cache(maxsize=8)
def _tables(frames: Frames) -> tuple[np.ndarray, np.ndarray, int]:
    import librosa

    size = max(LEAST_SIZE, 1 << (frames.window - 1).bit_length())
    taper = np.hamming(frames.window) if frames.kind == "mfcc" else np.hanning(frames.window + 1)[:-1]
    limits = {"fmin": LOWEST_HZ, "fmax": HIGHEST_HZ, "htk": True} if frames.kind == "mfcc" else {"fmin": 50.0}
    filters = librosa.filters.mel(sr=frames.rate, n_fft=size, n_mels=frames.bands, **limits)
    return taper, filters.T.astype(np.float64), size


def emphasised(samples: np.ndarray) -> np.ndarray:
    """Scales the samples to the 16-bit range and applies pre-emphasis, as Sphinx does."""
    scaled = FULL_SCALE * samples.astype(np.float64)
    return np.append(scaled[:1], scaled[1:] - PRE_EMPHASIS * scaled[:-1])


@functools.lru_cache(maxsize=4)
def cosines(bands: int) -> np.ndarray:
    """Returns (coefficients, bands), log energies to MFCC: Sphinx's legacy transform, which halves the first band."""
    angles = np.pi / bands * np.arange(COEFFICIENTS)[:, None] * (np.arange(bands) + 0.5)
    found = np.cos(angles) / bands
    found[:, 0] /= 2
    return found


def loudness(raw: np.ndarray) -> np.ndarray:
    """Returns the log of the mean band energy of each frame: (frames, bands) -> (frames,)."""
    return np.log(np.exp(raw.astype(np.float64)).mean(axis=-1))


def total(levels: np.ndarray) -> float:
    """Returns the log of the mean energy, given the loudness of each frame."""
    return float(np.log(np.exp(levels).mean()))


@dataclasses.dataclass
class Running:
    """A running estimate of the loudness, starting from an expected value; older sound decays exponentially.

    mean: of the energy. count: number of frames so far.
    """

    mean: float
    count: int = 0

    def levels(self, levels: np.ndarray) -> np.ndarray:
        """Returns the running loudness after each of these new frames: (frames,) -> (frames,)."""
        found = np.empty(len(levels))
        for number, energy in enumerate(np.exp(levels).tolist()):
            self.count += 1
            self.mean += (energy - self.mean) / min(PRIOR + self.count, MEMORY)
            found[number] = self.mean
        return np.log(found)


def levelled(raw: np.ndarray, levels: Any) -> np.ndarray:
    """Normalises log energies by a loudness, with a lower limit, to about mean 0 and variance 1."""
    return ((np.logaddexp(raw - levels, FLOOR) - CENTRE) / SPREAD).astype(np.float32)


def prepared(raw: np.ndarray, info: dict) -> np.ndarray:
    """Normalises the raw frames of an utterance for the network: (frames, width), using the statistics in `info`."""
    if info["normalisation"] == "loudness":
        levels = loudness(raw)
        if info["streaming"]:
            return levelled(raw, Running(np.exp(info["level"])).levels(levels)[:, None])
        return levelled(raw, total(levels))
    x = with_deltas(raw) if info["deltas"] else raw
    return ((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-3)).astype(np.float32)


def with_deltas(x: np.ndarray) -> np.ndarray:
    """(frames, features) -> (frames, 2 features): each feature and its slope over time, by linear regression."""
    padded = np.pad(x, ((DELTA, DELTA), (0, 0)), mode="edge")
    steps = range(1, DELTA + 1)
    slopes = sum(n * (padded[DELTA + n :][: len(x)] - padded[DELTA - n :][: len(x)]) for n in steps)
    return np.concatenate([x, slopes / (2 * sum(n * n for n in steps))], axis=1)
