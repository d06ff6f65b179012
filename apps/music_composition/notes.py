"""Arranges notes (start and end in quarters, pitch) and bars as a piece in four voices on a grid."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from shared import InputError

from .piece import HIGHEST, LOWEST, SLOTS, Piece, make

MOST_QUARTERS = 4000  # over half an hour at 120 quarters per minute


@dataclasses.dataclass(frozen=True)
class Note:
    """A note in quarters from the beginning; `struck` is False for the continuation of a tie."""

    start: float
    end: float
    pitch: int
    struck: bool = True
    fermata: bool = False


@dataclasses.dataclass(frozen=True)
class Bars:
    """The start and length of each bar, and how much is missing before its first note, in quarters."""

    starts: np.ndarray
    lengths: np.ndarray
    left_out: np.ndarray


def joined(metres: Sequence[float], lengths: Sequence[float]) -> Bars | None:
    """Returns consecutive bars; short ones that together make up one bar are joined."""
    if not lengths:
        return None
    starts = np.cumsum([0.0, *lengths[:-1]])
    left_out = np.zeros(len(starts))
    left_out[0] = max(0.0, metres[0] - lengths[0])  # an upbeat
    for i in range(1, len(starts)):
        filled = left_out[i - 1] + lengths[i - 1]
        if filled < metres[i - 1] - 1e-6 and filled + lengths[i] <= metres[i] + 1e-6:
            left_out[i] = filled
    return Bars(starts, np.array(metres, float), left_out)


def arranged(parts: list[list[Note]], chords: list[list[Note]], bars: Bars | None, name: str, steps: int) -> Piece:
    """Arranges parts as a piece. Up to four monophonic parts are kept as voices; others are reduced frame by frame."""
    if not any(parts):
        raise InputError(f"Expected notes. {name} has none.")
    last = max(note.end for notes in [*parts, *chords] for note in notes)
    if last > MOST_QUARTERS:
        raise InputError(f"Expected at most {MOST_QUARTERS} quarter notes. {name} has {last:,.0f}: cut it into pieces.")
    outside = next((n.pitch for notes in parts for n in notes if not LOWEST <= n.pitch <= HIGHEST), None)
    if outside is not None:
        raise InputError(f"Expected pitches of a piano, MIDI {LOWEST} to {HIGHEST}. {name} has {outside}.")
    length = max(1, _on_grid(last, steps))
    rows = [drawn(notes, length, steps) for notes in [*parts, *chords]]
    single = all(single_voice(notes) for notes in parts)
    lost = 0
    if single and len(rows) <= SLOTS:
        pitches, struck = placed(rows, length)
        lost = sum(left_out(notes, length, steps) for notes in parts)
    else:
        pitches, struck = reduced([note for notes in [*parts, *chords] for note in notes], length, steps)
    fermata = np.zeros(length, bool)
    for notes in parts:
        for note in notes:
            if note.fermata:
                fermata[_frames(note, steps, length)] = True
    fermata[_last_note(struck) :] = True  # every piece ends with a fermata
    return make(name, pitches, struck, steps, fermata=fermata, left_out=lost, **_grid(bars, length, steps))


def _last_note(struck: np.ndarray) -> int:
    """Returns where the last note of the highest nonempty voice starts."""
    begins = next((np.flatnonzero(voice) for voice in struck.T if voice.any()), np.zeros(1, int))
    return int(begins[-1])


def single_voice(notes: list[Note]) -> bool:
    """Returns whether no two notes sound together, except for a slight overlap as in live playing."""
    ordered = sorted(notes, key=lambda note: note.start)
    return all(a.end <= b.start + 0.1 for a, b in zip(ordered, ordered[1:], strict=False))


def drawn(notes: list[Note], length: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws one voice on the grid: pitches and struck, each (time,). Notes shorter than a frame take one if free."""
    pitches, struck = np.zeros(length, np.int16), np.zeros(length, bool)
    for note in sorted(notes, key=lambda note: note.start):
        frames = _frames(note, steps, length)
        pitches[frames] = note.pitch
        struck[frames] = False
        struck[frames.start] = note.struck
    return pitches, struck


def left_out(notes: list[Note], length: int, steps: int) -> int:
    """Counts the notes of one voice that are not on the grid: another one begins in each of their frames."""
    owner, number = np.zeros(length, np.int64), 0
    for note in sorted(notes, key=lambda note: note.start):
        number += note.struck
        owner[_frames(note, steps, length)] = number
    return number - len(set(owner.tolist()) - {0})


def placed(rows: list[tuple[np.ndarray, np.ndarray]], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Orders voices from highest to lowest by mean pitch; fewer than four take the outer voices first."""

    def mean(row: tuple[np.ndarray, np.ndarray]) -> float:
        return -float(row[0][row[0] > 0].mean()) if row[0].any() else 0.0

    rows = rows if len(rows) == SLOTS else sorted(rows, key=mean)
    pitches, struck = np.zeros((length, SLOTS), np.int16), np.zeros((length, SLOTS), bool)
    for voice, row in zip({1: [0], 2: [0, 3], 3: [0, 1, 3], 4: [0, 1, 2, 3]}[len(rows)], rows, strict=True):
        pitches[:, voice], struck[:, voice] = row
    return pitches, struck


def reduced(notes: list[Note], length: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Reduces each frame to at most four voices: the highest, the lowest, and the highest two in between."""
    sounding = np.zeros((length, HIGHEST + 1), bool)
    begins = np.zeros_like(sounding)
    for note in notes:
        frames = _frames(note, steps, length)
        sounding[frames, note.pitch] = True
        begins[frames.start, note.pitch] |= note.struck
    pitches, struck = np.zeros((length, SLOTS), np.int16), np.zeros((length, SLOTS), bool)
    for time in range(length):
        found = np.flatnonzero(sounding[time])[::-1]
        kept = list(found) if len(found) <= SLOTS else [*found[: SLOTS - 1], found[-1]]
        voices = {0: [], 1: [0], 2: [0, 3], 3: [0, 1, 3], 4: [0, 1, 2, 3]}[len(kept)]
        for voice, pitch in zip(voices, kept, strict=True):
            pitches[time, voice], struck[time, voice] = pitch, begins[time, pitch]
    return pitches, struck


def _frames(note: Note, steps: int, length: int) -> slice:
    """Returns the frames of a note on the grid, at least one."""
    first = min(_on_grid(note.start, steps), length - 1)
    return slice(first, max(first + 1, min(_on_grid(note.end, steps), length)))


def _on_grid(quarters: float, steps: int) -> int:
    """Returns the nearest frame; ties go to the later one, tolerating rounding errors in sums of thirds."""
    return int(np.floor(quarters * steps + 0.5 + 1e-6))


def _grid(bars: Bars | None, length: int, steps: int) -> dict[str, np.ndarray]:
    """Returns the position of each frame in its bar, and the bar's length."""
    if bars is None:
        return {}
    time = np.arange(length) / steps
    which = np.maximum(np.searchsorted(bars.starts, time + 1e-6, side="right") - 1, 0)
    position = np.round((time - bars.starts[which] + bars.left_out[which]) * steps).astype(np.int64)
    return {
        "position": np.maximum(position, 0),
        "bar": np.maximum(np.round(bars.lengths[which] * steps), 1).astype(np.int64),
    }
