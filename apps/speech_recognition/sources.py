"""The data sources: the built-in digits, fsdd, an4, TensorFlow Datasets, and your own folder of recordings."""

import io

import numpy as np

from shared import InputError, MissingFileError
from shared.data import fetch, tfds
from shared.data.catalogue import CATALOGUE, check
from shared.data.sequences import spread
from shared.fingerprint import fingerprint

from . import audio, folder, fsdd, spoken
from .config import OWN, PUBLIC, Config
from .features import COEFFICIENTS, Frames
from .utterance import Parts, Utterance, by_speaker, cleaned

BUILTIN = ("train", "valid", "test", "isolated", "examples")
AN4_RATE = 16_000
TFDS_RATE = 16_000
TFDS_SPLITS = {"train": ("train",), "valid": ("validation", "dev"), "test": ("test",)}  # prefixes of the split names
# The labels of speech_commands in order; the last two are not words.
COMMANDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "_silence_", "_unknown_")


def read(config: Config) -> Parts:
    """Reads the utterances of each split: train, valid, test; for digits also isolated (test) and examples (train).

    Raises:
        InputError: the source is unknown, or a file cannot be used; the message names file and line.
    """
    frames = Frames(config.features, config.sample_rate, config.bands)
    if config.data == "builtin":
        return builtin(config, frames)
    if config.data == "fsdd":
        parts = fsdd.read(config, frames)
        return parts | {"train": parts["train"] + voices(config, frames)} if config.voices else parts
    if config.data == "an4":
        return an4(config)
    if config.data.startswith(tfds.PREFIX):
        return read_tfds(config, frames)
    check(config.data, PUBLIC, OWN)
    return folder.read(config, frames)


def builtin(config: Config, frames: Frames) -> Parts:
    """Generates digits spoken by eSpeak NG; isolated digits are added to the training set to help alignment."""
    parts: Parts = {}
    for part in BUILTIN:
        found = spoken.utterances(part, config.sample_rate, config.max_examples)
        parts[part] = [
            Utterance(frames(x), text, speaker, f"builtin, {part}", fingerprint(x)) for x, text, speaker in found
        ]
    return parts | {"train": parts["train"] + parts["examples"]}


def voices(config: Config, frames: Frames) -> list[Utterance]:
    """Returns the utterances of all eSpeak NG voices, as extra training data for fsdd, which is tested on people."""
    parts = builtin(config, frames)
    return [utterance for part in ("train", "valid", "test", "isolated") for utterance in parts[part]]


def an4(config: Config) -> Parts:
    """Reads CMU's census recordings as MFCC: the official test speakers; some of the others are for validation.

    Raises:
        InputError: the file is missing, or the settings require other features.
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
        parts[part].append(Utterance(frames, cleaned(text, name), name.split("/")[1], name, name))
    train, valid = by_speaker(parts["train"], config.valid_fraction)
    found = {"train": train, "valid": valid, "test": parts["test"]}
    return {part: [some[n] for n in spread(len(some), config.max_examples)] for part, some in found.items()}


def read_tfds(config: Config, frames: Frames) -> Parts:
    """Reads a data set with audio or speech and text or (as in speech_commands) label, using its own splits.

    Raises:
        InputError: the data set does not have these features or splits.
    """
    known = tfds.splits(config.data)
    parts: Parts = {}
    for part, begins in TFDS_SPLITS.items():
        name = next((name for name in known if name.startswith(begins)), None)
        if name is None:
            raise InputError(f"{config.data}: expected train, validation and test parts; it has {', '.join(known)}")
        some = f"{name}[:{config.max_examples}]" if config.max_examples else name
        parts[part] = []
        for number, example in enumerate(tfds.load_examples(config.data, some)):
            where = f"{config.data}, {name}, example {number}"
            key = next((key for key in ("audio", "speech") if key in example), None)
            if key is None or not {"text", "label"} & example.keys():
                raise InputError(f"{where}: expected features audio or speech, text or label; it has {list(example)}")
            said = example["text"].decode() if "text" in example else COMMANDS[int(example["label"])]
            if said not in COMMANDS[-2:]:
                sound = (np.asarray(example[key]) / 32_768).astype(np.float32)
                raw = frames(audio.Resampler(TFDS_RATE, config.sample_rate)(sound, last=True), where)
                speaker = str(example.get("speaker_id", ""))
                parts[part].append(Utterance(raw, cleaned(said, where), speaker, where, fingerprint(sound)))
    return parts
