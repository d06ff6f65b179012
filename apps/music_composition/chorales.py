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

GRAM = 8  # steps of a melody that are compared; of 6, half the corpus is one family
FEW = 5  # files that are read without a word
ALIKE = 0.25  # share of the shorter melody's steps that make two melodies variants of one


def load(steps: int, most: int = 0) -> list[Piece]:
    """All four-part chorales, or the first `most` of them; all are parsed in over a minute, but only the first time."""
    paths = corpus_paths()
    if most:
        return parsed(paths, steps, most)
    return cached(f"chorales-music21-{importlib.metadata.version('music21')}-{steps}", lambda: parsed(paths, steps))


def corpus_paths() -> list[Path]:
    """The corpus files of Bach by name; a chorale that lies there in two formats once."""
    from music21 import corpus

    found = {Path(path).name.rsplit(".", 1)[0]: Path(path) for path in sorted(map(str, corpus.getComposer("bach")))}
    return [found[name] for name in sorted(found)]


def find(name: str, steps: int) -> Piece | None:
    """The chorale of that name, such as bwv66.6; None if there is none."""
    path = next((path for path in corpus_paths() if path.name.rsplit(".", 1)[0] == name), None)
    found = parsed([path], steps) if path else []
    return found[0] if found else None


def parsed(paths: Sequence[Path], steps: int, most: int = 0) -> list[Piece]:
    """The pieces in four parts among the files; a file that is none is left out."""
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
    """What `make_pieces` gave once, kept beside the public data files; a damaged file is made anew."""
    path = keras_home() / "datasets" / "bach_chorales" / f"{name}.npz"
    if path.exists():
        with contextlib.suppress(ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return unpack(path)
    pieces = make_pieces()
    path.parent.mkdir(parents=True, exist_ok=True)
    pack(path, pieces)
    return pieces


def pack(path: Path, pieces: list[Piece]) -> None:
    """Writes pieces as one file of arrays, whole or not at all."""
    about = [[p.name, len(p), p.steps, p.key] for p in pieces]
    arrays = {name: np.concatenate([getattr(p, name) for p in pieces]) for name in FIELDS}
    with files.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)


def unpack(path: Path) -> list[Piece]:
    """The pieces that `pack` wrote."""
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
    """The group of each piece: variants of one melody, whatever their key or rhythm, are of one group.

    Two melodies are variants if they share a quarter of the shorter one's runs of eight steps; so are all that are
    linked by such pairs.
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
    """All runs of eight melodic steps of the soprano, repeated notes left out."""
    notes = piece.pitches[:, 0][piece.pitches[:, 0] > 0].astype(int)
    steps = np.diff(notes)
    steps = steps[steps != 0]
    return {tuple(steps[i : i + GRAM].tolist()) for i in range(max(0, len(steps) - GRAM + 1))}


def progress(items: Sequence[Any], text: str) -> Iterator[Any]:
    """The items with a bar on standard error, on a terminal."""
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
