"""Converts pieces to frames of tokens and back, one-to-one, so that the tokens' likelihood is that of the music.

voices: four tokens per frame, soprano, bass, alto, tenor; each starts a pitch, rests, or holds.
roll:   the sounding pitches of a frame from the highest down, and an end mark: exactly a frame of a piano roll.
"""

import numpy as np

from .piece import HIGHEST, LOWEST, SLOTS, Piece

REPRESENTATIONS = ("voices", "roll")
NOTHING_NEW, REST, FIRST = 0, 1, 2  # hold, or the end of a roll's frame; silence; the lowest pitch
VOCABULARY = FIRST + HIGHEST - LOWEST + 1
PAD = VOCABULARY  # padding, with no effect on the likelihood
ORDER = (0, 3, 1, 2)  # soprano, bass, alto, tenor: the outer voices shape the harmony, the inner ones fill it
COUNTDOWN = 16  # number of frames before a fermata at which its countdown starts
PLAN = ("position", "bar", "countdown", "last", "key")  # columns of what is known in advance
UNKNOWN_KEY = 24


def slots(representation: str) -> int:
    """Returns the maximum number of tokens per frame."""
    return SLOTS if representation == "voices" else SLOTS + 1


def encode(piece: Piece, representation: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the tokens (time, slots) of a piece, and the sounding note of each slot, held or new, as a token."""
    ids = np.where(piece.pitches > 0, piece.pitches.astype(np.int32) - LOWEST + FIRST, REST).astype(np.int32)
    if representation == "voices":
        sounding = ids[:, ORDER]
        held = (sounding != REST) & ~piece.struck[:, ORDER]
        return np.where(held, NOTHING_NEW, sounding), sounding
    falling = -np.sort(-np.where(ids == REST, -1, ids), axis=1)
    falling[:, 1:][falling[:, 1:] == falling[:, :-1]] = -1  # voices in unison are one note of a roll
    falling = -np.sort(-falling, axis=1)
    tokens = np.concatenate([falling, np.full((len(ids), 1), -1, np.int32)], axis=1)
    ends = np.argmax(tokens == -1, axis=1)
    places = np.arange(tokens.shape[1])
    tokens = np.where(places == ends[:, None], NOTHING_NEW, np.where(places > ends[:, None], PAD, tokens))
    return tokens.astype(np.int32), tokens.astype(np.int32)


def decode(tokens: np.ndarray, representation: str) -> tuple[np.ndarray, np.ndarray]:
    """Converts tokens (time, slots) to pitches and struck (time, 4); in a roll, a repeated pitch is held."""
    if representation == "roll":
        pitches = np.where((tokens >= FIRST) & (tokens < PAD), tokens + LOWEST - FIRST, 0)[:, :SLOTS]
        before = np.concatenate([np.zeros((1, SLOTS), pitches.dtype), pitches[:-1]])
        return pitches, (pitches > 0) & (pitches != before)
    pitches = np.zeros(tokens.shape, np.int64)
    for time, row in enumerate(tokens):
        new = np.where(row == REST, 0, row + LOWEST - FIRST)
        pitches[time] = np.where(row == NOTHING_NEW, pitches[time - 1] if time else 0, new)
    back = np.argsort(ORDER)
    return pitches[:, back], (tokens >= FIRST)[:, back]


def plan(piece: Piece, representation: str) -> np.ndarray:
    """Returns what is known of each frame in advance (time, 5): the columns of PLAN.

    A roll only includes what the published protocol provides: the index of the frame, and the key, which is C for every
    piece of that data set and only changes if training transposes the piece.
    """
    time = np.arange(len(piece))
    if representation == "roll":
        none = np.zeros_like(time)
        return np.stack([time % 16, none, none + COUNTDOWN, none, none + piece.key % 12], axis=1).astype(np.int32)
    fermatas = np.flatnonzero(piece.fermata)
    ahead = np.searchsorted(fermatas, time)  # which fermata comes next
    until = np.append(fermatas, len(piece) + COUNTDOWN)[ahead] - time
    begins = piece.fermata & ~np.concatenate([[False], piece.fermata[:-1]])
    phrases_left = begins.sum() - np.cumsum(begins) + piece.fermata
    last = phrases_left <= 1
    columns = [piece.position, piece.bar, np.minimum(until, COUNTDOWN), last, np.full(len(piece), piece.key)]
    return np.stack(columns, axis=1).astype(np.int32)
