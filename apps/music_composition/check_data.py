"""What is wrong with music before training: known pieces and melodies, silent voices, few or long pieces."""

import numpy as np

from shared.data import doctor
from shared.data.doctor import NOTE, OK, PROBLEM, WARNING, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from . import chorales
from .config import RECIPES, Config
from .data import load, parts_of
from .options import CheckData
from .piece import VOICES, Piece, key_name
from .sources import PUBLIC

FEW = 10  # test pieces below which a figure depends on which ones they are
RECORDED = 31_286  # frames that the training recorded in results.json reads in an epoch
SILENT = 0.95  # share of rests above which a voice says little


def check_data(options: CheckData) -> None:
    """Runs the check-data command."""
    report(options, look)


def look(config: Config) -> Inspected:
    """Looks at the pieces of each split."""
    data = load(config)
    parts = {"train": data.train, "valid": data.valid, "test": data.test}
    pieces = {part: [item(piece) for piece in some] for part, some in parts.items()}
    numbers = iter(chorales.melodies([piece for some in parts.values() for piece in some]))
    names = {part: [piece.name for piece in some] for part, some in parts.items()}
    families = {part: [next(numbers) for _ in some] for part, some in parts.items()}
    # The published split of the chorales has variants of a melody on both sides, and so have the published figures.
    level, then = (WARNING, "so it is in the published split") if config.data in PUBLIC else ("", "")
    findings = []
    for part in ("valid", "test"):
        findings += [
            doctor.duplicates(pieces["train"], pieces[part], part, "pieces", level, then),
            known_melodies(families["train"], families[part], names[part], part, level, then),
        ]
    counts = {part: sum(len(parts_of(piece, config.longest)) for piece in some) for part, some in parts.items()}
    amount = Amount(sum(map(len, data.train)), "frames", RECORDED, alike=("representation",))
    findings += [
        doctor.repeats(
            [each for some in pieces.values() for each in some], "pieces", "the same notes, whatever the name"
        ),
        size(len(data.test), sum(map(len, data.test))),
        *silent(data.info["rests"]),
        read_in_parts(data.train, config.longest),
        effort(__file__, config, RECIPES, -(-counts["train"] // config.batch_size), config.epochs, amount),
    ]
    panels = [
        Panel("lengths", "frames", {part: [len(p) for p in some] for part, some in parts.items()}),
        Panel("pitches", "MIDI pitch", {part: sounding(some) for part, some in parts.items()}),
        Panel("keys", "key", {part: [key_name(piece.key) for piece in some] for part, some in parts.items()}),
    ]
    sizes = ", ".join(f"{part} {len(some):,}" for part, some in parts.items())
    return Inspected(f"{config.data}: {sizes} pieces; {data.info['split']}", findings, panels)


def item(piece: Piece) -> Item:
    """Returns a piece as duplicates are found: the notes of all voices, in whatever key."""
    lowest = piece.pitches[piece.pitches > 0].min()
    return Item((piece.steps, np.where(piece.pitches > 0, piece.pitches - lowest, -1).tobytes()), piece.name)


def known_melodies(train: list[int], held: list[int], names: list[str], part: str, level: str, then: str) -> Finding:
    """Finds held-out pieces whose melody, or a variant of it, is in training under another name."""
    known = [Item(number, "") for number in train]
    found = [Item(number, name) for number, name in zip(held, names, strict=True)]
    return doctor.duplicates(known, found, part, "melodies, or variants of them,", level, then)


def size(pieces: int, frames: int) -> Finding:
    """Judges whether the test pieces are enough for a figure."""
    if not pieces:
        return Finding(PROBLEM, "there are no test pieces")
    text = f"{doctor.sized(pieces, 'test pieces')} of {frames:,} frames"
    return Finding(WARNING, f"{text}: other pieces would give another figure") if pieces < FEW else Finding(OK, text)


def silent(rests: list[float]) -> list[Finding]:
    """Names the voices that are all but silent."""
    found = [f"{voice} {doctor.percent(share)}" for voice, share in zip(VOICES, rests, strict=True) if share > SILENT]
    return [Finding(NOTE, f"voices that rest most of the time: {', '.join(found)}")] if found else []


def read_in_parts(train: list[Piece], longest: int) -> Finding:
    """Describes the lengths of the training pieces, of which nothing is lost."""
    found = doctor.lengths([len(p) for p in train], "frames", "training pieces", longest, "are read in parts")
    return found._replace(level=NOTE)


def sounding(pieces: list[Piece]) -> np.ndarray:
    """Returns the pitches of all frames of all voices."""
    return np.concatenate([piece.pitches[piece.pitches > 0] for piece in pieces] or [np.zeros(0)])
