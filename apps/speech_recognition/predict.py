"""Loads a trained run and transcribes recordings."""

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from scipy.special import log_softmax

from shared import InputError, ctc, files, lines, runs, settings
from shared.data.sequences import in_buckets

from . import audio, pictures
from .certainty import Thresholds, thresholds
from .config import APP, Config
from .features import HOP_S, Frames, prepared
from .language import lexicon
from .listener import Listener
from .options import Decoding, Predict
from .transcript import Transcript, as_json, as_text, described, subtitles, words_of
from .utterance import Utterance

LONGEST_S = 20.0  # longer recordings are transcribed in segments, ...
QUIET_S = 0.2  # ... each cut at the quietest window of this length in its second half
MULTIPLE = 120  # inputs longer than the largest bucket are padded to a multiple of this: each new shape is compiled
BATCH = 32
SUBTITLES = ".srt"
CALIBRATION = "calibration.json"
DEFAULT_BEAM = 24  # minimum beam width with hot words or several transcripts


class Predictor:
    """A trained run, ready for inference: transcribes utterances given as frames."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info = run, run.info()
        self.config = run.settings(Config)
        self.symbols, self.targets, self.stride = self.info["symbols"], self.info["targets"], self.config.stride
        self.frames = Frames(self.info["features"], self.info["sample_rate"], self.info["bands"])
        self.model = run.load_model()
        kept = run.file(CALIBRATION)  # missing in a run that was stopped before, or trained by an earlier version
        self.limits = runs.read_numbers(kept, Thresholds) if kept.exists() else None

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, recordings: Sequence[str | Path], **decoding: Any) -> list[dict[str, Any]]:
        """Transcribes recordings, see `transcript.described`.

        Args:
            recordings: WAV, FLAC or OGG files.
            decoding: settings of `Decoding` by name, such as nbest=3.

        Raises:
            InputError: a recording cannot be read, or a setting is invalid.
        """
        how = settings.changed(Decoding(), decoding)
        return [
            described(*transcribed(self, Path(path), how)) for path in lines.several(recordings, str | Path, "paths")
        ]

    def warm_up(self) -> None:
        """Compiles for the usual lengths in advance, so that the first recording is not delayed."""
        if self.info["streaming"]:
            self.listener.warm_up()
            return
        frame = self.frames(np.random.default_rng(0).normal(0, 0.01, self.frames.window))
        for length in self.info["bucket_lengths"]:
            self.log_probabilities([frame.repeat(length, axis=0)])

    @functools.cached_property
    def listener(self) -> Listener:
        """The step-by-step network; streaming runs only."""
        return Listener(self.model, self.info, self.stride)

    def encode(self, text: str) -> list[int]:
        """Encodes a text of known symbols as symbol numbers."""
        numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        return [numbers[symbol] for symbol in (text.split() if self.targets == "words" else text)]

    def log_probabilities(self, utterances: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Converts raw frames (frames, features) of each utterance to log-probabilities (steps, 1 + symbols)."""
        inputs = [prepared(raw, self.info) for raw in utterances]
        longest = max(map(len, inputs), default=0)
        lengths = [-(-length // self.stride) * self.stride for length in self.info["bucket_lengths"]]
        if longest > lengths[-1]:
            lengths.append(-(-longest // MULTIPLE) * MULTIPLE)
        found: list[np.ndarray] = [np.empty(0)] * len(inputs)
        for rows, padded, mask in in_buckets(inputs, lengths, BATCH):
            logits = ops.convert_to_numpy(self.model.predict_on_batch([padded, mask]))
            for row, each in zip(rows, logits, strict=False):
                found[row] = log_softmax(each[: -(-len(inputs[row]) // self.stride)].astype(np.float64), axis=-1)
        return found

    def lexicon(self, hot_words: Sequence[str] = (), hot_bonus: float = 0.0) -> ctc.Lexicon | None:
        """Returns the words that the beam search may find; see `language.lexicon`."""
        return lexicon(self.info, self.config, hot_words, hot_bonus)

    def transcripts(
        self, log_probabilities: np.ndarray, lexicon: ctc.Lexicon | None, beam: int, most: int = 1
    ) -> list[Transcript]:
        """Returns the best transcripts of an utterance, best first; the greedy one if `beam` is 0.

        Falls back to the greedy transcript if the search finds no complete words.
        """
        guesses = ctc.search(log_probabilities, beam, lexicon, most) if beam else []
        found = [Transcript(self._aligned(log_probabilities, guess.symbols), guess.score) for guess in guesses]
        if not found:
            spikes = ctc.greedy(log_probabilities)
            score = float(log_probabilities.max(axis=1).sum())
            found = [Transcript(words_of(spikes, self.symbols, self.targets, self.stride), score)]
        return [each.marked(self.limits) for each in found]

    def calibrate(self, valid: Sequence[Utterance]) -> None:
        """Chooses on validation which words and transcripts are marked as uncertain, and saves it in the run."""
        beam = width(self, Decoding())
        words = self.lexicon() if beam else None
        right = []
        for utterance, found in zip(valid, self.log_probabilities([each.raw for each in valid]), strict=True):
            best = self.transcripts(found, words, beam)[0]
            if best.text == utterance.text:
                right.append([word.confidence for word in best.words])
        self.limits = thresholds(right)
        files.write_json(self.run.file(CALIBRATION), dataclasses.asdict(self.limits))

    def _aligned(self, log_probabilities: np.ndarray, symbols: tuple[int, ...]) -> tuple:
        spikes = ctc.align(log_probabilities, symbols) if symbols else []
        return words_of(spikes, self.symbols, self.targets, self.stride)


def heard(predictor: Predictor, path: Path) -> Iterator[tuple[float, np.ndarray, np.ndarray | None]]:
    """Yields start (s), log-probabilities and raw frames of each segment of a recording, in constant memory.

    A streaming network processes the recording as a stream and yields a single segment, with None for the frames.
    """
    rate = predictor.info["sample_rate"]
    if predictor.info["streaming"]:
        listener = predictor.listener
        listener.start()
        found = [listener.hear(block) for block in audio.blocks(path, rate)]
        if not listener.running.count:
            raise InputError(f"{path}: expected at least one frame of sound; it is shorter")
        yield 0.0, np.concatenate([*found, listener.end()]), None
        return
    start = 0
    for piece in pieces(audio.blocks(path, rate), rate):
        if start and not predictor.frames.count(len(piece)):
            return  # the remainder is shorter than one frame
        raw = predictor.frames(piece, str(path))
        (found,) = predictor.log_probabilities([raw])
        yield start / rate, found, raw
        start += len(piece)


def pieces(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Splits blocks of samples into segments of about `LONGEST_S` seconds at most, cut where the sound is quietest."""
    have, most, quiet = np.zeros(0, np.float32), int(LONGEST_S * rate), int(QUIET_S * rate)
    for block in blocks:
        have = np.concatenate([have, block])
        while len(have) > most:
            energy = np.cumsum(np.square(have[most // 2 : most], dtype=np.float64))
            cut = most // 2 + quiet // 2 + int(np.argmin(energy[quiet:] - energy[:-quiet]))
            yield have[:cut]
            have = have[cut:]
    yield have


def predict(options: Predict) -> None:
    """Runs the predict verb: transcribes each recording; of several, unreadable ones are reported on stderr."""
    paths = audio.find(options.recordings)
    if options.picture and len(paths) > 1:
        raise InputError(f"--picture: expected one recording; received {len(paths)}")
    if options.srt:
        check_subtitles(paths)
    predictor = ready(runs.find(APP, options.run))
    lines.each(paths, lambda path: _transcribe(predictor, path, options))


def ready(run: runs.Run) -> Predictor:
    """Returns the predictor for a command; prints a note on stderr if the run cannot tell what is uncertain."""
    predictor = Predictor(run)
    if predictor.limits is None:
        print(
            f"{run.path} has no thresholds of confidence: it was stopped before they were chosen, or trained by an "
            "earlier version. Its transcripts are not marked as uncertain.",
            file=sys.stderr,
        )
    return predictor


def check_subtitles(recordings: Sequence[Path]) -> None:
    """Raises InputError if a file of subtitles would replace another file or be that of two recordings."""
    written: dict[Path, Path] = {}
    for path in recordings:
        subtitled = path.with_suffix(SUBTITLES)
        if subtitled.exists():
            raise InputError(f"--srt: expected no {subtitled} yet. Move or delete it first")
        if subtitled in written:
            raise InputError(f"--srt: {written[subtitled]} and {path} would both get {subtitled}. Rename one of them")
        written[subtitled] = path


def _transcribe(predictor: Predictor, path: Path, options: Predict) -> None:
    """Transcribes one recording, and prints and writes the requested outputs."""

    def draw(log_probabilities: np.ndarray, raw: np.ndarray | None, best: Transcript) -> None:
        raw = predictor.frames(audio.read(path, predictor.info["sample_rate"])) if raw is None else raw
        pictures.alignment(raw, log_probabilities, best, predictor, Path(str(options.picture)))

    seconds, found = transcribed(predictor, path, options.decoding, draw if options.picture else None)
    print(as_json(str(path), seconds, found) if options.json else as_text(str(path), found), flush=True)
    if options.srt:
        files.write_text(path.with_suffix(SUBTITLES), subtitles(found[0].words))
        if not options.json:
            print(f"Subtitles: {path.with_suffix(SUBTITLES)}")
    if options.picture and not options.json:
        print(f"Picture: {options.picture}")


def transcribed(
    predictor: Predictor, path: Path, how: Decoding, see: Callable | None = None
) -> tuple[float, list[Transcript]]:
    """Returns the length of a recording in seconds and its transcripts, best first; one if it has several segments.

    Args:
        see: called at the end with log-probabilities, raw frames and best transcript of the first segment.
    """
    beam = width(predictor, how)
    words = predictor.lexicon(how.hot_words, how.hot_bonus) if beam else None
    parts, seconds = [], 0.0
    for start, log_probabilities, raw in heard(predictor, path):
        parts.append([each.later(start) for each in predictor.transcripts(log_probabilities, words, beam, how.nbest)])
        seconds = start + len(log_probabilities) * predictor.stride * HOP_S
        if start == 0:
            first = (log_probabilities, raw, parts[0][0])
    if see:
        see(*first)
    # Segments are decoded independently: their best transcripts can be joined, but there is no joint second-best.
    joined = parts[0] if len(parts) == 1 else [functools.reduce(Transcript.and_then, (each[0] for each in parts))]
    return seconds, joined


def width(predictor: Predictor, how: Decoding) -> int:
    """Returns the beam width of the search; 0 = greedy decoding."""
    beam = how.beam
    if beam is None:  # streaming runs decode greedily by default, as `stream` does
        searched = predictor.targets == "characters" and not predictor.info["streaming"]
        beam = predictor.config.beam if searched else 0
        if how.hot_words or how.nbest > 1:
            beam = max(beam, DEFAULT_BEAM)
    return beam
