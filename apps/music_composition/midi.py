"""Reads MIDI files, with time in ticks, so that tempo changes have no effect.

Does not use mido, on which pretty_midi is based: it rejects files with an unknown key signature, and ignores the time
of unknown events. pretty_midi drops notes that are not ended.
"""

import collections
import struct
from collections.abc import Iterator

from shared import InputError

from .notes import MOST_QUARTERS, Bars, Note, arranged, joined
from .piece import Piece

DRUMS = 9  # the drum channel, counted from 0
ALL_OFF = (120, 123)  # controllers: all sound off, all notes off
ON, OFF, CONTROL, ONE_BYTE = 0x90, 0x80, 0xB0, (0xC0, 0xD0)
META, END, METRE, SYSTEM = 0xFF, 0x2F, 0x58, (0xF0, 0xF7)


class Damaged(ValueError):
    """Raised with a description of what is wrong with a file's bytes."""


def read(data: bytes, name: str, steps: int) -> Piece:
    """Reads the piece of a MIDI file; each channel of each track is a part.

    Raises:
        InputError: the file is damaged, counts in seconds, has no notes other than drums, or is too long.
    """
    try:
        kind, quarter, tracks = chunks(data)
        found = [list(events(track)) for track in tracks]
    except Damaged as error:
        raise InputError(f"Expected a MIDI file. {name} is damaged: {error}.") from error
    if kind > 1 or quarter & 0x8000 or not quarter:
        raise InputError(f"Expected a MIDI file of format 0 or 1 that counts in beats. {name} is of another kind.")
    parts, drums = [], False
    for track in found:
        for channel, notes in channels(track).items():
            drums |= channel == DRUMS
            if channel != DRUMS:
                parts.append([Note(start / quarter, end / quarter, pitch) for start, end, pitch in notes])
    if drums and not parts:
        raise InputError(f"Expected notes. {name} has drums or empty tracks only.")
    last = max((note.end for part in parts for note in part), default=0.0)
    changes = {tick / quarter: 4 * data[0] / 2 ** data[1] for track in found for tick, kind, data in track
               if kind == METRE and len(data) > 1 and data[0] and data[1] < 8}  # fmt: skip
    return arranged(parts, [], bars_of(changes, min(last, MOST_QUARTERS)), name, steps)


def chunks(data: bytes) -> tuple[int, int, list[bytes]]:
    """Returns format, ticks per quarter and the bytes of each track; other kinds of chunk are skipped."""
    if data[:4] == b"RIFF" and data[8:16] == b"RMIDdata":
        data = data[20:]
    if data[:4] != b"MThd" or len(data) < 14:
        raise Damaged("it has no header")
    size, kind, count, quarter = struct.unpack(">IHHH", data[4:14])
    at, tracks = 8 + size, []
    while len(tracks) < count:
        if at + 8 > len(data):
            raise Damaged(f"its header announces {count} tracks, it has {len(tracks)}")
        (size,) = struct.unpack(">I", data[at + 4 : at + 8])
        if at + 8 + size > len(data):
            raise Damaged("it ends within a track")
        if data[at : at + 4] == b"MTrk":
            tracks.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return kind, quarter, tracks


def events(track: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yields (tick, status byte or type of a meta event, data) of each event of a track, ending with its end."""
    at, tick, status = 0, 0, 0

    def byte() -> int:
        nonlocal at
        if at >= len(track):
            raise Damaged("a track ends within an event")
        at += 1
        return track[at - 1]

    def number() -> int:
        value = 0
        for _ in range(4):
            found = byte()
            value = value << 7 | found & 0x7F
            if found < 0x80:
                return value
        raise Damaged("a number of more than four bytes")

    while at < len(track):
        tick += number()
        first = byte()
        if first == META or first in SYSTEM:
            kind = byte() if first == META else first
            if first == META and kind > 0x7F:
                raise Damaged(f"a meta event of an unknown kind, {kind:#x}")
            size = number()
            if at + size > len(track):
                raise Damaged("a track ends within an event")
            yield tick, kind, track[at : at + size]
            at += size
            if first == META and kind == END:
                return
            continue
        if first >= 0x80:
            status, first = first, byte()
        if not 0x80 <= status < 0xF0:
            raise Damaged(f"an event of an unknown kind, {status:#x}")
        data = bytes([first] if status & 0xF0 in ONE_BYTE else [first, byte()])
        if max(data) > 0x7F:
            raise Damaged("a value over 127")
        yield tick, status, data
    yield tick, END, b""


def channels(track: list[tuple[int, int, bytes]]) -> dict[int, list[tuple[int, int, int]]]:
    """Returns the notes (first tick, tick after the last, pitch) of each channel of a track that has any."""
    switched: dict[tuple[int, int], list[tuple[int, bool]]] = collections.defaultdict(list)
    for tick, status, data in track:
        kind, channel = status & 0xF0, status & 0x0F
        if kind in (ON, OFF):
            switched[channel, data[0]].append((tick, kind == ON and data[1] > 0))
        elif kind == CONTROL and data[0] in ALL_OFF:
            for (other, _), found in switched.items():
                if other == channel and 2 * sum(on for _, on in found) > len(found):
                    found.append((tick, False))
    last = track[-1][0] if track else 0
    notes: dict[int, list[tuple[int, int, int]]] = {}
    for (channel, pitch), found in sorted(switched.items()):
        played = [(start, end, pitch) for start, end in paired(found, last) if end > start]
        if played:
            notes.setdefault(channel, []).extend(played)
    return notes


def paired(switched: list[tuple[int, bool]], last: int) -> list[tuple[int, int]]:
    """Pairs the note-on and note-off events of one key.

    With as many offs as ons, they are paired in order, as for two voices in unison. Otherwise a note ends at the next
    event of its key, and an unended note at the end of the track.
    """
    on = [tick for tick, is_on in switched if is_on]
    off = [tick for tick, is_on in switched if not is_on]
    if len(on) == len(off) and all(a <= b for a, b in zip(on, off, strict=True)):
        return list(zip(on, off, strict=True))
    ends = [tick for tick, _ in switched[1:]] + [last]
    return [(tick, end) for (tick, is_on), end in zip(switched, ends, strict=True) if is_on]


def bars_of(changes: dict[float, float], last: float) -> Bars | None:
    """Returns bars from changes {time: quarters per bar}; a single first bar that is shorter is an upbeat."""
    if not changes:
        return None
    starts = sorted({0.0} | set(changes))
    metres, lengths = [], []
    for start, end in zip(starts, [*starts[1:], max(last, starts[-1])], strict=True):
        metre = changes.get(start, 4.0)
        while start < end or not lengths:
            metres.append(metre)
            lengths.append(min(metre, end - start) if end > start else metre)
            start += metre
    if len(starts) > 1 and starts[1] == lengths[0] == metres[0] < changes[starts[1]]:
        metres[0] = changes[starts[1]]
    return joined(metres, lengths)
