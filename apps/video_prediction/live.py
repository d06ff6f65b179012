"""The stream command: predicts while frames arrive one by one, in constant memory."""

import collections
import contextlib
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from shared import InputError, MissingFileError, feeds, lines, runs
from shared.data.wording import sized

from . import clips, metrics, panels
from .config import APP
from .data import as_floats
from .options import Stream
from .predict import Predictor
from .running import Running, read_state

POLL_S = 0.2  # interval between checks of a growing folder
TRIES = 5  # attempts to read a picture that may still be being written
SAVE_EVERY = 100  # frames between saves of the state
KEPT = 10_000  # number of recent frames over which the latency is measured


class Live:
    """The state of one live video, and the predictions of the frames to come.

    Args:
        predictor: the run. count: how many frames ahead to predict.
    """

    def __init__(self, predictor: Predictor, count: int) -> None:
        self.predictor, self.count = predictor, count
        self.network = hashlib.sha256(predictor.run.file("model.keras").read_bytes()).hexdigest()
        self.running: Running | None = None
        self.number = 0
        self.last: np.ndarray | None = None
        self.ahead: np.ndarray | None = None
        # The last frame of each of the most recent predictions; the oldest of them predicts the frame that comes next.
        self.furthest: collections.deque[np.ndarray] = collections.deque(maxlen=count)

    def see(self, frame: np.ndarray) -> str:
        """Processes one frame (rows, columns, channels) in [0, 1]; returns a line on how well it was predicted.

        Raises:
            InputError: the frame's size differs from that of the previous frames.
        """
        if self.last is not None and frame.shape != self.last.shape:
            (rows, columns, _), now = self.last.shape, frame.shape
            raise InputError(f"expected {rows} x {columns} pixels, as before; received {now[0]} x {now[1]}")
        if self.running is None:
            self.running = self.predictor.running(*frame.shape[:2])
        said = self._compared(frame)
        self.running.see(frame)
        self.ahead = self.running.ahead(self.count)
        self.furthest.append(self.ahead[-1])
        self.last, self.number = frame, self.number + 1
        return said

    def _compared(self, frame: np.ndarray) -> str:
        """Formats squared error and SSIM of the predictions of this frame, and of the previous frame."""
        said = f"frame {self.number + 1:6}"
        if self.ahead is None or self.last is None:
            return said
        said += f"   predicted 1 before: {_figures(frame, self.ahead[0])}"
        if self.count > 1 and len(self.furthest) == self.count:
            said += f"   {self.count} before: {_figures(frame, self.furthest[0])}"
        return said + f"   last frame: {_figures(frame, self.last)}"

    def save(self, path: Path) -> None:
        """Saves the complete state to a file."""
        if self.running is None or self.last is None:
            return
        self.running.save(
            path,
            last=self.last,
            ahead=self.ahead,
            furthest=np.stack(list(self.furthest)),
            number=self.number,
            count=self.count,
            network=self.network,
        )

    def restore(self, path: Path) -> None:
        """Restores a saved state.

        Raises:
            InputError: the file is damaged, or belongs to another network or another number of frames ahead.
        """
        saved = read_state(path)
        missing = {"last", "ahead", "furthest", "number", "count", "network"} - saved.keys()
        if missing or str(saved["network"]) != self.network:
            raise InputError(f"{path}: expected the saved state of a stream of this run; it is that of another")
        if int(saved["count"]) != self.count:
            raise InputError(
                f"{path}: expected the state of a stream with --frames {self.count}; it has --frames {saved['count']}"
            )
        self.last, self.ahead, self.number = saved["last"], saved["ahead"], int(saved["number"])
        self.furthest.extend(saved["furthest"])
        self.running = self.predictor.running(*self.last.shape[:2])
        self.running.restore(path, saved)


def _figures(truth: np.ndarray, found: np.ndarray) -> str:
    said = f"MSE {metrics.mse_per_frame(truth[None, None], found[None, None]).item():.2f}"
    if min(truth.shape[:2]) >= metrics.WINDOW:
        said += f" SSIM {metrics.ssim(truth[None, None], found[None, None]).item():.3f}"
    return said


def stream(options: Stream) -> None:
    """Runs the stream command: prints a line per frame on how well it was predicted; at the end, latency on stderr."""
    predictor = Predictor(runs.find(APP, options.run))
    frames = feed(options, predictor)
    live = Live(predictor, options.frames or predictor.future)
    state = Path(options.state) if options.state else None
    if state and state.exists():
        live.restore(state)
    took: collections.deque[float] = collections.deque(maxlen=KEPT)
    read, begun = 0, live.number
    resumed = f" It goes on after frame {begun}, saved in {state}." if begun else ""
    shape = f" of {' x '.join(map(str, size_of(options, predictor)))} bytes" if options.feed == "-" else ""
    print(f"Ready: a line for each frame{shape}.{resumed}", file=sys.stderr, flush=True)
    try:
        with contextlib.suppress(KeyboardInterrupt), feeds.interruptible():
            for where, frame in frames:
                with feeds.undisturbed():
                    answer(live, where, frame, options.picture, took if read else None)
                read += 1
                if state and read % SAVE_EVERY == 0:
                    live.save(state)
                if options.most and read == options.most:
                    break
    finally:  # also after a frame that cannot be read
        if state and live.number > begun:
            live.save(state)
    if live.number == begun:
        raise InputError(f"{options.feed}: expected frames; there were none")
    if took:
        p50, p99 = lines.percentiles(list(took))
        print(
            f"{sized(read, 'frames')}, {live.count} ahead of each: p50 {p50:.1f} ms, p99 {p99:.1f} ms", file=sys.stderr
        )


def answer(live: Live, where: str, frame: np.ndarray, picture: str | None, took: collections.deque | None) -> None:
    """Prints how well a frame was predicted, draws what comes next, and notes the milliseconds it took.

    Args:
        took: None for the first frame, which includes compilation; its padding or tiles are said.
    """
    began = time.perf_counter()
    try:
        said = live.see(as_floats(frame))
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if took is not None:
        took.append(1000 * (time.perf_counter() - began))
    elif note := live.running.note():
        print(note, file=sys.stderr, flush=True)
    print(said, flush=True)
    if picture:
        panels.strip([("now", np.concatenate([live.last[None], live.ahead]))], Path(picture))


def feed(options: Stream, predictor: Predictor) -> Iterator[tuple[str, np.ndarray]]:
    """Yields (source, frame (rows, columns, channels) uint8) for each frame, as they arrive.

    Raises:
        InputError: the folder or file does not exist, or an option does not apply to it.
    """
    channels, path = predictor.channels, Path(options.feed)
    if options.feed == "-":
        return _raw(size_of(options, predictor))
    if options.rows or options.columns:
        raise InputError("--rows, --columns: expected with raw frames on standard input only")
    if not path.exists():
        raise MissingFileError(f"{path}: expected a folder of frames, a video file, or -; there is none")
    if path.is_dir():
        if not options.follow and not clips.pictures(path):
            raise InputError(f"{path}: expected a folder of pictures, or a video file; it has no pictures")
        return _folder(path, channels, options.follow)
    if options.follow:
        raise InputError(f"--follow: expected with a folder of frames only; received {path}")
    (clip,) = clips.find(options.feed)
    return ((f"{path}, frame {n}", frame) for n, frame in enumerate(clip.frames(channels), 1))


def size_of(options: Stream, predictor: Predictor) -> tuple[int, int, int]:
    """Returns rows, columns and channels of the raw frames on standard input."""
    usual = predictor.info["size"]
    return options.rows or usual, options.columns or usual, predictor.channels


def _raw(size: tuple[int, int, int]) -> Iterator[tuple[str, np.ndarray]]:
    length, number = int(np.prod(size)), 0
    while content := sys.stdin.buffer.read(length):
        number += 1
        if len(content) < length:
            print(f"left out: standard input ends after {len(content):,} of the {length:,} bytes of frame {number}, "
                  f"{size[0]} x {size[1]} x {size[2]} (--rows, --columns)", file=sys.stderr)  # fmt: skip
            return
        yield f"standard input, frame {number}", np.frombuffer(content, np.uint8).reshape(size)


def _folder(folder: Path, channels: int, follow: bool) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the pictures in natural order and, with `follow`, those added after them."""
    newest = None
    while True:
        found = clips.pictures(folder)
        after = found if newest is None else [path for path in found if clips.natural([path, newest])[0] == newest]
        for path in (each for each in after if each != newest):
            yield str(path), _complete(path, channels, follow)
            newest = path
        if not follow:
            return
        time.sleep(POLL_S)


def _complete(path: Path, channels: int, follow: bool) -> np.ndarray:
    """Reads a picture; with `follow`, retries, since it may still be being written."""
    for _ in range(TRIES if follow else 0):
        with contextlib.suppress(InputError):
            return clips.picture(path, channels)
        time.sleep(POLL_S)
    return clips.picture(path, channels)
