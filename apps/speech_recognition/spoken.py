"""The built-in data: noisy strings of digits spoken by eSpeak NG voices, generated once and cached in a file."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from shared import InputError
from shared.data.fetch import keras_home
from shared.data.sequences import spread

from .audio import Resampler
from .espeak import NOT_INSTALLED

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc")
# Voices grouped into families that sound alike; no family is in two splits. Whispering and robotic voices are left out.
FAMILIES = {
    "train": (
        "Alex", "Alicia", "Andrea", "Annie", "Denis", "Gene Gene2", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mike",
        "Reed", "adam", "anika", "antonio", "aunty", "belinda", "benjamin", "caleb", "david", "ed edward edward2",
        "grandma", "grandpa", "gustave", "ian", "iven iven2 iven3 iven4", "john", "kaukovalta", "klatt klatt2 klatt3",
        "m1 m2 m3 m4 m5 m6 m7 m8", "marcelo", "miguel", "norbert", "pablo", "pedro", "rob", "sandro", "shelby",
        "steph steph2 steph3", "travis", "victor",
    ),
    "valid": ("Andy", "Mario", "linda", "max", "zac"),
    "test": ("Diogo", "Michael", "Nguyen", "boris", "f1 f2 f3 f4 f5", "michel", "paul", "quincy"),
}  # fmt: skip
STRINGS = {"train": 1400, "valid": 120, "test": 200}
ISOLATED = 200  # isolated digits of the test voices, and as many of the training voices for the baselines
SHORTEST, LONGEST = 3, 7  # digits per string
SLOWEST, FASTEST = 110, 230  # words per minute
LOWEST, HIGHEST = 20, 80  # eSpeak's pitch
LEAST_DB, MOST_DB = 10, 40  # signal-to-noise ratio
LEAST_GAIN_DB = -20
QUIET_S = 0.25  # maximum silence before and after

Utterance = tuple[np.ndarray, str, str]  # samples from -1 to 1, text, speaker
Line = tuple[str, int, int, str]  # voice, words per minute, pitch, text


def plan(part: str, seed: int = 0) -> list[tuple[str, Line]]:
    """Returns speaker and line of each utterance of a split: train, valid, test, isolated, examples."""
    random = np.random.default_rng([seed, *part.encode()])
    families = FAMILIES.get({"isolated": "test", "examples": "train"}.get(part, part), ())
    lines = []
    for number in range(STRINGS.get(part, ISOLATED)):
        family = families[number % len(families)]
        speaker = str(random.choice(family.split()))
        length = int(random.integers(SHORTEST, LONGEST + 1))
        # Isolated words cycle through the digits; each family says a different digit in each round.
        digits = random.integers(0, 10, length) if part in STRINGS else [(number + number // len(families)) % 10]
        voice = f"{random.choice(ACCENTS)}+{speaker}"
        rate, pitch = int(random.integers(SLOWEST, FASTEST + 1)), int(random.integers(LOWEST, HIGHEST + 1))
        lines.append((speaker, (voice, rate, pitch, " ".join(WORDS[digit] for digit in digits))))
    return lines


def utterances(part: str, rate: int, most: int = 0) -> list[Utterance]:
    """Returns the utterances of a split, or `most` of them sampled evenly, at `rate` Hz; cached after the first call.

    Raises:
        InputError: the package espeakng-loader is not installed, or eSpeak NG rejects a voice.
    """
    planned = plan(part)
    planned = [planned[n] for n in spread(len(planned), most)]
    lines = [line for _, line in planned]
    key = hashlib.sha256(json.dumps([lines, rate]).encode()).hexdigest()[:16]
    path = keras_home() / "datasets" / "espeak_digits" / f"{part}-{key}.npz"
    sounds = _kept(path)
    if sounds is None:
        sounds = [_roomy(sound, rate, number) for number, sound in enumerate(speak(lines, rate))]
        path.parent.mkdir(parents=True, exist_ok=True)
        # The name includes the process id: two processes may generate the same file at the same time.
        temporary = path.with_name(f".{os.getpid()}-{path.name}")
        np.savez_compressed(temporary, samples=np.concatenate(sounds), lengths=[len(sound) for sound in sounds])
        os.replace(temporary, path)
    named = zip(sounds, planned, strict=True)
    return [(sound.astype(np.float32) / 32_768, line[3], speaker) for sound, (speaker, line) in named]


def _kept(path: Path) -> list[np.ndarray] | None:
    """Returns the cached utterances; None if there is no file or it is damaged."""
    if path.exists():
        damage = (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile)
        with contextlib.suppress(*damage), path.open("rb") as file, np.load(file) as found:
            return np.split(found["samples"], np.cumsum(found["lengths"])[:-1])
    return None


def speak(lines: list[Line], rate: int) -> list[np.ndarray]:
    """Speaks all lines in one new process, as eSpeak NG keeps state; returns (n,) float32 at `rate` Hz for each."""
    command = [sys.executable, str(Path(__file__).with_name("espeak.py"))]
    done = subprocess.run(command, input=json.dumps(lines).encode(), capture_output=True, check=False)
    if done.returncode == NOT_INSTALLED:
        raise InputError(
            "--data builtin and --voices: expected the package espeakng-loader, which speaks the built-in data; it is "
            "not installed (pip install espeakng-loader, or give --no-voices)"
        )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"--data builtin and --voices: {lines[-1] if lines else 'eSpeak NG failed'}")
    theirs, at, found = int.from_bytes(done.stdout[:4], "little"), 4, []
    while at < len(done.stdout):
        end = at + 4 + 2 * int.from_bytes(done.stdout[at : at + 4], "little")
        samples = np.frombuffer(done.stdout[at + 4 : end], "<i2").astype(np.float32) / 32_768
        found.append(Resampler(theirs, rate)(samples, last=True))
        at = end
    return found


def _roomy(sound: np.ndarray, rate: int, number: int) -> np.ndarray:
    """Adds background noise, a random gain and some silence before and after; returns 16-bit samples."""
    random = np.random.default_rng([1, number, len(sound)])
    before, after = (int(seconds * rate) for seconds in random.uniform(0.05, QUIET_S, 2))
    x = np.pad(sound, (before, after))
    ratio = random.uniform(LEAST_DB, MOST_DB)
    white = random.normal(size=len(x))
    brown = np.convolve(white, np.exp(-np.arange(50) / 10), mode="same")
    noise = white / white.std() + random.uniform(0, 2) * brown / brown.std()
    power = float((sound**2).mean()) / 10 ** (ratio / 10)
    x = x + noise / noise.std() * np.sqrt(power)
    gain = 10 ** (random.uniform(LEAST_GAIN_DB, 0) / 20) * 0.9 / np.abs(x).max()
    return np.round(32_767 * gain * x).astype(np.int16)
