"""Statistics of music, to compare generated pieces with the corpus."""

import collections
from collections.abc import Sequence

import numpy as np

from .piece import SLOTS, Piece

CONSONANT = (0, 3, 4, 7, 8, 9)  # semitones modulo an octave; also a fourth, unless above the bass
PAIRS = [(high, low) for high in range(SLOTS) for low in range(high + 1, SLOTS)]


def figures(piece: Piece) -> dict[str, float]:
    """Returns all statistics of a piece; see the individual functions."""
    return {
        "parallels_per_bar": parallels(piece) / bars(piece),
        "crossings_per_bar": crossings(piece) / bars(piece),
        "consonance": consonance(piece),
        "length_entropy_bits": length_entropy(piece),
        "repeated_bars": repetition(piece),
        "commonest_pitch": commonest(piece),
        "leaps": leaps(piece),
        "notes_per_bar": float(piece.struck.sum() / bars(piece)),
    }


def bars(piece: Piece) -> float:
    """Returns the length of the piece in bars."""
    return float((1 / piece.bar).sum())


def parallels(piece: Piece) -> int:
    """Counts parallel fifths, octaves and unisons: pairs of voices that move in the same direction between two such."""
    found = 0
    for high, low in PAIRS:
        upper, lower = sonorities(piece.pitches[:, [high, low]]).T
        both = (upper[:-1] > 0) & (lower[:-1] > 0) & (upper[1:] > 0) & (lower[1:] > 0)
        before, after = (upper[:-1] - lower[:-1]) % 12, (upper[1:] - lower[1:]) % 12
        together = (upper[1:] - upper[:-1]) * (lower[1:] - lower[:-1]) > 0
        found += int((both & together & (before == after) & np.isin(after, (0, 7))).sum())
    return found


def crossings(piece: Piece) -> int:
    """Counts how often a lower voice crosses above a higher one."""
    found = 0
    for high, low in PAIRS:
        upper, lower = piece.pitches[:, high], piece.pitches[:, low]
        crossed = (upper > 0) & (lower > upper)
        found += int((crossed & ~np.concatenate([[False], crossed[:-1]])).sum())
    return found


def consonance(piece: Piece) -> float:
    """Returns the share of consonant pairs of voices over all frames; a fourth above the bass is not consonant."""
    good = total = 0
    bass = np.where(piece.pitches > 0, piece.pitches, 999).min(axis=1)
    for high, low in PAIRS:
        upper, lower = piece.pitches[:, high].astype(int), piece.pitches[:, low].astype(int)
        both = (upper > 0) & (lower > 0)
        interval = np.abs(upper - lower) % 12
        fine = np.isin(interval, CONSONANT) | ((interval == 5) & (np.minimum(upper, lower) != bass))
        good, total = good + int((fine & both).sum()), total + int(both.sum())
    return good / max(total, 1)


def length_entropy(piece: Piece) -> float:
    """Returns the entropy in bits of the note lengths of all voices."""
    lengths: collections.Counter = collections.Counter()
    for voice in range(SLOTS):
        edges = np.flatnonzero(piece.struck[:, voice] | (piece.pitches[:, voice] == 0))
        for start, end in zip(edges, [*edges[1:], len(piece)], strict=True):
            if piece.struck[start, voice]:
                lengths[int(end - start)] += 1
    return entropy(np.array(list(lengths.values()), float))


def entropy(counts: np.ndarray) -> float:
    """Returns the entropy in bits of a distribution given by counts."""
    if not counts.sum():
        return 0.0
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def repetition(piece: Piece) -> float:
    """Returns the share of bars that repeat an earlier bar of the piece exactly."""
    starts = np.flatnonzero(piece.position == 0)
    seen, again = set(), 0
    for start, end in zip(starts, [*starts[1:], len(piece)], strict=True):
        content = (piece.pitches[start:end].tobytes(), piece.struck[start:end].tobytes())
        again += content in seen
        seen.add(content)
    return again / max(len(starts), 1)


def commonest(piece: Piece) -> float:
    """Returns the largest share of its time that any voice spends on a single pitch."""
    shares = [0.0]
    for voice in range(SLOTS):
        sung = piece.pitches[:, voice][piece.pitches[:, voice] > 0]
        if len(sung):
            shares.append(np.bincount(sung).max() / len(sung))
    return float(max(shares))


def leaps(piece: Piece) -> float:
    """Returns the share of melodic steps wider than a fourth in the upper three voices."""
    steps = np.concatenate([melodic_steps(piece, voice) for voice in range(SLOTS - 1)])
    return float((np.abs(steps) > 5).mean()) if len(steps) else 0.0


def melodic_steps(piece: Piece, voice: int) -> np.ndarray:
    """Returns the steps in semitones from each note of a voice to the next, ignoring rests."""
    notes = piece.pitches[:, voice][piece.struck[:, voice]].astype(int)
    return np.diff(notes)


def pitch_classes(pieces: Sequence[Piece]) -> np.ndarray:
    """Returns the distribution (12,) of sounding time over the pitch classes relative to the tonic."""
    counts = np.zeros(12)
    for piece in pieces:
        sounding = piece.pitches[piece.pitches > 0].astype(int)
        counts += np.bincount((sounding - piece.key % 12) % 12, minlength=12)
    return counts / max(counts.sum(), 1)


def intervals(pieces: Sequence[Piece]) -> np.ndarray:
    """Returns the distribution (25,) of melodic steps of -12 ... 12 semitones; wider ones count as an octave."""
    steps = [melodic_steps(piece, voice) for piece in pieces for voice in range(SLOTS)]
    counts = np.bincount(np.clip(np.concatenate(steps), -12, 12) + 12, minlength=25).astype(float)
    return counts / max(counts.sum(), 1)


def distance(p: np.ndarray, q: np.ndarray) -> float:
    """Returns the total variation distance of two distributions: 0 if equal, 1 if disjoint."""
    return float(np.abs(p - q).sum() / 2)


def sonorities(pitches: np.ndarray) -> np.ndarray:
    """Returns the rows of pitches (time, voices) without those equal to the previous row."""
    keep = np.ones(len(pitches), bool)
    keep[1:] = (pitches[1:] != pitches[:-1]).any(axis=1)
    return pitches[keep].astype(int)


class Copies:
    """Finds passages copied from training pieces in any key; their length is counted in sonorities, not in time."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.places: dict[tuple, list[int]] = collections.defaultdict(list)
        self.names: list[str] = []
        for piece in pieces:
            self.names.append("")  # a gap, so that no passage spans two pieces
            for move in _moves(piece):
                self.places[move].append(len(self.names))
                self.names.append(piece.name)

    def longest(self, piece: Piece) -> tuple[int, str]:
        """Returns the length in sonorities of the longest passage shared with a training piece, and its name."""
        best, where = 0, ""
        before: dict[int, int] = {}
        for move in _moves(piece):
            now = {place: before.get(place - 1, 0) + 1 for place in self.places.get(move, ())}
            if now:
                place = max(now, key=lambda p: now[p])
                if now[place] > best:
                    best, where = now[place], self.names[place]
            before = now
        return (best + 1, where) if best else (0, "")  # n moves connect n + 1 sonorities


def _moves(piece: Piece) -> list[tuple[int, ...]]:
    """Returns the transitions between sonorities, independent of key: the chord before, and each voice's step."""
    rows = sonorities(piece.pitches)
    chord = rows[:-1, :1] - rows[:-1, 1:]
    return [(*a, *b) for a, b in zip(chord.tolist(), np.diff(rows, axis=0).tolist(), strict=True)]
