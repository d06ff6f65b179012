"""Loads a trained run and predicts the next frames of clips."""

import base64
import collections
import functools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np

from shared import InputError, lines, runs

from . import cautions, clips, metrics, panels
from .clips import Clip
from .config import APP, Config
from .data import as_floats
from .model import step
from .options import MOST, Predict
from .running import Running

BATCH = 16
SIZES = ("past", "future", "channels", "size", "side")  # of a run, in its info; a side of 0 is any


class Predictor:
    """A trained run, ready for inference: predicts the next frames of a video."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info = run, run.info()
        self.config = run.settings(Config)
        self.past, self.future, self.channels, *_ = sizes(self.info)
        self.model = run.load_model()

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, videos: Sequence[str | Path], frames: int = 0) -> list[dict[str, Any]]:
        """Predicts the frames after the end of videos.

        Args:
            videos: video files, or folders of the frames of one.
            frames: number of frames to predict, at most 1,000; by default as in training.

        Returns:
            For each clip {"clip": its path, "seen": number of its frames that were seen, the last ones, "frames":
            (frames, rows, columns, channels) in [0, 1], "cautions": why they may be far off, one line for each reason}.

        Raises:
            InputError: a clip cannot be read, or has fewer frames than the network sees; `frames` is out of range.
        """
        if not isinstance(frames, int) or not 0 <= frames <= MOST:
            raise InputError(f"frames: expected a whole number from 0 to {MOST:,}; received {frames}")
        found = [clip for video in lines.several(videos, str | Path, "paths") for clip in clips.find(str(video))]
        return [self.after(clip, frames or self.future) for clip in found]

    def after(self, clip: Clip, count: int) -> dict[str, Any]:
        """Predicts the frames after the end of a clip."""
        some = collections.deque(map(as_floats, clip.frames(self.channels, self.info["side"])), maxlen=self.past)
        if len(some) < self.past:
            raise InputError(f"{clip.path}: expected at least {self.past} frames; received {len(some)}")
        frames, errors = self.judged(list(some), count)
        said = cautions.on_inputs(errors)
        return {"clip": str(clip.path), "seen": len(some), "frames": frames, "cautions": said}

    @functools.cached_property
    def step(self):
        """The network as a single-step model."""
        return step(self.model)

    def predict(self, past: np.ndarray) -> np.ndarray:
        """(sequences, past, rows, columns, channels) in [0, 1] -> the next frames (sequences, future, ...)."""
        found = [np.asarray(self.model.predict_on_batch(past[n : n + BATCH])) for n in range(0, len(past), BATCH)]
        return np.concatenate(found)

    def running(self, rows: int, columns: int) -> Running:
        """Returns the network in its initial state, for a video of this size."""
        return Running(self.step, self.model.get_layer("forecaster").state_sizes(), rows, columns)

    def ahead(self, past: list[np.ndarray], count: int) -> np.ndarray:
        """Predicts the `count` frames after the frames `past`, each (rows, columns, channels) of any size."""
        return self.judged(past, count)[0]

    def judged(self, past: list[np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the same frames, and how well the input frames were predicted, see `cautions.errors_on_inputs`."""
        running = self.running(*past[0].shape[:2])
        predicted = [running.see(frame) for frame in past]
        return running.ahead(count), cautions.errors_on_inputs(past, predicted)


def sizes(info: dict[str, Any]) -> list[int]:
    """Returns past, future, channels, size and side of a run. Raises InputError if one is not a whole number."""
    found = [info[name] for name in SIZES]
    for name, value in zip(SIZES, found, strict=True):
        if type(value) is not int or value < (name != "side"):
            path = getattr(info, "path", "info.json")
            raise InputError(f"{path}: expected a whole number as {name}; received {value!r}. {runs.TRAIN_AGAIN}")
    return found


def predict(options: Predict) -> None:
    """Runs the predict command: writes a GIF and an mp4 per clip; prints the errors where the true frames are known."""
    found = [clip for name in options.clips for clip in clips.find(name)]
    run = runs.find(APP, options.run)
    folder = Path(options.out) if options.out else run.path / "predictions"
    if not options.json:
        check_outputs(found, folder)
    predictor = Predictor(run)
    if options.json:
        count = options.frames or predictor.future
        lines.each(found, lambda clip: print(json.dumps(as_json(predictor.after(clip, count)), ensure_ascii=False)))
        return
    lines.each(found, lambda clip: show(predictor, clip, options, folder))


def outputs(clip: Clip, folder: Path) -> list[Path]:
    """Returns the paths of the mp4 and the GIF of a clip."""
    return [folder / f"{clip.path.stem}.{suffix}" for suffix in ("mp4", "gif")]


def check_outputs(found: Sequence[Clip], folder: Path) -> None:
    """Creates the folder; raises InputError if two clips would be written to one file, or a clip over a clip."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out: expected a folder, or a path where one can be made; received {folder}") from error
    written: dict[str, Clip] = {}
    for clip in found:
        other = written.setdefault(clip.path.stem, clip)
        if other is not clip:
            raise InputError(
                f"{other.path} and {clip.path} would both be written to {outputs(clip, folder)[0]}; "
                "predict them one by one, each with --out of its own"
            )
        for path in outputs(clip, folder):
            if any(path.exists() and path.samefile(each.path) for each in found):
                raise InputError(f"{path} would be written over a clip to predict; choose another folder with --out")


def as_json(answer: dict[str, Any]) -> dict[str, Any]:
    """Returns an answer of the predictor as JSON: the clip's name, each frame as a PNG image in base64, cautions."""
    images = (np.round(255 * frame).astype(np.uint8) for frame in answer["frames"])
    encoded = [iio.imwrite("<bytes>", image.squeeze(), extension=".png") for image in images]
    frames = [base64.b64encode(content).decode() for content in encoded]
    return answer | {"clip": Path(answer["clip"]).name, "frames": frames}


def show(predictor: Predictor, clip: Clip, options: Predict, folder: Path) -> None:
    """Predicts one clip, writes the videos, and prints the errors of the prediction and of repeating the last frame."""
    side = options.side or predictor.info["side"]
    frames = clip.frames(predictor.channels, side)
    count = options.frames or predictor.future
    paths = outputs(clip, folder)
    scores, errors = [], []
    with panels.written(*paths, options.fps or clip.fps()) as writer:
        for number, (at, past, truth) in enumerate(windows(frames, clip, predictor.past, count, options)):
            if not number:
                _say_what_is_done(predictor, past[0], side)
                for frame in past:
                    writer.add(panels.side_by_side([frame, None, None, None], frame))
            ahead, on_inputs = predictor.judged(past, count if len(truth) == 0 or not options.all else len(truth))
            errors.append(on_inputs)
            for n, frame in enumerate(ahead):
                real = truth[n] if n < len(truth) else None
                writer.add(panels.side_by_side([past[-1], frame, real, panels.error(real, frame)], frame))
            scores.append((at, len(ahead), *_scores(ahead, truth, past[-1])))
        long = writer.kept is None
    _report(clip, scores)
    for caution in cautions.on_inputs(np.mean(errors, axis=0)):
        print(f"  {caution}")
    print(f"  {paths[0]}" + ("" if long else f"\n  {paths[1]}"), flush=True)
    if long:
        print(f"no GIF of more than {panels.LONGEST_GIF} frames is written", file=sys.stderr)


def windows(
    frames: Iterator[np.ndarray], clip: Clip, past: int, count: int, options: Predict
) -> Iterator[tuple[int, list[np.ndarray], list[np.ndarray]]]:
    """Yields (number of the last input frame, input frames, true frames that follow) for each prediction.

    Only `past + count` frames are in memory at a time.

    Raises:
        InputError: the clip has fewer frames than the network needs as input, or than `options.at`.
    """
    if options.at and options.at < past:
        raise InputError(f"--at: expected at least {past}, the frames that the network sees; received {options.at}")
    kept: collections.deque[np.ndarray] = collections.deque(maxlen=past + count)
    number, size = 0, None
    for number, frame in enumerate(frames, 1):
        size = size or frame.shape
        kept.append(as_floats(frame))
        if options.all and number >= past + count and (number - past) % count == 0:
            yield number - count, list(kept)[:past], list(kept)[past:]
        if options.at and number == options.at + count:
            break
    if number < max(past, options.at):
        wanted = f"{options.at} frames (--at)" if options.at else f"{past} frames, the input of the network"
        raise InputError(f"{clip.path}: expected at least {wanted}; received {number}")
    at = options.at or max(past, number - count)
    if options.all:
        at = past + (number - past) // count * count
        if at == number and number >= past + count:
            return
    first = at - past - (number - len(kept))
    yield at, list(kept)[first : first + past], list(kept)[first + past :]


def _say_what_is_done(predictor: Predictor, frame: np.ndarray, side: int) -> None:
    rows, columns = frame.shape[:2]
    notes = [f"frames are scaled to a shorter side of {side} pixels"] if side else []
    if note := predictor.running(rows, columns).note():
        notes.append(note)
    if notes:
        print("; ".join(notes), file=sys.stderr, flush=True)


def _scores(ahead: np.ndarray, truth: list[np.ndarray], last: np.ndarray) -> tuple[float, ...]:
    """Returns MSE per frame of the prediction and of the last frame, then the SSIM of both; () if no truth is known."""
    if not truth:
        return ()
    real = np.stack(truth)[None]
    both = ahead[None, : len(truth)], np.broadcast_to(last, real.shape)
    found = [float(metrics.mse_per_frame(real, each).mean()) for each in both]
    if min(last.shape[:2]) >= metrics.WINDOW:
        found += [float(metrics.ssim(real, each).mean()) for each in both]
    return tuple(found)


def _report(clip: Clip, scores: list[tuple]) -> None:
    at, count = scores[-1][:2]
    where = f"frames {at + 1} to {at + count} predicted" if len(scores) == 1 else f"{len(scores)} predictions"
    known = [found for _, _, *found in scores if found]
    if not known:
        print(f"{clip.path}: {where}; no true frames to compare with")
        return
    ours, last, *similar = np.mean(known, axis=0)
    worse = round(ours, 2) > round(last, 2)
    said = f"MSE per frame {ours:.2f}"
    said += f", worse than repeating the last frame (MSE {last:.2f})" if worse else f" (last frame {last:.2f})"
    if similar:
        said += f", SSIM {similar[0]:.3f} (last frame {similar[1]:.3f})"
    print(f"{clip.path}: {where}: {said}" + (f": {cautions.UNLIKE}" if worse else ""))
