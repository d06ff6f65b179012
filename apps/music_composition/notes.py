"""Scores as they are printed, to notes as they are played, with repeats, and to pieces in four voices."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from shared import InputError

from .piece import HIGHEST, LOWEST, SLOTS, Piece, make
from .repeats import MOST_BARS, Marks, order

CHORD_BASS = 48  # a chord symbol is played from here: its root between C3 and B3
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
class Harmony:
    """A chord symbol and when it begins; pitches from the top: seventh or fifth, third, root; () is "no chord"."""

    start: float
    pitches: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Bar:
    """A printed bar: how long it is, how long its time signature says it is, in quarters, and its repeat signs."""

    length: float
    metre: float
    marks: Marks = Marks()


@dataclasses.dataclass(frozen=True)
class Written:
    """A score as it is printed, each bar once; times in quarters from the beginning. Without bars nothing repeats."""

    parts: list[list[Note]]
    harmonies: list[Harmony]
    bars: list[Bar]


@dataclasses.dataclass(frozen=True)
class Bars:
    """Where bars begin, how long they are and how much of each is left out before its first note, in quarters."""

    starts: np.ndarray
    lengths: np.ndarray
    left_out: np.ndarray


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Music21 warns about what it mends itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def played(score: Written, name: str, steps: int) -> Piece:
    """The piece that a score is, with its repeats.

    Raises:
        InputError: it has no notes, or is too long.
    """
    numbers = order([bar.marks for bar in score.bars])
    if len(numbers) >= MOST_BARS:
        raise InputError(f"Expected fewer than {MOST_BARS:,} bars, repeats included. {name} has more.")
    starts = np.cumsum([0, *(bar.length for bar in score.bars)])
    parts = [_unfolded(notes, starts, numbers) for notes in score.parts]
    harmonies = _unfolded(score.harmonies, starts, numbers)
    lengths = [score.bars[number].length for number in numbers]
    last = max([float(sum(lengths)), *(note.end for notes in parts for note in notes)])
    bars = joined([float(score.bars[number].metre) for number in numbers], [float(n) for n in lengths])
    return arranged([notes for notes in parts if notes], chord_voices(harmonies, last), bars, name, steps)


def _unfolded(items: Sequence[Any], starts: np.ndarray, numbers: Sequence[int]) -> list[Any]:
    """Notes or harmonies of each bar, in the order in which bars are played."""
    if not numbers:
        return list(items)
    inside: list[list[Any]] = [[] for _ in starts[1:]]
    for item in items:
        bar = int(np.searchsorted(starts, item.start + 1e-6, side="right")) - 1
        inside[max(0, min(bar, len(inside) - 1))].append(item)
    found, now = [], 0
    for number in numbers:
        move = now - starts[number]
        for item in inside[number]:
            times = {key: getattr(item, key) + move for key in ("start", "end") if hasattr(item, key)}
            found.append(dataclasses.replace(item, **times))
        now += starts[number + 1] - starts[number]
    return found


def chord_voices(harmonies: Sequence[Harmony], last: float) -> list[list[Note]]:
    """Chord symbols as three voices; each lasts until the next, the last one until `last`."""
    if not any(harmony.pitches for harmony in harmonies):
        return []
    first = {harmony.start: harmony for harmony in reversed(harmonies)}  # of alternatives over one note
    ordered = [first[start] for start in sorted(first)]
    voices: list[list[Note]] = [[], [], []]
    for harmony, end in zip(ordered, [*(h.start for h in ordered[1:]), last], strict=True):
        for voice, pitch in zip(voices, harmony.pitches, strict=False):
            if end > harmony.start:
                voice.append(Note(harmony.start, end, pitch))
    return voices


def harmony_of(symbol: Any) -> tuple[int, ...]:
    """The three pitches of a chord symbol of music21: seventh or fifth, third, root; () if it says "no chord"."""
    if not symbol.pitches:
        return ()
    root = CHORD_BASS + symbol.root().pitchClass
    above = sorted({(p.pitchClass - root) % 12 for p in symbol.pitches} - {0})
    third = next((i for i in above if i in (3, 4)), above[0] if above else 12)
    top = next((i for i in reversed(above) if i > third), 12)
    return root + top, root + third, root


def joined(metres: Sequence[float], lengths: Sequence[float]) -> Bars | None:
    """Bars as they follow one another; short ones that together make one bar are read as one."""
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


def from_score(score: Any, name: str, steps: int, lengths: Sequence[float] = (), marks: Sequence[Marks] = ()) -> Piece:
    """A music21 score at sounding pitch.

    Args:
        lengths: what each bar lasts at least, in quarters. marks: the signs of each bar; without them nothing repeats.

    Raises:
        InputError: it has no notes, or is too long.
    """
    with quiet():
        return played(written(score, lengths, marks), name, steps)


def written(score: Any, lengths: Sequence[float] = (), marks: Sequence[Marks] = ()) -> Written:
    """The notes, chord symbols and bars of a music21 score; a bar is as long as in the part that fills it most."""
    parts = list(score.parts or [score])
    if any(part.atSoundingPitch is not True for part in parts):
        parts = list(score.toSoundingPitch().parts or [score.toSoundingPitch()])
    measures = [list(part.getElementsByClass("Measure")) for part in parts]
    ends = [[*(float(m.offset) for m in found[1:]), float(part.highestTime)]
            for part, found in zip(parts, measures, strict=True)]  # fmt: skip
    bars = []
    for number in range(max(map(len, measures))):
        having = [
            (found[number], end[number]) for found, end in zip(measures, ends, strict=True) if number < len(found)
        ]
        length = max(end - float(measure.offset) for measure, end in having)
        length = max(length, lengths[number]) if lengths else length
        metre = float(having[0][0].barDuration.quarterLength)
        bars.append(Bar(length, metre, marks[number] if marks else Marks()))
    starts = np.cumsum([0.0, *(bar.length for bar in bars)])
    notes: list[list[Note]] = []
    harmonies: list[Harmony] = []
    for found in measures:
        notes.append([])
        for start, measure in zip(starts, found, strict=False):
            flat = measure.flatten()
            notes[-1] += part_notes(flat, start)
            harmonies += [
                Harmony(float(start + s.offset), harmony_of(s)) for s in flat.getElementsByClass("ChordSymbol")
            ]
    return Written(notes, harmonies, bars)


def part_notes(measure: Any, begin: float = 0.0) -> list[Note]:
    """All notes of a flat stream that begins at `begin`; a chord's are several, grace notes are none."""
    found = []
    for element in measure.notes:
        if "ChordSymbol" in element.classes or not element.quarterLength:
            continue
        start = float(begin + element.offset)
        end = start + float(element.quarterLength)
        fermata = any("Fermata" in expression.classes for expression in element.expressions)
        for note in getattr(element, "notes", [element]):
            held = note.tie is not None and note.tie.type in ("stop", "continue")
            found += [Note(start, end, int(pitch.midi), not held, fermata) for pitch in note.pitches]
    return found


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
    length = max(1, _on_grid(last, steps))
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
    first = min(_on_grid(note.start, steps), length - 1)
    return slice(first, max(first + 1, min(_on_grid(note.end, steps), length)))


def _on_grid(quarters: float, steps: int) -> int:
    """The nearest frame; halfway it is the later one, whatever a sum of thirds was rounded to."""
    return int(np.floor(quarters * steps + 0.5 + 1e-6))


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
