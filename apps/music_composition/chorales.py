"""The Bach chorales of the music21 corpus: parsed once, cached in a file, grouped by melody."""

import collections
import contextlib
import importlib.metadata
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import rich.progress

from shared import InputError, files
from shared.data.fetch import keras_home

from .piece import Piece, make
from .scores import from_score, quiet

GRAM = 8  # length of the compared melodic runs, in steps; with 6, half the corpus is one family
FEW = 5  # up to this many files, no progress message is printed
ALIKE = 0.25  # shared share of the shorter melody's runs from which two melodies are variants


def load(steps: int, most: int = 0) -> list[Piece]:
    """Returns all four-part chorales, or the first `most`; parsing all takes over a minute, the first time only."""
    paths = corpus_paths()
    if most:
        return parsed(paths, steps, most)
    return cached(f"chorales-music21-{importlib.metadata.version('music21')}-{steps}", lambda: parsed(paths, steps))


def corpus_paths() -> list[Path]:
    """Returns the Bach files of the corpus by name; chorales available in two formats only once."""
    from music21 import corpus

    found = {Path(path).name.rsplit(".", 1)[0]: Path(path) for path in sorted(map(str, corpus.getComposer("bach")))}
    return [found[name] for name in sorted(found)]


def find(name: str, steps: int) -> Piece | None:
    """Returns the chorale of that name, such as bwv66.6; None if there is none."""
    path = next((path for path in corpus_paths() if path.name.rsplit(".", 1)[0] == name), None)
    found = parsed([path], steps) if path else []
    return found[0] if found else None


def parsed(paths: Sequence[Path], steps: int, most: int = 0) -> list[Piece]:
    """Parses the files that are pieces in four parts; others are left out."""
    from music21 import converter

    pieces: list[Piece] = []
    for path in progress(paths, "Reading the chorales of music21 (once)"):
        with quiet():
            score: Any = converter.parse(path)
        if len(score.parts) == 4:
            with contextlib.suppress(InputError):
                pieces.append(from_score(score, path.name.rsplit(".", 1)[0], steps))
        if most and len(pieces) == most:
            break
    return pieces


def cached(name: str, make_pieces: Callable[[], list[Piece]]) -> list[Piece]:
    """Caches the result of `make_pieces` next to the public data files; a damaged cache is rebuilt."""
    path = keras_home() / "datasets" / "bach_chorales" / f"{name}.npz"
    if path.exists():
        with contextlib.suppress(ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return unpack(path)
    pieces = make_pieces()
    path.parent.mkdir(parents=True, exist_ok=True)
    pack(path, pieces)
    return pieces


def pack(path: Path, pieces: list[Piece]) -> None:
    """Writes pieces as one file of arrays, atomically."""
    about = [[p.name, len(p), p.steps, p.key] for p in pieces]
    arrays = {name: np.concatenate([getattr(p, name) for p in pieces]) for name in FIELDS}
    with files.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)


def unpack(path: Path) -> list[Piece]:
    """Reads the pieces that `pack` wrote."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        arrays = dict(archive)
    pieces, start = [], 0
    for name, length, steps, key in json.loads(arrays["about"].tobytes()):
        part = {field: arrays[field][start : start + length] for field in FIELDS}
        pieces.append(make(name, part.pop("pitches"), part.pop("struck"), steps, **part, key=key))
        start += length
    return pieces


FIELDS = ("pitches", "struck", "position", "bar", "fermata")


def melodies(pieces: Sequence[Piece]) -> list[int]:
    """Returns the group of each piece; variants of a melody, in any key or rhythm, are in the same group.

    Two melodies are variants if they share a quarter of the shorter one's runs of eight steps; groups are the connected
    components of this relation.
    """
    grams = [_grams(piece) for piece in pieces]
    having = collections.defaultdict(list)
    for number, found in enumerate(grams):
        for gram in found:
            having[gram].append(number)
    shared: collections.Counter = collections.Counter()
    for numbers in having.values():
        shared.update((a, b) for i, a in enumerate(numbers) for b in numbers[i + 1 :])
    group = list(range(len(pieces)))

    def root(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    for (a, b), count in shared.items():
        if count >= ALIKE * max(1, min(len(grams[a]), len(grams[b]))):
            group[root(b)] = root(a)
    return [root(number) for number in range(len(pieces))]


def _grams(piece: Piece) -> set[tuple[int, ...]]:
    """Returns all runs of eight melodic steps of the soprano, ignoring repeated notes."""
    notes = piece.pitches[:, 0][piece.pitches[:, 0] > 0].astype(int)
    steps = np.diff(notes)
    steps = steps[steps != 0]
    return {tuple(steps[i : i + GRAM].tolist()) for i in range(max(0, len(steps) - GRAM + 1))}


def progress(items: Sequence[Any], text: str) -> Iterator[Any]:
    """Yields the items, with a progress bar on standard error if it is a terminal."""
    console = rich.console.Console(stderr=True)
    bar = rich.progress.Progress(
        "{task.description}",
        rich.progress.BarColumn(),
        "{task.completed}/{task.total}",
        rich.progress.TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    if not console.is_terminal and len(items) > FEW:
        console.print(f"{text}: {len(items)}", highlight=False)
    with bar:
        yield from bar.track(items, description=text)
