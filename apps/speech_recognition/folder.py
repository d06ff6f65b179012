"""Your own recordings: a folder with a CSV or TSV file of their transcripts."""

from collections.abc import Iterator
from pathlib import Path

from shared import InputError, MissingFileError
from shared.data import tables
from shared.data.sequences import spread
from shared.runs import fingerprint

from . import audio
from .config import Config
from .features import Frames
from .utterance import Parts, Utterance, by_speaker, cleaned

TABLES = (".csv", ".tsv")


def read(config: Config, frames: Frames) -> Parts:
    """A folder with a CSV or TSV file, or that file: columns path and text, perhaps speaker."""
    rows = list(_rows(_table(Path(config.data))))
    rows = [rows[n] for n in spread(len(rows), config.max_examples)]
    found = []
    for path, text, speaker, where in rows:
        try:
            raw = frames(audio.read(path, config.sample_rate), str(path))
        except InputError as error:
            raise type(error)(f"{where}: {error}") from error
        found.append(Utterance(raw, text, speaker, where, fingerprint(path.read_bytes())))
    rest, test = by_speaker(found, config.test_fraction)
    train, valid = by_speaker(rest, config.valid_fraction)
    return {"train": train, "valid": valid, "test": test}


def _table(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in TABLES)
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "none"
        raise InputError(f"{path}: expected one CSV or TSV file with the columns path and text; found {names}")
    return found[0]


def _rows(table: Path) -> Iterator[tuple[Path, str, str, str]]:
    """Recording, text, speaker and place of each row; refuses recordings that are not there or have no transcript."""
    hint = "The first line names the columns path and text, perhaps speaker."
    named = set()
    for row, where in tables.rows(table):
        path = table.parent / tables.cell(row, "path", where, hint).strip()
        if not path.is_file():
            raise MissingFileError(f"{where}: expected a recording; there is no file {path}")
        if path in named:
            raise InputError(f"{where}: expected each recording once; {path} is in another row too")
        named.add(path)
        text = cleaned(tables.cell(row, "text", where, hint), where)
        yield path, text, str(row.get("speaker") or "").strip(), where
    if not named:
        raise InputError(f"{table}: expected rows of recordings and transcripts; there are none")
    inside = sorted(p for p in table.parent.rglob("*") if p.suffix.lower() in audio.SUFFIXES)
    if without := next((p for p in inside if p not in named), None):
        raise InputError(f"{table}: expected a transcript of each recording in its folder; {without} has none")
