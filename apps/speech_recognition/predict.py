"""Loads a trained run and transcribes recordings with it."""

import functools
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from keras import ops
from scipy.special import log_softmax

from shared import InputError, ctc, runs
from shared.baselines import NGram
from shared.data.sequences import in_buckets

from . import audio, pictures
from .config import APP, Config
from .features import Frames, prepared
from .listener import Listener
from .options import Predict
from .transcript import Transcript, as_json, line, subtitles, words_of

LONGEST_S = 20.0  # a longer recording is transcribed in pieces, ...
QUIET_S = 0.2  # ... which end at the quietest so many seconds in the second half of what was read
MULTIPLE = 120  # frames that lengths beyond those of training are filled up to: each new shape is compiled
BATCH = 32


class Predictor:
    """A trained run, ready to use: recordings in, transcripts out."""

    def __init__(self, run: runs.Run) -> None:
        self.run, self.info = run, run.info()
        self.config = run.settings(Config)
        self.symbols, self.targets, self.stride = self.info["symbols"], self.info["targets"], self.config.stride
        self.frames = Frames(self.info["features"], self.info["sample_rate"], self.info["bands"])
        self.model = run.load_model()

    @functools.cached_property
    def listener(self) -> Listener:
        """The network step by step; of a streaming run alone."""
        return Listener(self.model, self.info, self.stride)

    @functools.cached_property
    def words(self) -> list[str]:
        """The words of the training transcripts."""
        return sorted({word for text in self.info["texts"] for word in text.split()})

    def encode(self, text: str) -> list[int]:
        """A text of known symbols -> their numbers."""
        numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        return [numbers[symbol] for symbol in (text.split() if self.targets == "words" else text)]

    def log_probabilities(self, utterances: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Raw frames of utterances, each (frames, features), -> of each (steps, 1 + symbols), in their order."""
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

    def lexicon(self, hot_words: Iterable[str] = (), hot_bonus: float = 0.0) -> ctc.Lexicon | None:
        """The words that a search may find and what each adds: the language model, a bonus, and one for hot words."""
        hot = {word.lower() for word in hot_words}
        known = self.words if self.targets == "characters" else self.symbols[1:]
        words = sorted({*known, *hot}) if self.targets == "characters" else known
        unknown = sorted({c for word in hot for c in word} - set(self.symbols)) if self.targets == "characters" else []
        if unknown or (self.targets == "words" and not hot <= set(words)):
            raise InputError(f"--hot-words: expected words of the symbols that the run knows; received {sorted(hot)}")
        numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        spelled = [[numbers[c] for c in ([word] if self.targets == "words" else word)] for word in words]
        space = numbers[" "] if self.targets == "characters" and " " in numbers else None
        if self.targets == "characters" and space is None:
            return None
        bonus = np.array([hot_bonus * (word in hot) for word in words]) + self.config.word_bonus
        model = self._language_model(words)
        context, weight = max(0, self.config.ngram - 1), self.config.ngram_weight

        @functools.lru_cache(maxsize=100_000)
        def model_score(before: tuple[int, ...], word: int) -> float:
            ids = [*([len(words)] * (context - len(before))), *before, word]
            return -float(model.nats(ids)[-1])

        def score(before: tuple[int, ...], word: int) -> float:
            added = weight * model_score(before[-context:] if context else (), word) if model else 0.0
            return float(bonus[word]) + added

        return ctc.Lexicon(spelled, space, score)

    def _language_model(self, words: list[str]) -> NGram | None:
        """An n-gram model of the training transcripts, which have one more token between them."""
        if not self.config.ngram or not self.config.ngram_weight:
            return None
        numbers = {word: number for number, word in enumerate(words)}
        gap = [len(words)] * max(1, self.config.ngram - 1)
        ids = [*gap]
        for text in self.info["texts"]:
            ids += [*(numbers[word] for word in text.split()), *gap]
        return NGram(self.config.ngram).fit(ids, len(words) + 1)

    def transcripts(
        self, log_probabilities: np.ndarray, lexicon: ctc.Lexicon | None, beam: int, most: int = 1
    ) -> list[Transcript]:
        """The best transcripts of an utterance, the best first; the greedy one if `beam` is 0.

        A search that finds no whole words gives the greedy one too.
        """
        guesses = ctc.search(log_probabilities, beam, lexicon, most) if beam else []
        found = [Transcript(self._aligned(log_probabilities, guess.symbols), guess.score) for guess in guesses]
        if not found:
            spikes = ctc.greedy(log_probabilities)
            score = float(log_probabilities.max(axis=1).sum())
            found = [Transcript(words_of(spikes, self.symbols, self.targets, self.stride), score)]
        return found

    def _aligned(self, log_probabilities: np.ndarray, symbols: tuple[int, ...]) -> tuple:
        spikes = ctc.align(log_probabilities, symbols) if symbols else []
        return words_of(spikes, self.symbols, self.targets, self.stride)


def heard(predictor: Predictor, path: Path) -> Iterator[tuple[float, np.ndarray, np.ndarray | None]]:
    """Start in seconds, log-probabilities and raw frames of each piece of a recording; memory does not grow with it.

    A streaming network hears it as it would from a stream, and gives one piece without frames.
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
        raw = predictor.frames(piece, str(path))
        (found,) = predictor.log_probabilities([raw])
        yield start / rate, found, raw
        start += len(piece)


def pieces(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Blocks of samples -> stretches of at most about `LONGEST_S` seconds, cut where it is quietest."""
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
    """The predict verb: a transcript of each recording; one of several that cannot be read is named on stderr."""
    predictor = Predictor(runs.find(APP, options.run))
    paths = audio.find(options.recordings)
    if options.picture and len(paths) > 1:
        raise InputError(f"--picture: expected one recording; received {len(paths)}")
    for path in paths:
        try:
            _transcribe(predictor, path, options)
        except InputError as error:
            if len(paths) == 1:
                raise
            print(f"left out: {error}", file=sys.stderr, flush=True)


def _transcribe(predictor: Predictor, path: Path, options: Predict) -> None:
    """Prints and writes what is asked for of one recording."""
    beam = options.beam
    if beam is None:
        beam = predictor.config.beam if predictor.targets == "characters" and not predictor.info["streaming"] else 0
    beam = max(beam, options.nbest if options.nbest > 1 else 0, 8 if options.hot_words and not beam else 0)
    lexicon = predictor.lexicon(options.hot_words, options.hot_bonus) if beam else None
    best, seconds, others = [], 0.0, []
    for start, log_probabilities, raw in heard(predictor, path):
        found = predictor.transcripts(log_probabilities, lexicon, beam, options.nbest)
        best += [_later(word, start) for word in found[0].words]
        seconds = start + len(log_probabilities) * predictor.stride / 100
        others.append(found)
        if options.picture and start == 0:
            raw = predictor.frames(audio.read(path, predictor.info["sample_rate"])) if raw is None else raw
            pictures.alignment(raw, log_probabilities, found[0], predictor, Path(options.picture))
    text = " ".join(word.text for word in best)
    whole = Transcript(tuple(best), sum(found[0].score for found in others))
    ranked = others[0] if len(others) == 1 else [whole]
    if options.json:
        print(as_json(str(path), seconds, ranked), flush=True)
    else:
        print(f"{path}: {text or '(no words)'}")
        print("".join(f"{line(word)}\n" for word in best), end="", flush=True)
        for place, other in enumerate(ranked[1:], 2):
            print(f"  {place}. {other.text or '(no words)'}   ({other.score - ranked[0].score:+.2f} nats)")
    if options.srt:
        runs.write_text(path.with_suffix(".srt"), subtitles(best))
    if options.picture and not options.json:
        print(f"Picture: {options.picture}")


def _later(word, start: float):
    import dataclasses

    return dataclasses.replace(word, start=round(word.start + start, 3), end=round(word.end + start, 3))
