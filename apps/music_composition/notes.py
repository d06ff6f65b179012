"""Music21's scores and MIDI files to notes (start, end, pitch in quarters), and notes to a piece in four voices."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from shared import InputError

from .piece import HIGHEST, LOWEST, SLOTS, Piece, make

CHORD_BASS, CHORD_TOP = 48, 60  # a chord symbol is played from here: its root between C3 and B3
MOST_QUARTERS = 4000  # over half an hour at a walking pace


@dataclasses.dataclass(frozen=True)
class Note:
    """A note in quarters from the beginning; `struck` is False for what a tie goes on with."""

    start: float
    end: float
    pitch: int
    struck: bool = True
    fermata: bool = False


@dataclasses.dataclass(frozen=True)
class Bars:
    """Where bars begin, how long they are and how much of each is left out before its first note, in quarters."""

    starts: np.ndarray
    lengths: np.ndarray
    left_out: np.ndarray


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Music21 and pretty_midi warn about what they mend themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def from_score(score: Any, name: str, steps: int) -> Piece:
    """A music21 score: four single-voice parts as they are, a melody with chord symbols as melody and chords.

    Raises:
        InputError: it has no notes, or is too long.
    """
    with quiet():
        parts = [part_notes(part) for part in (score.parts or [score])]
        chords = chord_notes(score)
        bars = bars_of(score)
    parts = [notes for notes in parts if notes]
    return arranged(parts, chords, bars, name, steps)


def part_notes(part: Any) -> list[Note]:
    """All notes of a part; a chord's are several."""
    found = []
    for element in part.flatten().notes:
        if "ChordSymbol" in element.classes or not element.quarterLength:  # grace notes have no length
            continue
        start, end = float(element.offset), float(element.offset + element.quarterLength)
        struck = element.tie is None or element.tie.type == "start"
        fermata = any("Fermata" in expression.classes for expression in element.expressions)
        found += [Note(start, end, int(pitch.midi), struck, fermata) for pitch in element.pitches]
    return found


def chord_notes(score: Any) -> list[list[Note]]:
    """Chord symbols as three voices from the top: seventh or fifth, third, root; each lasts until the next."""
    symbols = [s for s in score.flatten().getElementsByClass("ChordSymbol") if s.pitches]
    if not symbols:
        return []
    ends = [float(s.offset) for s in symbols[1:]] + [float(score.highestTime)]
    voices: list[list[Note]] = [[], [], []]
    for symbol, end in zip(symbols, ends, strict=True):
        root = CHORD_BASS + symbol.root().pitchClass
        above = sorted({(p.pitchClass - root) % 12 for p in symbol.pitches} - {0})
        third = next((i for i in above if i in (3, 4)), above[0] if above else 12)
        top = next((i for i in reversed(above) if i > third), 12)
        for voice, pitch in zip(voices, (root + top, root + third, root), strict=True):
            if end > symbol.offset:
                voice.append(Note(float(symbol.offset), end, pitch))
    return voices


def bars_of(score: Any) -> Bars | None:
    """The bars of the first part; short ones that together make one bar are read as one."""
    part = score.parts[0] if score.parts else score
    measures = list(part.getElementsByClass("Measure"))
    if not measures:
        return None
    starts = np.array([float(m.offset) for m in measures])
    lengths = np.array([float(m.barDuration.quarterLength) for m in measures])
    ends = np.append(starts[1:], float(part.highestTime))
    left_out = np.zeros(len(starts))
    left_out[0] = max(0.0, lengths[0] - (ends[0] - starts[0]))  # an upbeat
    for i in range(1, len(starts)):
        filled = left_out[i - 1] + starts[i] - starts[i - 1]
        if filled < lengths[i - 1] and filled + ends[i] - starts[i] <= lengths[i]:
            left_out[i] = filled
    return Bars(starts, lengths, left_out)


def from_midi(path: Any, name: str, steps: int) -> Piece:
    """A MIDI file; drums are left out, and beats are counted in ticks, so that a change of tempo moves nothing.

    Raises:
        InputError: it is damaged, has no notes but drums, or is too long.
    """
    import pretty_midi

    try:
        with quiet():
            midi = pretty_midi.PrettyMIDI(str(path))
    except Exception as error:  # its reader fails in many ways on a damaged file
        reason = str(error).split("\n")[0] or type(error).__name__
        raise InputError(f"Expected a MIDI file. {name} is damaged: {reason}.") from error
    quarters = midi.resolution
    tracks = [[(midi.time_to_tick(n.start) / quarters, midi.time_to_tick(n.end) / quarters, n.pitch) for n in i.notes]
              for i in midi.instruments if not i.is_drum]  # fmt: skip
    if midi.instruments and not any(tracks):
        raise InputError(f"Expected notes. {name} has drums or empty tracks only.")
    parts = [[Note(*note) for note in notes] for notes in tracks if notes]
    changes = [
        (midi.time_to_tick(c.time) / quarters, 4 * c.numerator / c.denominator) for c in midi.time_signature_changes
    ]
    bars = None
    if changes:
        last = max((note.end for part in parts for note in part), default=0.0)
        starts, lengths = [], []
        for (start, length), end in zip(changes, [s for s, _ in changes[1:]] + [last], strict=True):
            found = np.arange(start, max(end, start + length), length)
            starts += found.tolist()
            lengths += [length] * len(found)
        bars = Bars(np.array(starts), np.array(lengths), np.zeros(len(starts)))
    return arranged(parts, [], bars, name, steps)


def arranged(parts: list[list[Note]], chords: list[list[Note]], bars: Bars | None, name: str, steps: int) -> Piece:
    """Notes of parts -> a piece. Two to four single voices stay voices; anything else is reduced frame by frame."""
    if not any(parts):
        raise InputError(f"Expected notes. {name} has none.")
    last = max(note.end for notes in [*parts, *chords] for note in notes)
    if last > MOST_QUARTERS:
        raise InputError(f"Expected at most {MOST_QUARTERS} quarter notes. {name} has {last:,.0f}: cut it into pieces.")
    outside = next((n.pitch for notes in parts for n in notes if not LOWEST <= n.pitch <= HIGHEST), None)
    if outside is not None:
        raise InputError(f"Expected pitches of a piano, MIDI {LOWEST} to {HIGHEST}. {name} has {outside}.")
    length = max(1, round(last * steps))
    rows = [drawn(notes, length, steps) for notes in [*parts, *chords]]
    single = all(single_voice(notes) for notes in parts)
    if single and len(rows) <= SLOTS:
        pitches, struck = placed(rows, length)
    else:
        pitches, struck = reduced([note for notes in [*parts, *chords] for note in notes], length, steps)
    fermata = np.zeros(length, bool)
    for notes in parts:
        for note in notes:
            if note.fermata:
                fermata[_frames(note, steps, length)] = True
    fermata[_last_note(struck) :] = True  # every piece ends at rest
    return make(name, pitches, struck, steps, fermata=fermata, **_grid(bars, length, steps))


def _last_note(struck: np.ndarray) -> int:
    """Where the last note of the highest voice begins that has any."""
    begins = next((np.flatnonzero(voice) for voice in struck.T if voice.any()), np.zeros(1, int))
    return int(begins[-1])


def single_voice(notes: list[Note]) -> bool:
    """Whether no two notes sound together, but for a little overlap as players make."""
    ordered = sorted(notes, key=lambda note: note.start)
    return all(a.end <= b.start + 0.1 for a, b in zip(ordered, ordered[1:], strict=False))


def drawn(notes: list[Note], length: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """One voice on the grid: pitches and struck, each (time,). A note too short for the grid takes a frame if free."""
    pitches, struck = np.zeros(length, np.int16), np.zeros(length, bool)
    for note in sorted(notes, key=lambda note: note.start):
        frames = _frames(note, steps, length)
        pitches[frames] = note.pitch
        struck[frames] = False
        struck[frames.start] = note.struck
    return pitches, struck


def placed(rows: list[tuple[np.ndarray, np.ndarray]], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Voices from the highest to the lowest by their mean pitch; of fewer than four the outer ones are there."""

    def mean(row: tuple[np.ndarray, np.ndarray]) -> float:
        return -float(row[0][row[0] > 0].mean()) if row[0].any() else 0.0

    rows = rows if len(rows) == SLOTS else sorted(rows, key=mean)
    pitches, struck = np.zeros((length, SLOTS), np.int16), np.zeros((length, SLOTS), bool)
    for voice, row in zip({1: [0], 2: [0, 3], 3: [0, 1, 3], 4: [0, 1, 2, 3]}[len(rows)], rows, strict=True):
        pitches[:, voice], struck[:, voice] = row
    return pitches, struck


def reduced(notes: list[Note], length: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """What sounds in each frame as at most four voices: the highest, the lowest, and the highest two between."""
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
    """The frames of a note on the grid, at least one."""
    first = min(int(np.floor(note.start * steps + 0.5)), length - 1)
    return slice(first, max(first + 1, min(int(np.floor(note.end * steps + 0.5)), length)))


def _grid(bars: Bars | None, length: int, steps: int) -> dict[str, np.ndarray]:
    """The place of each frame in its bar, and the bar's length."""
    if bars is None:
        return {}
    time = np.arange(length) / steps
    which = np.maximum(np.searchsorted(bars.starts, time + 1e-6, side="right") - 1, 0)
    position = np.round((time - bars.starts[which] + bars.left_out[which]) * steps).astype(np.int64)
    return {
        "position": np.maximum(position, 0),
        "bar": np.maximum(np.round(bars.lengths[which] * steps), 1).astype(np.int64),
    }
