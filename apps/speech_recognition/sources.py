"""Where utterances come from: the built-in digits, fsdd, an4, your own folder of recordings."""

import dataclasses
import functools
import io
import re
import struct
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, MissingFileError
from shared.data import fetch, tables
from shared.data.catalogue import CATALOGUE, not_found
from shared.data.sequences import spread

from . import audio, spoken
from .config import Config
from .features import COEFFICIENTS, HOP_S, Frames

PUBLIC = ("fsdd", "an4")
AN4_RATE = 16_000
TABLES = (".csv", ".tsv")
FSDD_RATE = 8000
FSDD_SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
FSDD_TAKES = 50  # of each digit by each speaker
OFFICIAL = 5  # takes of each that the official test part has, the first ones
USES = 4  # how often a recording is used in strings to train on
STRINGS = 200  # to test on, of each speaker; official: of all
MEAN_DIGITS = 4  # of a string to train on
GAP_S = (0.05, 0.35)  # from one digit to the next
SPLIT_SEED = 0  # the same parts in every run, so that runs compare
WRITTEN = re.compile(r"[-.,;:!?\"“”„«»()\[\]…–—/]+")  # what a transcript may have between its words


@dataclasses.dataclass(frozen=True, eq=False)
class Utterance:
    """Raw frames (frames, features), what was said, who said it, and where it stands, for messages."""

    raw: np.ndarray
    text: str
    speaker: str
    where: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return HOP_S * len(self.raw)


Parts = dict[str, list[Utterance]]


def read(config: Config) -> Parts:
    """The utterances of the source by part: train, valid, test, and of digits isolated (test) and examples (train).

    Raises:
        InputError: an unknown source, or a file that cannot be used; file and line are named.
    """
    frames = Frames(config.features, config.sample_rate, config.bands)
    if config.data == "builtin":
        return builtin(config, frames)
    if config.data == "fsdd":
        return fsdd(config, frames)
    if config.data == "an4":
        return an4(config)
    if not Path(config.data).exists():
        raise not_found(config.data, PUBLIC, "or a folder of recordings with a CSV file of transcripts")
    return own(config, frames)


def builtin(config: Config, frames: Frames) -> Parts:
    """Digits spoken by eSpeak NG; single ones help training to find where each is."""
    parts: Parts = {}
    for part in ("train", "valid", "test", "isolated", "examples"):
        found = spoken.utterances(part, config.sample_rate, config.max_examples)
        parts[part] = [Utterance(frames(x), text, speaker, f"builtin, {part}") for x, text, speaker in found]
    return parts | {"train": parts["train"] + parts["examples"]}


def fsdd(config: Config, frames: Frames) -> Parts:
    """Digits of the Free Spoken Digit Dataset, joined into strings: one speaker held out, or the official parts.

    Validation has the first takes of the training speakers that are not tested on.
    """
    takes = {"valid": range(OFFICIAL), "train": range(OFFICIAL, FSDD_TAKES), "test": range(FSDD_TAKES)}
    others = [speaker for speaker in range(len(FSDD_SPEAKERS)) if speaker != config.fold]
    speakers = {"test": [config.fold], "valid": others, "train": others}
    if config.split == "official":
        takes = {
            "test": takes["valid"],
            "valid": range(OFFICIAL, 2 * OFFICIAL),
            "train": range(2 * OFFICIAL, FSDD_TAKES),
        }
        speakers = dict.fromkeys(takes, list(range(len(FSDD_SPEAKERS))))
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
        samples = audio.Resampler(FSDD_RATE, config.sample_rate)(samples, last=True)
        found.append(Utterance(frames(samples), text, FSDD_SPEAKERS[key[0]], f"fsdd, {part}"))
    return found


def string(key: tuple[int, int], part: str, takes: range) -> tuple[np.ndarray, str]:
    """A string of one speaker's digits, and its text: of 3 to 7 digits, to train on of 1 to 7."""
    speaker, number = key
    random = np.random.default_rng([SPLIT_SEED, *part.encode(), speaker, number])
    digits = random.integers(0, 10, random.integers(1 if part == "train" else spoken.SHORTEST, spoken.LONGEST + 1))
    recordings = [fsdd_recordings()[digit, speaker, takes[random.integers(len(takes))]] for digit in digits.tolist()]
    return in_quiet(recordings, random), " ".join(spoken.WORDS[digit] for digit in digits)


def single(key: tuple[int, tuple[int, int]], part: str) -> tuple[np.ndarray, str]:
    """One digit, and its text."""
    speaker, (digit, take) = key
    random = np.random.default_rng([SPLIT_SEED, *part.encode(), speaker, digit, take])
    return in_quiet([fsdd_recordings()[digit, speaker, take]], random), spoken.WORDS[digit]


@functools.lru_cache(maxsize=1)
def fsdd_recordings() -> dict[tuple[int, int, int], np.ndarray]:
    """(digit, speaker, take) -> samples at 8 kHz from -1 to 1."""
    import soundfile

    (resource,) = CATALOGUE["fsdd"]
    content = fetch.fetch(resource)
    names = [
        (f"{digit}_{name}_{take}.wav", (digit, speaker, take))
        for digit in range(10)
        for speaker, name in enumerate(FSDD_SPEAKERS)
        for take in range(FSDD_TAKES)
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
    hop = round(HOP_S * FSDD_RATE)
    floors = [np.sort((take[: len(take) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1)) for take in takes]
    floor = float(np.median([np.sqrt(floor[len(floor) // 10]) for floor in floors]))
    pieces = []
    for take in takes:
        pieces += [np.zeros(int(FSDD_RATE * random.uniform(*GAP_S)), np.float32), take]
    pieces.append(np.zeros(int(FSDD_RATE * random.uniform(*GAP_S)), np.float32))
    sound = np.concatenate(pieces)
    return (sound + random.normal(0, max(floor, 1e-4), len(sound))).astype(np.float32)


def an4(config: Config) -> Parts:
    """CMU's census recordings as their MFCC: the official test speakers; some others validate.

    Raises:
        InputError: the file is not there, or the settings ask for other features.
    """
    import h5py

    (resource,) = CATALOGUE["an4"]
    if fetch.find(resource) is None:
        raise MissingFileError(
            f"--data an4: expected the file {resource.local} in $GALLERY_DATA or ~/.keras/datasets; the model card "
            f"says what it holds and how it is made from {resource.url}"
        )
    if config.features != "mfcc" or config.sample_rate != AN4_RATE:
        raise InputError(
            f"--data an4: expected --features mfcc --sample-rate {AN4_RATE}, which is all that there is of it"
        )
    with h5py.File(io.BytesIO(fetch.fetch(resource)), "r") as file:
        raw, offsets = file["features"][:], file["offsets"][:]
        names, texts, splits = (
            [each.decode() for each in file[key][:]] for key in ("utterance", "transcript", "split")
        )
    if raw.shape[1] != COEFFICIENTS:
        raise InputError(f"{resource.local}: expected {COEFFICIENTS} features; there are {raw.shape[1]}")
    parts: Parts = {"train": [], "test": []}
    for number, (name, text, part) in enumerate(zip(names, texts, splits, strict=True)):
        frames = raw[offsets[number] : offsets[number + 1]]
        parts[part].append(Utterance(frames, cleaned(text, name), name.split("/")[1], name))
    train, valid = by_speaker(parts["train"], config.valid_fraction)
    found = {"train": train, "valid": valid, "test": parts["test"]}
    return {part: [some[n] for n in spread(len(some), config.max_examples)] for part, some in found.items()}


def own(config: Config, frames: Frames) -> Parts:
    """A folder with a CSV or TSV file, or that file: columns path and text, perhaps speaker."""
    rows = list(_rows(_table(Path(config.data))))
    rows = [rows[n] for n in spread(len(rows), config.max_examples)]
    found = []
    for path, text, speaker, where in rows:
        try:
            found.append(Utterance(frames(audio.read(path, config.sample_rate), str(path)), text, speaker, where))
        except InputError as error:
            raise type(error)(f"{where}: {error}") from error
    rest, test = by_speaker(found, config.test_fraction)
    train, valid = by_speaker(rest, config.valid_fraction)
    return {"train": train, "valid": valid, "test": test}


def _table(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in TABLES)
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "none"
        raise InputError(f"{path}: expected one CSV or TSV file with the columns path and text; found {names}")
    return found[0]


def _rows(table: Path) -> Iterator[tuple[Path, str, str, str]]:
    """Recording, text, speaker and place of each row; refuses recordings that are not there or have no transcript."""
    hint = "The first line names the columns path and text, perhaps speaker."
    named = set()
    for row, where in tables.rows(table):
        path = table.parent / tables.cell(row, "path", where, hint).strip()
        if not path.is_file():
            raise MissingFileError(f"{where}: expected a recording; there is no file {path}")
        if path in named:
            raise InputError(f"{where}: expected each recording once; {path} is in another row too")
        named.add(path)
        text = cleaned(tables.cell(row, "text", where, hint), where)
        yield path, text, str(row.get("speaker") or "").strip(), where
    if not named:
        raise InputError(f"{table}: expected rows of recordings and transcripts; there are none")
    inside = sorted(p for p in table.parent.rglob("*") if p.suffix.lower() in audio.SUFFIXES)
    if without := next((p for p in inside if p not in named), None):
        raise InputError(f"{table}: expected a transcript of each recording in its folder; {without} has none")


def cleaned(text: str, where: str) -> str:
    """A transcript in lower case, its words with one space between.

    Raises:
        InputError: it has no word, or a character that is no letter.
    """
    words = WRITTEN.sub(" ", unicodedata.normalize("NFC", text).replace("’", "'").lower()).split()
    wrong = next((c for word in words for c in word if not (c.isalpha() or unicodedata.combining(c) or c == "'")), None)
    if wrong is not None:
        raise InputError(
            f"{where}: expected letters, as they are spoken; the transcript has {wrong!r}. Write it as words."
        )
    if not words:
        raise InputError(f"{where}: expected a transcript with at least one word; received {text!r}")
    return " ".join(words)


def by_speaker(found: list[Utterance], fraction: float) -> tuple[list[Utterance], list[Utterance]]:
    """The rest, and the utterances of some speakers, about this share; where none is named each counts as a speaker."""
    keys = [utterance.speaker or f"{number}" for number, utterance in enumerate(found)]
    order = np.random.default_rng(SPLIT_SEED).permutation(sorted(set(keys))).tolist()
    if len(order) < 2:
        raise InputError(
            f"Expected recordings of at least 2 speakers for each split; {found[0].where} is of the only one"
        )
    wanted, chosen = max(1.0, fraction * len(found)), set()
    for speaker in order[:-1]:
        if sum(key in chosen for key in keys) >= wanted:
            break
        chosen.add(speaker)
    held = [utterance for utterance, key in zip(found, keys, strict=True) if key in chosen]
    return [utterance for utterance, key in zip(found, keys, strict=True) if key not in chosen], held
