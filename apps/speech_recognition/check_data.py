"""What is wrong with recordings before training: known speakers or recordings, clipping, unfit transcripts."""

from pathlib import Path

import numpy as np

from shared.data import doctor
from shared.data.doctor import NOTE, OK, WARNING, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from . import audio, folder
from .config import RECIPES, Config
from .data import arranged
from .options import CheckData
from .sources import read
from .utterance import Utterance

RECORDED = 2_743  # seconds of sound that the training recorded in results.json reads in an epoch
ALIKE = ("stride", "channels")


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the utterances as they were given, and at the splits as they are trained and tested on."""
    given = read(config)
    data = arranged(given, config)
    parts = {part: getattr(data, part).utterances for part in ("train", "valid", "test")}
    sounds = {part: [Item(u.raw.tobytes(), u.text, u.where) for u in some] for part, some in parts.items()}
    texts = {part: [Item(u.text, u.text, u.where) for u in some] for part, some in parts.items()}
    speakers = {part: [u.speaker for u in some] for part, some in parts.items()}
    seconds = {part: [u.seconds for u in some] for part, some in parts.items()}
    official = {"level": NOTE, "then": "as in the official split"} if config.split == "official" else {}
    findings = []
    for part in ("valid", "test"):
        # With a held-out speaker, fsdd validates on other recordings of the training speakers.
        same = {"level": NOTE, "then": "its test speaker is not"} if (part, config.data) == ("valid", "fsdd") else {}
        findings += [
            doctor.groups(speakers["train"], speakers[part], part, "speakers", **(official or same)),
            doctor.duplicates(sounds["train"], sounds[part], part, "recordings"),
            doctor.duplicates(texts["train"], texts[part], part, "transcripts", NOTE, "spoken by others, or again"),
        ]
    answers = {part: [(n, u.text) for n, u in enumerate(some)] for part, some in parts.items()}
    amount = Amount(sum(seconds["train"]), "seconds", RECORDED, alike=ALIKE)
    findings += [
        *doctor.same_answers(answers, "recordings", "transcript", doctor.SKEWED),
        doctor.enough(sum(len(u.text.split()) for u in parts["test"]), "test", "words"),
        *symbols(parts, data.info["targets"]),
        *pace(parts["train"]),
        *(clipping(config.data) if Path(config.data).exists() else []),
        doctor.lengths(
            [u.seconds for u in given["train"]], "seconds", "training utterances", config.longest, "are left out"
        ),
        *doctor.characters((u.text, u.where) for some in parts.values() for u in some),
        effort(__file__, config, RECIPES, -(-len(parts["train"]) // config.batch_size), config.epochs, amount),
    ]
    panels = [
        Panel("durations", "seconds", seconds, config.longest, "--longest"),
        Panel("speaking rate", "characters per second", {part: list(map(rate, some)) for part, some in parts.items()}),
        Panel("words", "word", {part: [w for u in some for w in u.text.split()] for part, some in parts.items()}),
    ]
    return Inspected(f"{config.data}: {data.info['split']}", findings, panels)


def symbols(parts: dict[str, list[Utterance]], targets: str) -> list[Finding]:
    """Compares the words, or the characters, of the splits: what training lacks can never be recognised."""
    if targets == "words":
        return doctor.balance({part: [w for u in some for w in u.text.split()] for part, some in parts.items()}, "word")
    known = {c for u in parts["train"] for c in u.text}
    lacking = sorted({c for u in parts["test"] for c in u.text} - known)
    if not lacking:
        return [Finding(OK, f"training has all characters of the test transcripts; {len(known)} in all")]
    return [
        Finding(
            WARNING,
            f"{doctor.sized(len(lacking), 'characters')} of test {'is' if len(lacking) == 1 else 'are'} in no training "
            f"transcript: {doctor.named(lacking)}",
        )
    ]


def rate(utterance: Utterance) -> float:
    """Returns the characters spoken in a second."""
    return len(utterance.text) / utterance.seconds


def pace(train: list[Utterance]) -> list[Finding]:
    """Finds transcripts far too long or too short for their recording, as when two of them are exchanged."""
    apart = [train[n] for n in doctor.far(np.log([rate(u) for u in train]))]
    if not apart:
        return [Finding(OK, "no transcript is far too long or too short for its recording")]
    text = f"{doctor.counted(len(apart), len(train), 'training transcripts')} far too long or too short"
    first = Item("", apart[0].text, apart[0].where)
    return [Finding(WARNING, f"{text}, {doctor.example(first)} in {apart[0].seconds:.1f} s")]


def clipping(source: str) -> list[Finding]:
    """Finds recordings with many samples at full scale: what was louder is lost."""
    import soundfile

    paths = [(path, where) for path, _, _, where in folder.recordings(source)]
    shares = []
    for path, where in paths:
        samples = soundfile.read(path, dtype="float32", always_2d=True)[0]
        shares.append((float((np.abs(samples) >= audio.CLIPPED).any(axis=1).mean()), f"{where}: {path.name}"))
    clipped = sorted((found for found in shares if found[0] > audio.CLIPPED_SHARE), reverse=True)
    if not clipped:
        return [Finding(OK, f"none of {doctor.sized(len(paths), 'recordings')} is clipped")]
    share, place = clipped[0]
    text = f"{doctor.counted(len(clipped), len(paths), 'recordings')} clipped, e.g. {place}"
    return [Finding(WARNING, f"{text} in {doctor.percent(share)} of its samples: record with a lower level")]
