"""Lets a piece end on the tonic chord of its key, by restricting the tokens that are allowed in its last chord."""

from typing import Any

import numpy as np

from .piece import LOWEST, SLOTS, Piece
from .tokens import FIRST, NOTHING_NEW, ORDER, REST, VOCABULARY

FIFTH, MINOR_THIRD, MAJOR_THIRD = 7, 3, 4  # semitones above the tonic
TOKENS = np.arange(VOCABULARY)
CLASSES = np.where(TOKENS >= FIRST, (TOKENS - FIRST + LOWEST) % 12, -1)  # pitch class of each token; -1: no pitch


def end_on_tonic(allowed: np.ndarray, piece: Piece, representation: str, melody: bool = False) -> None:
    """Restricts the allowed tokens (time, slots, vocabulary) of the last chord, in place: the tonic in the bass.

    The upper voices have notes of the tonic chord. Where no such note is within a voice's range, or the given melody
    ends on a note outside the chord, nothing is restricted.

    Args:
        piece: its key, its fermatas and, if given, its melody.
        melody: whether the first voice is given; its last note then decides when the last chord begins.
    """
    start = _last_chord(piece, melody)
    chord = _chord(piece, int(piece.pitches[start, 0]) if melody else 0)
    if chord is None:
        return
    if representation == "roll":
        for frame in allowed[start:]:
            _roll(frame, chord, melody)
        return
    sounding = [slot for slot in range(SLOTS) if allowed[start, slot, FIRST:].any()]
    bass = max(sounding, key=lambda slot: ORDER[slot])  # a folk tune may have fewer than four voices
    for slot in sounding[int(melody) :]:
        tones = np.isin(CLASSES, chord[:1] if slot == bass else chord)
        may_rest = (TOKENS == REST) & (slot != bass)
        if (allowed[start, slot] & tones).any():
            allowed[start, slot] &= tones | may_rest  # a new note: what is held may not belong to the chord
            allowed[start + 1 :, slot] &= tones | may_rest | (TOKENS == NOTHING_NEW)


def _last_chord(piece: Piece, melody: bool) -> int:
    """Returns the first frame of the melody's last note or, without a melody, of the last fermata."""
    if melody:
        return int(np.flatnonzero(piece.struck[:, 0])[-1])
    before = np.flatnonzero(~piece.fermata[:-1])
    return int(before[-1]) + 1 if len(before) else 0


def _chord(piece: Piece, last: int) -> list[int] | None:
    """Returns the pitch classes of the tonic chord, the tonic first; None if the melody's last pitch is not in it.

    In minor the third is major if the melody ends on it, as many chorales do.
    """
    tonic, minor = piece.key % 12, piece.key >= 12
    degree = (last - tonic) % 12 if last else 0
    third = degree if degree in (MINOR_THIRD, MAJOR_THIRD) else MINOR_THIRD if minor else MAJOR_THIRD
    if degree not in (0, third, FIFTH) or (not minor and third == MINOR_THIRD):
        return None
    return [tonic, (tonic + third) % 12, (tonic + FIFTH) % 12]


def _roll(frame: np.ndarray, chord: list[int], melody: bool) -> None:
    """Restricts a frame of a roll (slots, vocabulary): three falling notes of the chord, the tonic, the end."""
    tones, tonic, upper = np.isin(CLASSES, chord), np.isin(CLASSES, chord[:1]), SLOTS - 1
    lowest = np.flatnonzero(frame[upper] & tonic)[:1]
    above = np.flatnonzero(frame[1] & tones & _from(lowest + 1)) if len(lowest) else []
    if len(above) < upper or not frame[0, above[upper - 1] :].any():
        return
    for slot in range(int(melody), upper):  # each leaves room for those below it
        frame[slot] &= tones & _from(above[upper - 1 - slot])
    frame[upper] &= tonic
    frame[SLOTS, FIRST:] = False


def _from(token: Any) -> np.ndarray:
    """(vocabulary,): whether a token is at least this one."""
    return np.arange(VOCABULARY) >= token
