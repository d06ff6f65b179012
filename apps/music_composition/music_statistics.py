"""Statistics of music, to compare generated pieces with the corpus."""

import collections
from collections.abc import Sequence

import numpy as np

from .piece import SLOTS, Piece

CONSONANT = (0, 3, 4, 7, 8, 9)  # semitones modulo an octave; a fourth too, but not over the bass
PAIRS = [(high, low) for high in range(SLOTS) for low in range(high + 1, SLOTS)]


def figures(piece: Piece) -> dict[str, float]:
    """The figures of one piece; see the functions."""
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
    """How many bars the piece is long."""
    return float((1 / piece.bar).sum())


def parallels(piece: Piece) -> int:
    """How often two voices move from a fifth to a fifth, or from an octave or unison to one, in the same direction."""
    found = 0
    for high, low in PAIRS:
        upper, lower = sonorities(piece.pitches[:, [high, low]]).T
        both = (upper[:-1] > 0) & (lower[:-1] > 0) & (upper[1:] > 0) & (lower[1:] > 0)
        before, after = (upper[:-1] - lower[:-1]) % 12, (upper[1:] - lower[1:]) % 12
        together = (upper[1:] - upper[:-1]) * (lower[1:] - lower[:-1]) > 0
        found += int((both & together & (before == after) & np.isin(after, (0, 7))).sum())
    return found


def crossings(piece: Piece) -> int:
    """How often a voice comes to lie over a higher one."""
    found = 0
    for high, low in PAIRS:
        upper, lower = piece.pitches[:, high], piece.pitches[:, low]
        crossed = (upper > 0) & (lower > upper)
        found += int((crossed & ~np.concatenate([[False], crossed[:-1]])).sum())
    return found


def consonance(piece: Piece) -> float:
    """The share of pairs of voices that sound a consonance, over all frames; a fourth over the bass is none."""
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
    """Bits of the distribution of note lengths over all voices."""
    lengths: collections.Counter = collections.Counter()
    for voice in range(SLOTS):
        edges = np.flatnonzero(piece.struck[:, voice] | (piece.pitches[:, voice] == 0))
        for start, end in zip(edges, [*edges[1:], len(piece)], strict=True):
            if piece.struck[start, voice]:
                lengths[int(end - start)] += 1
    return entropy(np.array(list(lengths.values()), float))


def entropy(counts: np.ndarray) -> float:
    """Bits of counts."""
    if not counts.sum():
        return 0.0
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def repetition(piece: Piece) -> float:
    """The share of bars that are note for note an earlier bar of the piece."""
    starts = np.flatnonzero(piece.position == 0)
    seen, again = set(), 0
    for start, end in zip(starts, [*starts[1:], len(piece)], strict=True):
        content = (piece.pitches[start:end].tobytes(), piece.struck[start:end].tobytes())
        again += content in seen
        seen.add(content)
    return again / max(len(starts), 1)


def commonest(piece: Piece) -> float:
    """Of the voice that is most fixed on one pitch, the share of its time on that pitch."""
    shares = [0.0]
    for voice in range(SLOTS):
        sung = piece.pitches[:, voice][piece.pitches[:, voice] > 0]
        if len(sung):
            shares.append(np.bincount(sung).max() / len(sung))
    return float(max(shares))


def leaps(piece: Piece) -> float:
    """The share of melodic steps in the upper three voices that are wider than a fourth."""
    steps = np.concatenate([melodic_steps(piece, voice) for voice in range(SLOTS - 1)])
    return float((np.abs(steps) > 5).mean()) if len(steps) else 0.0


def melodic_steps(piece: Piece, voice: int) -> np.ndarray:
    """Semitones from each note of a voice to the next, rests left out."""
    notes = piece.pitches[:, voice][piece.struck[:, voice]].astype(int)
    return np.diff(notes)


def pitch_classes(pieces: Sequence[Piece]) -> np.ndarray:
    """How long each degree over the tonic sounds (12,), as shares."""
    counts = np.zeros(12)
    for piece in pieces:
        sounding = piece.pitches[piece.pitches > 0].astype(int)
        counts += np.bincount((sounding - piece.key % 12) % 12, minlength=12)
    return counts / max(counts.sum(), 1)


def intervals(pieces: Sequence[Piece]) -> np.ndarray:
    """How often voices step by -12 ... 12 semitones (25,), as shares; wider ones count as an octave."""
    steps = [melodic_steps(piece, voice) for piece in pieces for voice in range(SLOTS)]
    counts = np.bincount(np.clip(np.concatenate(steps), -12, 12) + 12, minlength=25).astype(float)
    return counts / max(counts.sum(), 1)


def distance(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation of two distributions: 0 for equal ones, 1 for such without anything in common."""
    return float(np.abs(p - q).sum() / 2)


def sonorities(pitches: np.ndarray) -> np.ndarray:
    """The rows of pitches (time, voices) without those that repeat the one before."""
    keep = np.ones(len(pitches), bool)
    keep[1:] = (pitches[1:] != pitches[:-1]).any(axis=1)
    return pitches[keep].astype(int)


class Copies:
    """Finds passages of the training pieces in any key; a passage is counted in sonorities, whatever their length."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.places: dict[tuple, list[int]] = collections.defaultdict(list)
        self.names: list[str] = []
        for piece in pieces:
            self.names.append("")  # no passage goes on from one piece into the next
            for move in _moves(piece):
                self.places[move].append(len(self.names))
                self.names.append(piece.name)

    def longest(self, piece: Piece) -> tuple[int, str]:
        """The length in sonorities of the longest passage that a training piece has too, and its name."""
        best, where = 0, ""
        before: dict[int, int] = {}
        for move in _moves(piece):
            now = {place: before.get(place - 1, 0) + 1 for place in self.places.get(move, ())}
            if now:
                place = max(now, key=lambda p: now[p])
                if now[place] > best:
                    best, where = now[place], self.names[place]
            before = now
        return (best + 1, where) if best else (0, "")  # n moves join n + 1 sonorities


def _moves(piece: Piece) -> list[tuple[int, ...]]:
    """From one sonority to the next, in any key: the chord left, and each voice's step."""
    rows = sonorities(piece.pitches)
    chord = rows[:-1, :1] - rows[:-1, 1:]
    return [(*a, *b) for a, b in zip(chord.tolist(), np.diff(rows, axis=0).tolist(), strict=True)]
