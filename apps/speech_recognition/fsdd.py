"""The Free Spoken Digit Dataset: digits of human speakers, joined into strings, with the test speaker held out."""

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
TAKES = 50  # recordings of each digit by each speaker
OFFICIAL = 5  # the first takes of each digit are the official test set
USES = 4  # average number of times a recording is used in training strings
STRINGS = 200  # test strings per held-out speaker; in total for the official split
MEAN_DIGITS = 4  # mean length of a training string
GAP_S = (0.05, 0.35)  # gap between digits


def read(config: Config, frames: Frames) -> Parts:
    """Reads the digits and joins them into strings, with one speaker held out or with the official split.

    With a held-out speaker, the first takes of the other speakers are the validation set.
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
    """Returns the utterances that `make` generates from the keys; each key starts with the speaker."""
    found = []
    for key in (keys[n] for n in spread(len(keys), config.max_examples)):
        samples, text = make(key)
        samples = audio.Resampler(RATE, config.sample_rate)(samples, last=True)
        found.append(Utterance(frames(samples), text, SPEAKERS[key[0]], f"fsdd, {part}", key))
    return found


def string(key: tuple[int, int], part: str, takes: range) -> tuple[np.ndarray, str]:
    """Returns a string of one speaker's digits and its text: 3 to 7 digits, or 1 to 7 for training."""
    speaker, number = key
    random = np.random.default_rng([SPLIT_SEED, *part.encode(), speaker, number])
    digits = random.integers(0, 10, random.integers(1 if part == "train" else spoken.SHORTEST, spoken.LONGEST + 1))
    recordings = [recordings_of_all()[digit, speaker, takes[random.integers(len(takes))]] for digit in digits.tolist()]
    return in_quiet(recordings, random), " ".join(spoken.WORDS[digit] for digit in digits)


def single(key: tuple[int, tuple[int, int]], part: str) -> tuple[np.ndarray, str]:
    """Returns a single digit and its text."""
    speaker, (digit, take) = key
    random = np.random.default_rng([SPLIT_SEED, *part.encode(), speaker, digit, take])
    return in_quiet([recordings_of_all()[digit, speaker, take]], random), spoken.WORDS[digit]


@functools.lru_cache(maxsize=1)
def recordings_of_all() -> dict[tuple[int, int, int], np.ndarray]:
    """Returns {(digit, speaker, take): samples at 8 kHz in [-1, 1]}."""
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
    """Yields the individual WAV files of the concatenated download."""
    at = 0
    while at < len(content):
        end = at + 8 + struct.unpack("<I", content[at + 4 : at + 8])[0]
        yield content[at:end]
        at = end


def in_quiet(takes: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Joins recordings with gaps in between, and adds noise at the level of their quietest 10 ms to all of it."""
    hop = round(HOP_S * RATE)
    floors = [np.sort((take[: len(take) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1)) for take in takes]
    floor = float(np.median([np.sqrt(floor[len(floor) // 10]) for floor in floors]))
    pieces = []
    for take in takes:
        pieces += [np.zeros(int(RATE * random.uniform(*GAP_S)), np.float32), take]
    pieces.append(np.zeros(int(RATE * random.uniform(*GAP_S)), np.float32))
    sound = np.concatenate(pieces)
    return (sound + random.normal(0, max(floor, 1e-4), len(sound))).astype(np.float32)
