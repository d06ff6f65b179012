"""The stream verb: transcribes live audio in constant memory."""

import collections
import contextlib
import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, feeds, lines, runs
from shared.ctc import Greedy, Spike

from .audio import Resampler
from .config import APP
from .features import HOP_S
from .options import Stream
from .predict import Predictor, ready
from .transcript import Transcript, Word, Words

CHUNK_S = 0.04  # length of the chunks that are read
POLL_S = 0.05  # interval between checks of a growing file
PAUSE_S = 1.0  # a pause this long ends the sentence
MOST_WORDS = 50  # maximum per sentence, so that memory use stays constant
KEPT = 10_000  # number of recent chunks over which the latency is measured
FULL_SCALE = 32_768
HEADERS = (b"RIFF", b"fLaC", b"OggS", b"FORM", b"ID3")  # with which recordings begin


@dataclasses.dataclass
class Position:
    """How many bytes of a file have been heard. name: its absolute path, "" for standard input."""

    name: str = ""
    bytes: int = 0

    def of(self, name: str) -> "Position":
        """Returns the position in the file of this name: 0 if it is another one."""
        return self if self.name == name else Position(name)


class Live:
    """The incremental transcript of a stream."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.listener = predictor, predictor.listener
        self.rate = predictor.info["sample_rate"]
        self.greedy = Greedy()
        self.reader = Words(predictor.symbols, predictor.targets, predictor.stride)
        self.sentence: list[Word] = []
        self.samples = 0
        self.feed = Position()

    @property
    def seconds(self) -> float:
        """The duration of the audio so far, in seconds."""
        return self.samples / self.rate

    def hear(self, samples: np.ndarray) -> list[Word]:
        """Processes new samples (n,) at the run's rate; returns the words that they complete."""
        self.samples += len(samples)
        return self.reader.read(self.greedy.read(self.listener.hear(samples)))

    def end(self) -> list[Word]:
        """Returns the words completed by the end of the audio."""
        spikes = self.greedy.read(self.listener.end()) + self.greedy.end()
        return [*self.reader.read(spikes), *self.reader.end()]

    def said(self, words: list[Word], ended: bool = False) -> Iterator[str]:
        """Yields lines to print: the sentence so far after each word; the whole sentence, with times, once it ends."""
        for word in words:
            if self.sentence and (word.start - self.sentence[-1].end > PAUSE_S or len(self.sentence) == MOST_WORDS):
                yield self._whole()
            self.sentence.append(word)
            yield f"{word.end:9.2f} s   {' '.join(each.text for each in self.sentence)} ..."
        now = self.greedy.step * self.predictor.stride * HOP_S
        waited = not self.reader.open and self.sentence and now - self.sentence[-1].end > PAUSE_S
        if self.sentence and (ended or waited):
            yield self._whole()

    def _whole(self) -> str:
        words, self.sentence = self.sentence, []
        lowest = min(word.confidence for word in words)
        sentence = Transcript(tuple(words), 0.0).marked(self.predictor.limits)
        return f"{words[0].start:9.2f} - {words[-1].end:.2f} s   {sentence}   (least confidence {lowest:.2f})"

    def save(self, path: Path) -> None:
        """Saves the complete state to a file."""
        reading = {
            "step": self.greedy.step,
            "open": self.greedy.open and dataclasses.asdict(self.greedy.open),
            "spikes": [dataclasses.asdict(spike) for spike in self.reader.open],
            "sentence": [dataclasses.asdict(word) for word in self.sentence],
            "heard": self.samples,
            "feed": dataclasses.asdict(self.feed),
        }
        self.listener.save(path, reading=json.dumps(reading))

    def restore(self, path: Path) -> None:
        """Restores a saved state. Raises InputError if it is damaged or of another run."""
        saved = self.listener.restore(path)
        try:
            reading = json.loads(str(saved["reading"]))
            self.greedy.step, self.samples = reading["step"], reading["heard"]
            self.greedy.open = Spike(**reading["open"]) if reading["open"] else None
            self.reader.open = [Spike(**spike) for spike in reading["spikes"]]
            self.sentence = [Word(**word) for word in reading["sentence"]]
            self.feed = Position(**reading["feed"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: expected the saved state of a stream of this run; {error}") from error


def stream(options: Stream) -> None:
    """Runs the stream verb: prints the sentence so far after each word; reports the speed on stderr at the end."""
    live = Live(ready(runs.find(APP, options.run)))
    rate, state = options.rate or live.rate, Path(options.state) if options.state else None
    if state and rate != live.rate:
        raise InputError(f"--state: expected with --rate {live.rate} only, the rate of the run; received {rate}")
    if state and state.exists():
        live.restore(state)
    live.listener.warm_up()
    before, took, spent, first = live.seconds, collections.deque[float](maxlen=KEPT), 0.0, None
    print(f"Ready: raw samples at {rate:,} Hz, 16 bits, one channel.", file=sys.stderr, flush=True)
    resample = Resampler(rate, live.rate)
    with contextlib.suppress(KeyboardInterrupt), feeds.interruptible():
        live.feed = live.feed.of("" if options.feed == "-" else str(Path(options.feed).resolve()))
        for chunk in feed(options, rate, live.feed):
            with feeds.undisturbed():
                began = time.perf_counter()
                words = live.hear(resample(chunk))
                took.append(1000 * (time.perf_counter() - began))
                spent += took[-1] / 1000
                if words and first is None:
                    first = live.seconds - words[0].start
                for text in live.said(words):
                    print(text, flush=True)
    if not took:
        raise InputError(f"{options.feed}: expected new raw samples; there were none")
    if state:
        live.save(state)
    else:
        for text in live.said([*live.hear(resample(np.zeros(0, np.float32), last=True)), *live.end()], ended=True):
            print(text, flush=True)
    heard = live.seconds - before
    p50, p99 = lines.percentiles(list(took))
    shown = "no word" if first is None else f"first word shown {1000 * first:.0f} ms after it began"
    print(
        f"{heard:.1f} s of sound: real-time factor {spent / max(heard, CHUNK_S):.3f}; {shown}; "
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms for {1000 * CHUNK_S:.0f} ms of sound",
        file=sys.stderr,
    )


def feed(options: Stream, rate: int, position: Position) -> Iterator[np.ndarray]:
    """Yields samples (n,) float32 from standard input or a file, as they arrive; of a file, from `position` on.

    Raises:
        InputError: the feed is a recording with a header, or the file has become shorter.
    """
    with contextlib.ExitStack() as stack:
        file: Any = sys.stdin.buffer if options.feed == "-" else stack.enter_context(Path(options.feed).open("rb"))
        size, rest, first = 2 * max(1, round(CHUNK_S * rate)), b"", position.bytes == 0
        if position.bytes and position.name:
            if position.bytes > Path(position.name).stat().st_size:
                raise InputError(
                    f"{options.feed}: expected at least the {position.bytes:,} bytes that were heard; it is shorter. "
                    "Remove the state to start over"
                )
            file.seek(position.bytes)
        while True:
            new = file.read(size)
            if first and new.startswith(HEADERS):
                raise InputError(f"{options.feed}: expected raw samples without a header; transcribe reads recordings")
            first = False
            if not new and not (options.follow and options.feed != "-"):
                return
            if not new:
                time.sleep(POLL_S)
            content = rest + new
            even = len(content) // 2 * 2
            rest = content[even:]
            if even:
                position.bytes += even
                yield np.frombuffer(content[:even], "<i2").astype(np.float32) / FULL_SCALE
