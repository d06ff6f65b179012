"""Pieces as arrays of frames, split without leakage, and the training batches.

A frame is a row of integers: its tokens, what sounds in each slot, and what is known beforehand (see tokens.py).
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

SHIFTS = (-5, 6)  # semitones: every key once
BUCKETS = 4  # lengths that batches are padded to


@dataclasses.dataclass(frozen=True)
class Data:
    """The pieces of each part, and what was learned from train.

    `info` fits JSON: source, fingerprint, split, counts (pieces and frames of each part), ranges ([lowest, highest]
    of each voice), rests (share of frames in which it is silent), keys (of the training pieces), steps, representation,
    example (a file of the validation pieces, or the number of a chorale).
    """

    train: list[Piece]
    valid: list[Piece]
    test: list[Piece]
    info: dict[str, Any]


@same_for_every_seed
def load(config: Config) -> Data:
    """Reads the pieces that `config.data` names and splits them; variants of one melody are of one part.

    Raises:
        InputError: an unknown source, no usable file, or too few pieces to split.
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
    """Whole melodies, in an order drawn once for all seeds, to train and to the parts that are to have a share."""
    groups: dict[int, list[Piece]] = {}
    for piece, group in zip(pieces, chorales.melodies(pieces), strict=True):
        groups.setdefault(group, []).append(piece)
    if len(groups) <= len(shares):
        raise InputError(
            f"Expected at least {len(shares) + 1} different melodies to train, choose and test on. "
            f"Received: {len(groups)}"
        )
    order = np.random.default_rng(0).permutation(len(groups))
    # The largest family of variants is trained on: as a test it would be one melody many times.
    most = len(pieces) * next(iter(shares.values())) / 4
    order = sorted(order.tolist(), key=lambda g: len(list(groups.values())[g]) > most)
    parts: dict[str, list[Piece]] = {part: [] for part in ("train", *shares)}
    for group in order:
        part = next((p for p, share in shares.items() if len(parts[p]) < max(1, share * len(pieces))), "train")
        parts[part] += list(groups.values())[group]
    return parts


def example(pieces: list[Piece]) -> str:
    """A piece to try the network with: the first file that one was read from, else a chorale of music21's."""
    # A tune of an ABC file is called by the file and its own title.
    names = (name for piece in pieces for name in (piece.name, piece.name.partition(", ")[0]))
    return next((name for name in names if Path(name).is_file()), "bwv66.6")


def tested_on(data: Data, path: str) -> Data:
    """The data of a run with the pieces of another file or folder as its test part.

    Raises:
        InputError: no file there can be used.
    """
    pieces = [piece for piece in read_folder(Path(path), data.info["steps"]) if piece.pitches.any()]
    return dataclasses.replace(data, test=pieces)


def frames(piece: Piece, representation: str) -> np.ndarray:
    """(time, 2 slots + 5) int32: tokens, what sounds, what is known."""
    return np.concatenate([*encode(piece, representation), plan(piece, representation)], axis=1)


def moved(rows: np.ndarray, shift: Any, representation: str) -> np.ndarray:
    """Frames (..., time, features) so many semitones (...) higher."""
    notes = 2 * slots(representation)
    shift = np.asarray(shift)[..., None]
    rows = rows.copy()
    sounding = (rows[..., :notes] >= FIRST) & (rows[..., :notes] < PAD)
    rows[..., :notes] += np.where(sounding, shift[..., None], 0)
    key = rows[..., notes + PLAN.index("key")]
    rows[..., notes + PLAN.index("key")] = (key % 12 + shift) % 12 + 12 * (key // 12)
    return rows


def shifts(piece: Piece, ranges: list[list[int]], representation: str) -> tuple[int, int]:
    """The fewest and most semitones that a piece may be moved by: no voice leaves its range."""
    low, high = SHIFTS
    if representation == "roll":
        return low, high
    for voice, (lowest, highest) in enumerate(ranges):
        sung = piece.pitches[:, voice][piece.pitches[:, voice] > 0]
        if len(sung):
            low, high = max(low, lowest - int(sung.min())), min(high, highest - int(sung.max()))
    return min(low, 0), max(high, 0)


def parts_of(piece: Piece, longest: int) -> list[Piece]:
    """The piece in parts of about equal length, none longer than `longest` frames."""
    count = -(-len(piece) // longest)
    edges = np.linspace(0, len(piece), count + 1).astype(int)
    return [piece.cut(start, stop) for start, stop in zip(edges, edges[1:], strict=False)]


class Frames(BucketBatches):
    """Batches ((frames (batch, time, features), mask), tokens (batch, time, slots), weights (batch, time)).

    Args:
        pieces: what is read. representation: see tokens.py. batch_size: pieces in a batch.
        seed: of order and transposition.
        ranges: of the voices, to move each piece by random semitones within them; None moves nothing.
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
        """See the class."""
        (inputs, mask), _, weights = super().batch(epoch, step)
        low, high = self.shifts[self.rows(epoch, step)].T
        shift = np.random.default_rng([self.seed, epoch, step]).integers(low, high + 1)
        inputs = moved(inputs, shift, self.representation)
        return (inputs, mask), inputs[..., : self.width], weights


def buckets(pieces: list[Piece]) -> list[int]:
    """A few lengths in frames to pad to, each holding about as many pieces."""
    lengths = np.array([len(piece) for piece in pieces])
    return sorted({int(-(-length // 8) * 8) for length in np.quantile(lengths, np.linspace(0, 1, BUCKETS + 1)[1:])})


def voice_slots(representation: str) -> list[str]:
    """What each slot is called."""
    names = ("soprano", "alto", "tenor", "bass")
    return (
        [names[voice] for voice in ORDER]
        if representation == "voices"
        else [f"note {n + 1}" for n in range(slots(representation))]
    )
