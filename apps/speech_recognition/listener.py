"""Runs a streaming network on audio chunks of any size, in constant memory; the state can be saved."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from shared import InputError, MissingFileError, files
from shared.layers import backend

from .features import Frames, Running, levelled, loudness
from .model import around, field, step, zero_states


class Listener:
    """Converts samples to log-probabilities step by step; the result does not depend on how the audio is chunked.

    Args:
        model: a streaming network. info: statistics of the training data. stride: frames per step.
    """

    def __init__(self, model: Any, info: dict, stride: int) -> None:
        if not info["streaming"]:
            raise InputError("Expected a run that was trained with --streaming; this one is bidirectional.")
        self.info, self.stride = info, stride
        self.frames = Frames(info["features"], info["sample_rate"], info["bands"])
        self.step = backend.compiled(step(model), model.variables)
        self.zero_states = [np.array(ops.convert_to_numpy(state)) for state in zero_states(model)]
        self.start()

    def start(self) -> None:
        """Resets the state."""
        self.samples = np.zeros(0, np.float32)  # less than one frame
        before, _ = around(self.stride)
        self.waiting = np.zeros((before, self.info["width"]), np.float32)  # frames needed for the next steps
        self.running = Running(float(np.exp(self.info["level"])))
        self.states = list(self.zero_states)
        self.steps = 0

    def warm_up(self) -> None:
        """Compiles the step in advance, so that the first chunk is not delayed."""
        window = np.zeros((1, field(self.stride), self.info["width"]), np.float32)
        self.step(window, self.zero_states)

    def hear(self, samples: np.ndarray) -> np.ndarray:
        """Processes new samples (n,) at the network's rate; returns log-probabilities (steps, 1 + symbols)."""
        self.samples = np.concatenate([self.samples, samples.astype(np.float32)])
        count = self.frames.count(len(self.samples))
        # One frame at a time: a batched matrix product may round differently.
        new = [self._frame(number * self.frames.hop) for number in range(count)]
        self.samples = self.samples[count * self.frames.hop :]
        self.waiting = np.concatenate([self.waiting, *new])
        return self._steps()

    def end(self) -> np.ndarray:
        """Returns the log-probabilities of the remaining steps at the end of the audio, and resets the state."""
        heard = self.running.count
        total = -(-heard // self.stride)
        rest = max(0, (total - self.steps - 1) * self.stride + field(self.stride) - len(self.waiting)) if heard else 0
        self.waiting = np.concatenate([self.waiting, np.zeros((rest, self.info["width"]), np.float32)])
        found = self._steps(total - self.steps)
        self.start()
        return found

    def _frame(self, start: int) -> np.ndarray:
        window = self.samples[start : start + self.frames.window]
        raw = self.frames.transformed(window[None]).astype(np.float32)
        return levelled(raw, self.running.levels(loudness(raw))[:, None])

    def _steps(self, most: int | None = None) -> np.ndarray:
        found = []
        while len(self.waiting) >= field(self.stride) and (most is None or len(found) < most):
            answer, states = self.step(self.waiting[None, : field(self.stride)], self.states)
            self.states = list(states)
            found.append(ops.convert_to_numpy(answer)[0])
            self.waiting = self.waiting[self.stride :]
            self.steps += 1
        return np.array(found).reshape(-1, len(self.info["symbols"]))

    def save(self, path: Path, **more: Any) -> None:
        """Saves the state and any additional values to a file."""
        states = {f"state_{number}": ops.convert_to_numpy(state) for number, state in enumerate(self.states)}
        about = {"mean": self.running.mean, "count": self.running.count, "steps": self.steps}
        arrays = {"samples": self.samples, "waiting": self.waiting, "fingerprint": self.info["fingerprint"]}
        with files.replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays, **states, **about, **more)

    def restore(self, path: Path) -> dict[str, np.ndarray]:
        """Restores a saved state and returns the additional values.

        Raises:
            InputError: the file is damaged, or belongs to another network.
        """
        if not path.is_file():
            raise MissingFileError(f"{path}: expected the saved state of a stream; there is none")
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                saved = {name: file[name] for name in file.files}
            states = [saved.pop(f"state_{number}") for number in range(len(self.zero_states))]
            shapes = [(a.shape, b.shape) for a, b in zip(states, self.zero_states, strict=True)]
            samples, waiting = saved.pop("samples"), saved.pop("waiting")
            mean, count, steps = float(saved.pop("mean")), int(saved.pop("count")), int(saved.pop("steps"))
            fingerprint = str(saved.pop("fingerprint"))
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: expected the saved state of a stream of this run; {error}") from error
        shapes += [(samples.shape[1:], ()), (waiting.shape[1:], (self.info["width"],))]
        if any(a != b for a, b in shapes) or fingerprint != self.info["fingerprint"]:
            raise InputError(f"{path}: expected the saved state of a stream of this run; it is that of another")
        self.samples, self.waiting, self.states, self.steps = samples, waiting, states, steps
        self.running = Running(mean, count)
        return saved
