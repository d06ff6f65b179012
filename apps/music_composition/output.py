"""Writes a piece as MIDI, MusicXML, WAV and piano roll, and as a score to read in a terminal."""

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np

from shared import files, plots

from .config import WRITTEN
from .piece import SLOTS, VOICES, Piece, key_name, pitch_name
from .scores import quiet

SAMPLE_RATE_HZ = 22050
COLOURS = ("tab:red", "tab:orange", "tab:green", "tab:blue")
CELL = 4  # characters per frame in the printed score
LINE_FRAMES = 24


def write(piece: Piece, path: Path, tempo: int) -> list[Path]:
    """Writes path.mid, .musicxml, .wav and .png, each atomically; `tempo` in quarters per minute."""
    path.parent.mkdir(parents=True, exist_ok=True)
    midi = to_midi(piece, tempo)
    paths = [path.with_name(path.name + suffix) for suffix in WRITTEN]
    files.write_bytes(paths[0], midi_file(piece, tempo))
    files.write_bytes(paths[1], to_musicxml(piece, tempo))
    files.write_bytes(paths[2], to_wav(midi))
    picture(piece, paths[3])
    return paths


def notes(piece: Piece, voice: int) -> list[tuple[int, int, int]]:
    """Returns (first frame, frame after the last, pitch) of every note of a voice; pitch 0 is a rest."""
    pitches, struck = piece.pitches[:, voice], piece.struck[:, voice]
    silent = pitches == 0
    begins = struck | (silent & ~np.concatenate([[False], silent[:-1]]))
    starts = np.flatnonzero(begins)
    return [(int(a), int(b), int(pitches[a])) for a, b in zip(starts, [*starts[1:], len(piece)], strict=True)]


def bars(piece: Piece) -> list[tuple[int, int, int]]:
    """Returns (first frame, frame after the last, nominal number of frames) of every bar."""
    begins = np.ones(len(piece), bool)
    begins[1:] = (np.diff(piece.position) != 1) | (np.diff(piece.bar) != 0)
    starts = np.flatnonzero(begins)
    return [(int(a), int(b), int(piece.bar[a])) for a, b in zip(starts, [*starts[1:], len(piece)], strict=True)]


def metre_of(frames: int, steps: int) -> tuple[int, int]:
    """Returns the time signature of a bar of this many frames; 4/4 rather than 8/8."""
    value = next((value for value in (4, 8, 16) if frames * value % (4 * steps) == 0), 32)
    return max(1, round(frames * value / (4 * steps))), value


def to_midi(piece: Piece, tempo: int) -> Any:
    """Converts a piece to a `pretty_midi.PrettyMIDI` with four tracks."""
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(initial_tempo=tempo)
    frame_s = 60 / tempo / piece.steps
    before = None
    for start, end, frames in bars(piece):
        metre = metre_of(end - start if start == 0 else frames, piece.steps)  # an upbeat is a separate bar
        if metre != before:
            midi.time_signature_changes.append(pretty_midi.TimeSignature(*metre, start * frame_s))
        before = metre
    for voice, name in enumerate(VOICES):
        track = pretty_midi.Instrument(program=52, name=name)  # a choir
        for start, end, pitch in notes(piece, voice):
            if pitch:
                track.notes.append(pretty_midi.Note(80, pitch, start * frame_s, end * frame_s))
        midi.instruments.append(track)
    return midi


def midi_file(piece: Piece, tempo: int) -> bytes:
    """Returns the content of a piece's MIDI file."""
    content = io.BytesIO()
    to_midi(piece, tempo).write(content)
    return content.getvalue()


def to_wav(midi: Any) -> bytes:
    """Renders 16-bit mono audio with pretty_midi's synthesiser, using a few partials."""
    t = np.arange(512) * 2 * np.pi / 512
    shape = np.sin(t) + 0.3 * np.sin(2 * t) + 0.15 * np.sin(3 * t)

    def partials(phase: np.ndarray) -> np.ndarray:
        return np.interp(np.mod(phase, 2 * np.pi), t, shape, period=2 * np.pi)

    sound = midi.synthesize(fs=SAMPLE_RATE_HZ, wave=partials)
    loudest = float(np.abs(sound).max()) if len(sound) else 0.0
    samples = (sound / (loudest or 1.0) * 0.8 * 32767).astype("<i2")
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.tobytes())
    return content.getvalue()


def to_musicxml(piece: Piece, tempo: int) -> bytes:
    """Converts a piece to a MusicXML score of four parts, for notation programs."""
    from music21 import clef, instrument, key, metadata, meter, stream
    from music21 import tempo as tempos
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    tonic, mode = key_name(piece.key).replace("b", "-", 1).split()
    score = stream.Score()
    score.insert(0, metadata.Metadata(title=piece.name, composer="a recurrent network"))
    for voice, name in enumerate(VOICES):
        part = stream.Part(id=name)
        part.partName = name
        singer = instrument.Instrument(name)
        singer.partId, singer.instrumentId = f"P{voice + 1}", f"I{voice + 1}"  # otherwise they are random
        part.insert(0, singer)
        before = None
        for start, end, frames in bars(piece):
            measure = stream.Measure(number=len(part) + 1)
            if start == 0:
                measure.append([clef.BassClef() if voice > 1 else clef.TrebleClef(), key.Key(tonic, mode)])
                measure.paddingLeft = int(piece.position[0]) / piece.steps
                if voice == 0:
                    measure.append(tempos.MetronomeMark(number=tempo))
            if frames != before:
                measure.append(meter.TimeSignature("{}/{}".format(*metre_of(frames, piece.steps))))
            before = frames
            for first, last, pitch in notes(piece, voice):
                if first < end and last > start:
                    measure.append(_printed(piece, voice, max(first, start), min(last, end), pitch, first, last))
            part.append(measure)
        score.append(part)
    with quiet():
        return GeneralObjectExporter(score).parse()


def _printed(piece: Piece, voice: int, start: int, end: int, pitch: int, first: int, last: int) -> Any:
    """Returns the part of a note or rest from `first` to `last` that is in a bar, from `start` to `end`."""
    from music21 import expressions, note, tie

    if not pitch:
        return note.Rest(quarterLength=(end - start) / piece.steps)
    made = note.Note(pitch_name(pitch, piece.key).replace("b", "-"), quarterLength=(end - start) / piece.steps)
    if (start, end) != (first, last):
        made.tie = tie.Tie("start" if start == first else "stop" if end == last else "continue")
    if voice == 0 and piece.fermata[start:end].any():
        made.expressions.append(expressions.Fermata())
    return made


def picture(piece: Piece, path: Path) -> None:
    """Plots the piano roll: one colour per voice, a line at each bar, a mark at each fermata."""
    figure, axes = plots.new_figure(f"{piece.name}, {key_name(piece.key)}", size=(12, 4.5))
    quarter = piece.steps
    for voice in range(SLOTS):
        for start, end, pitch in notes(piece, voice):
            if pitch:
                axes.barh(pitch, (end - start) / quarter - 0.06, left=start / quarter, height=0.8,
                          color=COLOURS[voice], alpha=0.85)  # fmt: skip
    for time in np.flatnonzero(piece.position == 0):
        axes.axvline(time / quarter, color="black", alpha=0.15, linewidth=0.8)
    begins = piece.fermata & ~np.concatenate([[False], piece.fermata[:-1]])
    top = int(piece.pitches.max()) + 2
    axes.plot(np.flatnonzero(begins) / quarter, np.full(begins.sum(), top), "kv", markersize=4)
    ticks = [p for p in range(0, 128, 12) if piece.pitches[piece.pitches > 0].min() - 6 < p < top + 6]
    axes.set_yticks(ticks, [pitch_name(p) for p in ticks])
    axes.set(xlabel="quarter notes", xlim=(0, len(piece) / quarter))
    handles = [axes.barh(0, 0, color=colour) for colour in COLOURS]
    axes.set_ylim(piece.pitches[piece.pitches > 0].min() - 2, top + 2)
    axes.legend(handles, VOICES, loc="upper center", ncols=SLOTS, bbox_to_anchor=(0.5, -0.14), frameon=False)
    plots.save(figure, path)


def text(piece: Piece) -> str:
    """Formats the score as text: a line per voice, a cell per frame, "." for a held note, "|" at each bar."""
    cell = "a quarter note" if piece.steps == 1 else f"{1 / piece.steps:g} of a quarter note"
    lines = [f"{piece.name}, {key_name(piece.key)}, each cell is {cell}"]
    bars = [0, *(int(t) for t in np.flatnonzero(piece.position == 0) if t), len(piece)]
    rows: list[list[tuple[int, int]]] = []
    for bar in zip(bars, bars[1:], strict=False):
        if not rows or bar[1] - rows[-1][0][0] > LINE_FRAMES:
            rows.append([])
        rows[-1].append(bar)
    for row in rows:
        lines.append("")
        for voice, name in enumerate(VOICES):
            cells = "|".join("".join(_cell(piece, t, voice) for t in range(a, b)) for a, b in row)
            lines.append(f"{name[0].upper()} |{cells}|")
        marks = " ".join("".join(("^" if piece.fermata[t] else "").ljust(CELL) for t in range(a, b)) for a, b in row)
        if marks.strip():
            lines.append(f"   {marks}".rstrip())
    return "\n".join(lines)


def _cell(piece: Piece, time: int, voice: int) -> str:
    pitch = int(piece.pitches[time, voice])
    return (pitch_name(pitch, piece.key) if piece.struck[time, voice] or not pitch else ".").ljust(CELL)
