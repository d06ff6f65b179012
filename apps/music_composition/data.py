"""Pieces as arrays of frames, split without leakage, and the training batches.

A frame is a row of integers: its tokens, the sounding note in each slot, and what is known in advance (see tokens.py).
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError
from shared.data.sequences import BucketBatches
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from . import chorales
from .config import Config
from .piece import SLOTS, Piece, key_name
from .sources import read, read_folder
from .tokens import FIRST, ORDER, PAD, PLAN, encode, plan, slots

SHIFTS = (-5, 6)  # range of transpositions in semitones: every key once
BUCKETS = 4  # number of lengths that batches are padded to


@dataclasses.dataclass(frozen=True)
class Data:
    """The pieces of each split, and the statistics of train.

    `info` fits JSON: source, fingerprint, split, counts (pieces and frames per split), ranges ([lowest, highest] pitch
    of each voice), rests (share of frames in which it is silent), keys (of the training pieces), steps, representation,
    example (a file of the validation pieces, or the number of a chorale).
    """

    train: list[Piece]
    valid: list[Piece]
    test: list[Piece]
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads and splits the pieces of `config.data`; variants of a melody are all in the same split.

    Raises:
        InputError: the source is unknown, no file can be used, or there are too few pieces to split.
    """
    files = {part: getattr(config, part) for part in ("valid", "test") if getattr(config, part)}
    parts = read(config) | {part: read_folder(Path(path), config.steps) for part, path in files.items()}
    content = [(name, [(p.pitches, p.struck, p.position, p.key) for p in pieces]) for name, pieces in parts.items()]
    shares = {"test": config.test_fraction, "valid": config.valid_fraction}
    shares = {part: share for part, share in shares.items() if part not in parts}
    said = [] if shares or len(files) == 2 else ["as published"]
    if shares:
        parts |= divided(parts["train"], shares)
        drawn = ", ".join(f"{share:.0%} {part}" for part, share in reversed(shares.items()))
        said.append(f"{drawn}, variants of a melody together")
    said += [f"{part} from {path}" for part, path in files.items()]
    parts = {part: [piece for piece in pieces if piece.pitches.any()] for part, pieces in parts.items()}
    pitches = np.concatenate([piece.pitches for piece in parts["train"]])
    voices = [pitches[:, voice][pitches[:, voice] > 0] for voice in range(SLOTS)]
    info = {
        "source": config.data,
        "fingerprint": fingerprint(content),
        "split": "; ".join(said),
        "representation": config.representation,
        "steps": config.steps,
        "counts": {part: [len(pieces), sum(map(len, pieces))] for part, pieces in parts.items()},
        "ranges": [[int(v.min()), int(v.max())] if len(v) else [0, 0] for v in voices],
        "rests": [round(float(1 - len(v) / len(pitches)), 4) for v in voices],
        "example": example(parts["valid"]),
        "keys": sorted({key_name(piece.key) for piece in parts["train"]}),
    }
    return Data(parts["train"], parts["valid"], parts["test"], info)


def divided(pieces: list[Piece], shares: dict[str, float]) -> dict[str, list[Piece]]:
    """Assigns whole melodies, in a fixed random order, to the splits with a given share, and the rest to train."""
    groups: dict[int, list[Piece]] = {}
    for piece, group in zip(pieces, chorales.melodies(pieces), strict=True):
        groups.setdefault(group, []).append(piece)
    if len(groups) <= len(shares):
        raise InputError(
            f"Expected at least {len(shares) + 1} different melodies to train, choose and test on. "
            f"Received: {len(groups)}"
        )
    order = np.random.default_rng(0).permutation(len(groups))
    # Put the largest families of variants into train: as a test set they would be the same melody many times.
    most = len(pieces) * next(iter(shares.values())) / 4
    order = sorted(order.tolist(), key=lambda g: len(list(groups.values())[g]) > most)
    parts: dict[str, list[Piece]] = {part: [] for part in ("train", *shares)}
    for group in order:
        part = next((p for p, share in shares.items() if len(parts[p]) < max(1, share * len(pieces))), "train")
        parts[part] += list(groups.values())[group]
    return parts


def example(pieces: list[Piece]) -> str:
    """Returns a piece to try the network with: the first one read from a file, else a chorale of music21."""
    # A tune of an ABC file is named after the file and its own title.
    names = (name for piece in pieces for name in (piece.name, piece.name.partition(", ")[0]))
    return next((name for name in names if Path(name).is_file()), "bwv66.6")


def tested_on(data: Data, path: str) -> Data:
    """Returns the data of a run with the pieces of another file or folder as its test set.

    Raises:
        InputError: no file can be used.
    """
    pieces = [piece for piece in read_folder(Path(path), data.info["steps"]) if piece.pitches.any()]
    return dataclasses.replace(data, test=pieces)


def frames(piece: Piece, representation: str) -> np.ndarray:
    """(time, 2 slots + 5) int32: tokens, sounding notes, and what is known in advance."""
    return np.concatenate([*encode(piece, representation), plan(piece, representation)], axis=1)


def moved(rows: np.ndarray, shift: Any, representation: str) -> np.ndarray:
    """Transposes frames (..., time, features) up by a number of semitones (...)."""
    notes = 2 * slots(representation)
    shift = np.asarray(shift)[..., None]
    rows = rows.copy()
    sounding = (rows[..., :notes] >= FIRST) & (rows[..., :notes] < PAD)
    rows[..., :notes] += np.where(sounding, shift[..., None], 0)
    key = rows[..., notes + PLAN.index("key")]
    rows[..., notes + PLAN.index("key")] = (key % 12 + shift) % 12 + 12 * (key // 12)
    return rows


def shifts(piece: Piece, ranges: list[list[int]], representation: str) -> tuple[int, int]:
    """Returns the minimum and maximum transposition in semitones that keeps all voices within their ranges."""
    low, high = SHIFTS
    if representation == "roll":
        return low, high
    for voice, (lowest, highest) in enumerate(ranges):
        sung = piece.pitches[:, voice][piece.pitches[:, voice] > 0]
        if len(sung):
            low, high = max(low, lowest - int(sung.min())), min(high, highest - int(sung.max()))
    return min(low, 0), max(high, 0)


def parts_of(piece: Piece, longest: int) -> list[Piece]:
    """Splits a piece into parts of about equal length, none longer than `longest` frames."""
    count = -(-len(piece) // longest)
    edges = np.linspace(0, len(piece), count + 1).astype(int)
    return [piece.cut(start, stop) for start, stop in zip(edges, edges[1:], strict=False)]


class Frames(BucketBatches):
    """Batches ((frames (batch, time, features), mask), tokens (batch, time, slots), weights (batch, time)).

    Args:
        pieces: the pieces. representation: see tokens.py. batch_size: pieces per batch.
        seed: of order and transposition.
        ranges: of the voices, to transpose each piece randomly within them; None for no transposition.
    """

    def __init__(
        self,
        pieces: list[Piece],
        representation: str,
        batch_size: int,
        seed: int,
        ranges: list[list[int]] | None = None,
    ) -> None:
        rows = [frames(piece, representation) for piece in pieces]
        self.representation, self.width = representation, slots(representation)
        self.shifts = np.array([shifts(piece, ranges, representation) if ranges else (0, 0) for piece in pieces])
        super().__init__(rows, [row[:, : self.width] for row in rows], batch_size, seed, buckets(pieces))

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class docstring."""
        (inputs, mask), _, weights = super().batch(epoch, step)
        low, high = self.shifts[self.rows(epoch, step)].T
        shift = np.random.default_rng([self.seed, epoch, step]).integers(low, high + 1)
        inputs = moved(inputs, shift, self.representation)
        return (inputs, mask), inputs[..., : self.width], weights


def buckets(pieces: list[Piece]) -> list[int]:
    """Returns a few lengths in frames to pad to, with about as many pieces in each bucket."""
    lengths = np.array([len(piece) for piece in pieces])
    return sorted({int(-(-length // 8) * 8) for length in np.quantile(lengths, np.linspace(0, 1, BUCKETS + 1)[1:])})


def voice_slots(representation: str) -> list[str]:
    """Returns the names of the slots."""
    names = ("soprano", "alto", "tenor", "bass")
    return (
        [names[voice] for voice in ORDER]
        if representation == "voices"
        else [f"note {n + 1}" for n in range(slots(representation))]
    )
