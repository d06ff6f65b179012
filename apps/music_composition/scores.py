"""Converts notated scores to pieces as played: repeats, chord symbols, music21 scores."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from shared import InputError

from .notes import Note, arranged, joined
from .piece import Piece
from .repeats import MOST_BARS, Marks, order

CHORD_BASS = 48  # lowest pitch of chord symbols: their root is between C3 and B3


@dataclasses.dataclass(frozen=True)
class Harmony:
    """A chord symbol and its start; pitches from the top: seventh or fifth, third, root; () means "no chord"."""

    start: float
    pitches: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Bar:
    """A notated bar: its length and that of its time signature, in quarters, and its repeat signs."""

    length: float
    metre: float
    marks: Marks = Marks()


@dataclasses.dataclass(frozen=True)
class Written:
    """A score as notated, each bar once; times in quarters from the beginning. Without bars, nothing is repeated."""

    parts: list[list[Note]]
    harmonies: list[Harmony]
    bars: list[Bar]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppresses music21's warnings about problems that it fixes itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def played(score: Written, name: str, steps: int) -> Piece:
    """Converts a score to a piece, with its repeats.

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
    """Returns the notes or harmonies of each bar, in the order in which bars are played."""
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
    """Returns chord symbols as three voices; each lasts until the next one, the last one until `last`."""
    if not any(harmony.pitches for harmony in harmonies):
        return []
    first = {harmony.start: harmony for harmony in reversed(harmonies)}  # keeps one of several alternatives over a note
    ordered = [first[start] for start in sorted(first)]
    voices: list[list[Note]] = [[], [], []]
    for harmony, end in zip(ordered, [*(h.start for h in ordered[1:]), last], strict=True):
        for voice, pitch in zip(voices, harmony.pitches, strict=False):
            if end > harmony.start:
                voice.append(Note(harmony.start, end, pitch))
    return voices


def harmony_of(symbol: Any) -> tuple[int, ...]:
    """Returns three pitches of a music21 chord symbol: seventh or fifth, third, root; () for "no chord"."""
    if not symbol.pitches:
        return ()
    root = CHORD_BASS + symbol.root().pitchClass
    above = sorted({(p.pitchClass - root) % 12 for p in symbol.pitches} - {0})
    third = next((i for i in above if i in (3, 4)), above[0] if above else 12)
    top = next((i for i in reversed(above) if i > third), 12)
    return root + top, root + third, root


def from_score(score: Any, name: str, steps: int, lengths: Sequence[float] = (), marks: Sequence[Marks] = ()) -> Piece:
    """Converts a music21 score to a piece, at sounding pitch.

    Args:
        lengths: minimum length of each bar in quarters. marks: signs of each bar; without them nothing is repeated.

    Raises:
        InputError: it has no notes, or is too long.
    """
    with quiet():
        return played(written(score, lengths, marks), name, steps)


def written(score: Any, lengths: Sequence[float] = (), marks: Sequence[Marks] = ()) -> Written:
    """Returns notes, chord symbols and bars of a music21 score; a bar is as long as in its longest part."""
    parts = list(score.parts or [score])
    if any(part.atSoundingPitch is not True for part in parts):
        sounding = score.toSoundingPitch()
        parts = list(sounding.parts or [sounding])
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
    """Returns all notes of a flat stream that starts at `begin`, including those of chords, without grace notes."""
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
