"""Reads your own recordings: a folder with a CSV or TSV file of their transcripts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError
from shared.data import tables
from shared.data.sequences import spread
from shared.fingerprint import fingerprint

from . import audio
from .config import Config
from .features import Frames
from .utterance import Parts, Utterance, by_speaker, cleaned

TABLES = (".csv", ".tsv")


def read(config: Config, frames: Frames) -> Parts:
    """Reads the folder, or the table, named by `config.data`, and splits it by speaker."""
    return _split(utterances(config.data, frames, config.max_examples), config)


def held_out(config: Config) -> Path:
    """Returns the first recording of the validation part, without reading any."""
    rows = recordings(config.data)
    some = (rows[n] for n in spread(len(rows), config.max_examples))
    unread = [Utterance(np.zeros((0, 0)), text, speaker, where, path) for path, text, speaker, where in some]
    return _split(unread, config)["valid"][0].origin


def _split(found: list[Utterance], config: Config) -> Parts:
    rest, test = by_speaker(found, config.test_fraction)
    train, valid = by_speaker(rest, config.valid_fraction)
    return {"train": train, "valid": valid, "test": test}


def utterances(source: str, frames: Frames, most: int = 0) -> list[Utterance]:
    """Reads the recordings listed in a CSV or TSV file, or in a folder with one: columns path, text, optional speaker.

    Args:
        source: path of the folder or table. most: maximum number of utterances, sampled evenly; 0 = all.

    Raises:
        InputError: a row or its recording cannot be used; the message names both.
    """
    rows = recordings(source)
    found = []
    for path, text, speaker, where in (rows[n] for n in spread(len(rows), most)):
        try:
            raw = frames(audio.read(path, frames.rate), str(path))
        except InputError as error:
            raise type(error)(f"{where}: {error}") from error
        found.append(Utterance(raw, text, speaker, where, fingerprint(path.read_bytes())))
    return found


def recordings(source: str) -> list[tuple[Path, str, str, str]]:
    """Returns path, transcript, speaker and location of each recording. Raises InputError as `utterances`."""
    if not Path(source).exists():
        raise MissingFileError(
            f"{source}: expected a folder of recordings with a CSV file of transcripts; it is not there"
        )
    return list(_rows(_table(Path(source))))


def _table(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in TABLES)
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "none"
        raise InputError(f"{path}: expected one CSV or TSV file with the columns path and text; found {names}")
    return found[0]


def _rows(table: Path) -> Iterator[tuple[Path, str, str, str]]:
    """Yields path, text, speaker and location of each row; raises if a recording is missing or has no transcript."""
    hint = "The first line names the columns path and text, perhaps speaker."
    named = set()
    for row, where in tables.rows(table):
        path = table.parent / tables.cell(row, "path", where, hint).strip()
        if not path.is_file():
            raise MissingFileError(f"{where}: expected a recording; there is no file {path}")
        if path.resolve() in named:
            raise InputError(f"{where}: expected each recording once; {path} is in another row too")
        named.add(path.resolve())
        text = cleaned(tables.cell(row, "text", where, hint), where)
        yield path, text, str(row.get("speaker") or "").strip(), where
    if not named:
        raise InputError(f"{table}: expected rows of recordings and transcripts; there are none")
    inside = sorted(p for p in table.parent.rglob("*") if p.suffix.lower() in audio.SUFFIXES)
    if without := next((p for p in inside if p.resolve() not in named), None):
        raise InputError(f"{table}: expected a transcript of each recording in its folder; {without} has none")
