"""The data sources: the chorales of music21, public data sets, your own file or folder of music."""

import json
import sys
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE, check
from shared.data.wording import sized

from . import abc_notation, chorales, midi, musicxml
from .config import STEPS, Config
from .piece import Piece, make
from .scores import from_score, played, quiet

PUBLIC = ("jsb_chorales", "nottingham")
PARTS = ("train", "valid", "test")
MIDI, SCORES = (".mid", ".midi"), (".musicxml", ".mxl", ".xml", ".abc")
MOST_BYTES = 20_000_000
FRAMES = {1: "quarter", 2: "eighth", 4: "sixteenth"}  # names of a frame, by frames per quarter note

Parts = dict[str, list[Piece]]


def known(source: str) -> None:
    """Raises InputError if a --data value is not a known source."""
    check(source, PUBLIC, "the path of a folder of MIDI, MusicXML and ABC files")


def read(config: Config) -> Parts:
    """Reads the pieces of the source by split; without published splits all are "train".

    Raises:
        InputError: the source is unknown, or none of its files can be used.
    """
    source = config.data
    if source == "builtin":
        return {"train": chorales.load(config.steps, config.max_examples)}
    if source == "jsb_chorales":
        return jsb_chorales(config)
    if source == "nottingham":
        return {"train": nottingham(config)}
    known(source)
    return {"train": read_folder(Path(source), config.steps, config.max_examples)}


def jsb_chorales(config: Config) -> Parts:
    """Boulanger-Lewandowski's split: his quarter notes transposed to C, or the same chorales in four voices.

    The voices' file does not distinguish held from repeated notes: on quarters all are struck, on finer frames held.
    """
    if config.representation == "roll" and config.steps != 1:
        raise InputError(f"--steps: expected 1 for the published roll of quarter notes; received {config.steps}")
    quarter, separated = CATALOGUE["jsb_chorales"]
    parts = json.loads(fetch.fetch(quarter if config.representation == "roll" else separated))
    every = 1 if config.representation == "roll" else 4 // config.steps
    made = {}
    for part in PARTS:
        found = parts[part][: config.max_examples or None]
        made[part] = [_jsb_piece(f"{part} {n}", rows[::every], config) for n, rows in enumerate(found, 1)]
    return made


def _jsb_piece(name: str, rows: list[list[int]], config: Config) -> Piece:
    """Converts rows of sounding pitches in any order, or of four voices with -1 for silence, to a piece."""
    pitches = np.zeros((len(rows), 4), np.int16)
    for row, found in zip(pitches, rows, strict=True):
        kept = sorted(found, reverse=True) if config.representation == "roll" else found
        row[: len(kept)] = np.maximum(kept, 0)
    struck = np.full(pitches.shape, config.representation == "voices" and config.steps == 1)
    return make(name, pitches, struck, config.steps, key=0 if config.representation == "roll" else None)


def nottingham(config: Config) -> list[Piece]:
    """Reads the tunes as melody and chords, with their repeats."""
    (entry,) = CATALOGUE["nottingham"]
    text = fetch.fetch(entry).decode("latin-1")
    return said_of(abc_tunes(text, "nottingham", config.steps, config.max_examples), "nottingham")


def abc_tunes(text: str, name: str, steps: int, most: int = 0) -> list[Piece]:
    """Reads the tunes of an ABC text, each starting with X:; unreadable ones are reported and left out."""
    tunes = list(abc_notation.tunes(text))
    if not tunes:
        raise InputError(f"Expected tunes in ABC, each beginning with a line X:. {name} has none.")
    pieces, bad = [], []
    for title, header, lines in chorales.progress(tunes[: most or None], f"Reading the tunes of {name}"):
        label = f"{name}, {title}"
        try:
            pieces.append(played(abc_notation.read(header, lines), label, steps))
        except InputError as error:
            bad.append(f"{label} ({error})")
    if not pieces:
        raise InputError(f"Expected tunes in ABC. None of {name} can be read: {bad[0]}.")
    if bad:
        print(f"{len(bad)} of {len(tunes)} tunes left out: {'; '.join(bad[:3])}", file=sys.stderr)
    return pieces


def read_folder(path: Path, steps: int, most: int = 0) -> list[Piece]:
    """Reads all music files below a folder; unusable ones are reported and left out."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix.lower() in (*MIDI, *SCORES))
    if not files:
        raise InputError(f"Expected files ending in {', '.join((*MIDI, *SCORES))}. {path} has none.")
    pieces, bad = [], []
    for file in chorales.progress(files[: most or None], f"Reading {path}"):
        try:
            pieces += read_file(file, steps)
        except InputError as error:
            bad.append(error)
            print(f"left out: {error}", file=sys.stderr)
    if not pieces:
        raise bad[0]
    if bad:
        print(f"{len(bad)} of {len(files)} files left out, {sized(len(pieces), 'pieces')} read", file=sys.stderr)
    return said_of(pieces, str(path))


def said_of(pieces: list[Piece], source: str) -> list[Piece]:
    """Returns the pieces; says on stderr how many of their notes are too short for the grid, if any are."""
    if count := sum(piece.left_out for piece in pieces):
        steps = pieces[0].steps
        left, frame = f"{'was' if count == 1 else 'were'} left out", FRAMES.get(steps, f"1/{4 * steps} note")
        finer = next((more for more in STEPS if more > steps), None)
        hint = f"; train with --steps {finer} for a grid of {FRAMES[finer]}s" if finer else ""
        article = "an" if frame.startswith("e") else "a"
        print(f"{source}: {sized(count, 'notes')} shorter than {article} {frame} {left}{hint}", file=sys.stderr)
    return pieces


def read_one(path: str, steps: int) -> Piece:
    """Reads the first piece of a file, as the commands do that work on one."""
    return said_of(read_file(Path(path), steps)[:1], path)[0]


def read_file(path: Path, steps: int) -> list[Piece]:
    """Reads the pieces of a file; an ABC file may have several.

    Raises:
        InputError: the file is not music, is damaged, has no notes other than drums, or is too long.
    """
    kind = path.suffix.lower()
    if not path.is_file():
        raise MissingFileError(f"Expected a file of music. There is none at {path}.")
    if kind not in (*MIDI, *SCORES):
        raise InputError(f"Expected a file ending in {', '.join((*MIDI, *SCORES))}. Received: {path}")
    size = path.stat().st_size
    if not 0 < size <= MOST_BYTES:
        raise InputError(f"Expected a file of 1 to {MOST_BYTES:,} bytes. {path} has {size:,}.")
    data = path.read_bytes()
    if data.startswith((b"MThd", b"RIFF")):  # identify the file by its content; its suffix may be wrong
        return [midi.read(data, str(path), steps)]
    if data.startswith(b"PK") or data.lstrip(b"\xef\xbb\xbf\xff\xfe\xfe\xff\0 \t\r\n").startswith(b"<"):
        return [read_musicxml(data, str(path), steps)]
    if kind in MIDI or kind == ".mxl":
        raise InputError(f"Expected a file of music. {path} is damaged: it is neither MIDI nor MusicXML.")
    return abc_tunes(decoded(data), str(path), steps)


def read_musicxml(data: bytes, name: str, steps: int) -> Piece:
    """Reads the piece of a MusicXML file, with its repeats."""
    from music21 import converter

    text, lengths, marks = musicxml.read(data, name)
    try:
        with quiet():
            score = converter.parse(text, format="musicxml")
            return from_score(score, name, steps, lengths, marks)
    except InputError:
        raise
    except Exception as error:  # music21 raises various errors for damaged files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"Expected a MusicXML file. {name} is damaged: {reason}.") from error


def decoded(data: bytes) -> str:
    """Decodes an ABC file: UTF-8, or Latin-1 as in older files."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
