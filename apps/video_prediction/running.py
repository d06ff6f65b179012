"""Runs the network frame by frame on videos of any size, in constant memory: states, padding and tiling."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, files

from .config import PATCH

TILE = 512  # pixels; larger frames are computed in overlapping tiles of this size
MARGIN = 64  # minimum overlap of tiles, in pixels


class Running:
    """The network's states after the frames seen so far.

    Args:
        step: see `model.step`. sizes: number of channels of each state.
        rows, columns: size of the frames.
    """

    def __init__(self, step: Any, sizes: list[int], rows: int, columns: int) -> None:
        self.step, self.rows, self.columns = step, rows, columns
        self.padded = tuple(-(-each // PATCH) * PATCH for each in (rows, columns))
        down, across = (tiles(each) for each in self.padded)
        self.tiles = [(a, b) for a in down for b in across]
        self.states = [
            [np.zeros((1, a.size // PATCH, b.size // PATCH, size), np.float32) for size in sizes] for a, b in self.tiles
        ]
        self.next: np.ndarray | None = None

    def note(self) -> str:
        """Describes how frames of this size are padded or tiled; "" if they are not."""
        said = []
        if self.padded != (self.rows, self.columns):
            said.append(f"padded with black to {self.padded[0]} x {self.padded[1]}")
        if len(self.tiles) > 1:
            said.append(f"computed in {len(self.tiles)} overlapping tiles")
        return f"frames of {self.rows} x {self.columns} pixels are {' and '.join(said)}" if said else ""

    def see(self, frame: np.ndarray) -> np.ndarray:
        """Processes one frame (rows, columns, channels) in [0, 1]; returns the prediction of the next one."""
        self.next, self.states = self._advance(frame, self.states)
        return self.next

    def ahead(self, count: int) -> np.ndarray:
        """Predicts the next frames (count, rows, columns, channels) autoregressively; does not change the state."""
        if self.next is None:
            raise ValueError("Expected a frame to be seen before any is predicted.")
        frame, states, found = self.next, self.states, [self.next]
        for _ in range(count - 1):
            frame, states = self._advance(frame, states)
            found.append(frame)
        return np.stack(found)

    def save(self, path: Path, **more: Any) -> None:
        """Saves the states and any additional values to a file."""
        arrays = {f"state_{t}_{n}": s for t, states in enumerate(self.states) for n, s in enumerate(states)}
        with files.replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, next=np.zeros(0) if self.next is None else self.next, **arrays, **more)

    def restore(self, path: Path, saved: dict[str, np.ndarray]) -> None:
        """Restores the states that `save` wrote. Raises InputError if they belong to another frame size or network."""
        try:
            states = [[saved[f"state_{t}_{n}"] for n in range(len(states))] for t, states in enumerate(self.states)]
            shapes = [[s.shape for s in each] for each in states]
        except KeyError as error:
            raise InputError(f"{path}: expected the saved state of a stream of this run; {error} is missing") from error
        if shapes != [[s.shape for s in each] for each in self.states]:
            raise InputError(f"{path}: expected the saved state of a stream of {self.rows} x {self.columns} pixels")
        self.states, self.next = states, saved["next"] if saved["next"].size else None

    def _advance(self, frame: np.ndarray, states: list) -> tuple[np.ndarray, list]:
        rows, columns = self.padded
        whole = np.zeros((rows, columns, frame.shape[-1]), np.float32)
        whole[: self.rows, : self.columns] = frame
        found, new = np.empty_like(whole), []
        for (down, across), state in zip(self.tiles, states, strict=True):
            piece, *after = self.step.predict_on_batch([whole[None, down.read, across.read], *state])
            found[down.write, across.write] = np.asarray(piece)[0, down.keep, across.keep]
            new.append([np.asarray(each) for each in after])
        return found[: self.rows, : self.columns], new


class Span:
    """The input range of one tile, the part of its output to use, and where that goes in the frame."""

    def __init__(self, start: int, size: int, first: int, last: int) -> None:
        self.size = size
        self.read = slice(start, start + size)
        self.write = slice(first, last)
        self.keep = slice(first - start, last - start)


def tiles(length: int) -> list[Span]:
    """Returns equally sized tiles that cover `length` pixels; each overlap is divided between its two tiles."""
    if length <= TILE:
        return [Span(0, length, 0, length)]
    count = -(-(length - MARGIN) // (TILE - MARGIN))
    starts = [PATCH * round(n * (length - TILE) / (count - 1) / PATCH) for n in range(count)]
    middles = [(a + TILE + b) // 2 for a, b in zip(starts, starts[1:], strict=False)]
    edges = [0, *middles, length]
    return [Span(start, TILE, edges[n], edges[n + 1]) for n, start in enumerate(starts)]


def read_state(path: Path) -> dict[str, np.ndarray]:
    """Reads a file written by `Running.save`. Raises InputError if it is damaged."""
    try:
        with zipfile.ZipFile(path), np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: expected the saved state of a stream; it is damaged or another file") from error
