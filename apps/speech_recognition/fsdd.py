"""The Free Spoken Digit Dataset: people's digits, joined into strings; the test speaker is held out."""

import functools
import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from shared.data import fetch
from shared.data.catalogue import CATALOGUE
from shared.data.sequences import spread

from . import audio, spoken
from .config import Config
from .features import HOP_S, Frames
from .utterance import SPLIT_SEED, Parts, Utterance

RATE = 8000
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
TAKES = 50  # of each digit by each speaker
OFFICIAL = 5  # takes of each that the official test part has, the first ones
USES = 4  # how often a recording is used in strings to train on
STRINGS = 200  # to test on, of each speaker; official: of all
MEAN_DIGITS = 4  # of a string to train on
GAP_S = (0.05, 0.35)  # from one digit to the next


def read(config: Config, frames: Frames) -> Parts:
    """Digits of the Free Spoken Digit Dataset, joined into strings: one speaker held out, or the official parts.

    Validation has the first takes of the training speakers that are not tested on.
    """
    takes = {"valid": range(OFFICIAL), "train": range(OFFICIAL, TAKES), "test": range(TAKES)}
    others = [speaker for speaker in range(len(SPEAKERS)) if speaker != config.fold]
    speakers = {"test": [config.fold], "valid": others, "train": others}
    if config.split == "official":
        takes = {
            "test": takes["valid"],
            "valid": range(OFFICIAL, 2 * OFFICIAL),
            "train": range(2 * OFFICIAL, TAKES),
        }
        speakers = dict.fromkeys(takes, list(range(len(SPEAKERS))))
    counts = {
        "test": STRINGS // len(speakers["test"]),
        "valid": 10 * OFFICIAL // MEAN_DIGITS,
        "train": USES * 10 * len(takes["train"]) // MEAN_DIGITS,
    }
    parts: Parts = {}
    for part in ("train", "valid", "test"):
        keys = [(speaker, number) for speaker in speakers[part] for number in range(counts[part])]
        parts[part] = _framed(keys, lambda key, part=part: string(key, part, takes[part]), frames, config, part)
    for part, source in {"isolated": "test", "examples": "train"}.items():
        words = [(n, (digit, take)) for take in takes[source] for n in speakers[source] for digit in range(10)]
        parts[part] = _framed(words, lambda key, part=part: single(key, part), frames, config, part)
    return parts


def _framed(keys: list[Any], make: Any, frames: Frames, config: Config, part: str) -> list[Utterance]:
    """The utterances that `make` gives for keys, each of which begins with the speaker."""
    found = []
    for key in (keys[n] for n in spread(len(keys), config.max_examples)):
        samples, text = make(key)
        samples = audio.Resampler(RATE, config.sample_rate)(samples, last=True)
        found.append(Utterance(frames(samples), text, SPEAKERS[key[0]], f"fsdd, {part}", key))
    return found


def string(key: tuple[int, int], part: str, takes: range) -> tuple[np.ndarray, str]:
    """A string of one speaker's digits, and its text: of 3 to 7 digits, to train on of 1 to 7."""
    speaker, number = key
    random = np.random.default_rng([SPLIT_SEED, *part.encode(), speaker, number])
    digits = random.integers(0, 10, random.integers(1 if part == "train" else spoken.SHORTEST, spoken.LONGEST + 1))
    recordings = [recordings_of_all()[digit, speaker, takes[random.integers(len(takes))]] for digit in digits.tolist()]
    return in_quiet(recordings, random), " ".join(spoken.WORDS[digit] for digit in digits)


def single(key: tuple[int, tuple[int, int]], part: str) -> tuple[np.ndarray, str]:
    """One digit, and its text."""
    speaker, (digit, take) = key
    random = np.random.default_rng([SPLIT_SEED, *part.encode(), speaker, digit, take])
    return in_quiet([recordings_of_all()[digit, speaker, take]], random), spoken.WORDS[digit]


@functools.lru_cache(maxsize=1)
def recordings_of_all() -> dict[tuple[int, int, int], np.ndarray]:
    """(digit, speaker, take) -> samples at 8 kHz from -1 to 1."""
    import soundfile

    (resource,) = CATALOGUE["fsdd"]
    content = fetch.fetch(resource)
    names = [
        (f"{digit}_{name}_{take}.wav", (digit, speaker, take))
        for digit in range(10)
        for speaker, name in enumerate(SPEAKERS)
        for take in range(TAKES)
    ]
    found = {}
    for (_, key), wav in zip(sorted(names), wavs(content), strict=True):
        found[key] = soundfile.read(io.BytesIO(wav), dtype="float32")[0]
    return found


def wavs(content: bytes) -> Iterator[bytes]:
    """The WAV files that were joined."""
    at = 0
    while at < len(content):
        end = at + 8 + struct.unpack("<I", content[at + 4 : at + 8])[0]
        yield content[at:end]
        at = end


def in_quiet(takes: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Recordings one after the other, with gaps; noise as loud as their quietest 10 ms lies over all of it."""
    hop = round(HOP_S * RATE)
    floors = [np.sort((take[: len(take) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1)) for take in takes]
    floor = float(np.median([np.sqrt(floor[len(floor) // 10]) for floor in floors]))
    pieces = []
    for take in takes:
        pieces += [np.zeros(int(RATE * random.uniform(*GAP_S)), np.float32), take]
    pieces.append(np.zeros(int(RATE * random.uniform(*GAP_S)), np.float32))
    sound = np.concatenate(pieces)
    return (sound + random.normal(0, max(floor, 1e-4), len(sound))).astype(np.float32)
