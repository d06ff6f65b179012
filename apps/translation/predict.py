"""Loads a trained run and translates: a sentence, a file of sentences, or a stream."""

import dataclasses
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, files, lines, runs, settings
from shared.beam import ROOM, BeamSearch
from shared.data.sequences import in_buckets, pad

from . import pictures
from .config import APP
from .model import compiled_encoder, decoder_step, with_attention
from .options import NBest, Predict, Search, Stream
from .tokens import BEGIN, END, PAD, UNK, Encoded, Tokenizer, clean

BATCH = 64  # sentences per batch


@dataclasses.dataclass(frozen=True)
class Translation:
    """A translation, its ranking score, its log-probability in nats, and the attention weights.

    Attention is (tokens, source tokens), None if not computed; `tokens` and `source` are formatted for display.
    """

    text: str
    score: float
    log_probability: float
    tokens: list[str]
    source: list[str]
    attention: np.ndarray | None


class Predictor:
    """A trained run, ready for inference: translates sentences.

    Args:
        model: the network, during training. None: the best one, loaded from the run.
    """

    def __init__(self, run: runs.Run, model=None) -> None:
        info = run.info()
        self.run, self.tokenizer, self.lengths = run, Tokenizer(info["tokenizer"]), info["bucket_lengths"]
        self.max_tokens, self.examples = self.lengths[-1], info["examples"]
        self.model = model or run.load_model()
        self.read, self.attending = compiled_encoder(self.model), with_attention(self.model)
        self.search = BeamSearch(decoder_step(self.model), self.model.variables, len(self.tokenizer), END, coverage=-1)

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, sentences: Sequence[str], **search: Any) -> list[dict[str, Any]]:
        """Translates sentences, see `described`.

        Args:
            search: settings of `NBest` by name, such as beam=1.

        Raises:
            InputError: a sentence is empty or too long, or a setting is invalid.
        """
        given, how = lines.several(sentences), settings.changed(NBest(), search)
        found = self.translate([self.encode(text) for text in given], wide(how), how.nbest)
        return [described(text, each) for text, each in zip(given, found, strict=True)]

    def encode(self, text: str) -> Encoded:
        """Tokenises a sentence. Raises InputError if it is empty or longer than `max_tokens`."""
        encoded = self.tokenizer.encode(clean(text))
        if len(encoded.ids) < 2:
            raise InputError("Expected a sentence. Received an empty one.")
        if len(encoded.ids) > self.max_tokens:
            raise InputError(
                f"Expected a sentence of at most {self.max_tokens} tokens. Received {len(encoded.ids):,}: "
                "break it up, or train with a larger --max-tokens."
            )
        return encoded

    def translate(
        self, sentences: Sequence[Encoded], search: Search, nbest: int = 1, attention: bool = False
    ) -> list[list[Translation]]:
        """Returns the `nbest` translations of each sentence, best first.

        Attention weights are computed if `attention` is set, and where an unknown token must be copied from the source.
        """
        found = self.ids([sentence.ids for sentence in sentences], search, nbest)
        flat = [(number, *each) for number, some in enumerate(found) for each in some]
        asked = [place for place, (_, ids, *_) in enumerate(flat) if attention or UNK in ids]
        sources, targets = ([sentences[flat[p][0]].ids for p in asked], [flat[p][1] for p in asked])
        computed = dict(zip(asked, self.attention(sources, targets), strict=True))
        translations: list[list[Translation]] = [[] for _ in sentences]
        for place, (number, ids, score, log_p) in enumerate(flat):
            source, weights = sentences[number], computed.get(place)
            copied = [] if weights is None else [source.pieces[n] for n in weights[:, :-1].argmax(axis=1)]
            text = self.tokenizer.decode(ids, copied)
            shown = self.tokenizer.shown(ids), self.tokenizer.shown(source.ids)
            translations[number].append(Translation(text, score, log_p, *shown, weights))
        return translations

    def ids(self, sources: Sequence[np.ndarray], search: Search, nbest: int = 1) -> list[list[tuple]]:
        """Returns the translations of each source (time,): (ids (time,), score, log-probability)."""
        found: list[list[tuple]] = [[] for _ in sources]
        for rows, padded, _ in in_buckets(sources, self.lengths, BATCH):
            states, constants = self.read(padded)
            best = self.search(
                np.full(len(padded), BEGIN, np.int32),
                states,
                constants,
                beam=search.beam,
                length=10 + 2 * padded.shape[1],  # maximum length; few translations are longer
                length_penalty=search.length_penalty,
                coverage_penalty=search.coverage_penalty,
                block_ngrams=search.block_ngrams,
                banned=(PAD, BEGIN),
            )
            for place, row in enumerate(rows):
                for number in range(min(nbest, search.beam)):
                    if math.isfinite(best.scores[place, number]):
                        ids = best.tokens[place, number, : best.lengths[place, number]]
                        figures = best.scores[place, number], best.log_probabilities[place, number]
                        found[row].append((ids, *map(float, figures)))
        return found

    def attention(self, sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Returns the attention weights (target tokens, source tokens) of each pair."""
        return [weights for weights, _ in self._forced(sources, targets)]

    def log_probabilities(self, sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Returns the log-probability in nats of each token of a given target, (target tokens,), for each pair."""
        return [nats for _, nats in self._forced(sources, targets)]

    def _forced(self, sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> list:
        """Returns attention weights and log-probabilities of each pair, by teacher forcing."""
        found: list = [None] * len(sources)
        for rows, source, _ in in_buckets(sources, self.lengths, BATCH):
            some = [targets[row] for row in np.resize(rows, len(source))]
            target, _ = pad(some, -(-max(map(len, some)) // ROOM) * ROOM)
            before = np.pad(target, ((0, 0), (1, 0)))[:, :-1]
            before[:, 0] = BEGIN
            logits, attention = (np.array(x) for x in self.attending([source, before], training=False))
            log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
            picked = np.take_along_axis(log_p, target[..., None], axis=-1)[..., 0]
            for place, row in enumerate(rows):
                written, read = len(targets[row]), len(sources[row])
                found[row] = attention[place, :written, :read], picked[place, :written]
        return found

    def warm_up(self, search: Search, count: int = 1) -> None:
        """Compiles the search for all lengths, in batches of `count` sentences, so that the first are not delayed."""
        for length in self.lengths:
            self.ids([np.full(length, END, np.int32)] * count, search)


def predict(options: Predict) -> None:
    """Runs the predict command: translates the sentence, or each line of a file or of standard input."""
    if options.picture:
        pictures.check(Path(options.picture))
    found = lines.read(options.text)
    predictor = Predictor(runs.find(APP, options.run))
    nbest, search = options.search.nbest, wide(options.search)

    def answer(sentences: list[Encoded]) -> list[list[Translation]]:
        return predictor.translate(sentences, search, nbest, attention=bool(options.picture))

    for number, (line, translations) in enumerate(lines.answered(found, predictor.encode, answer), 1):
        if options.json:
            print(json.dumps(described(line.text, translations), ensure_ascii=False) if translations else "")
        else:
            print(shown(translations or [], nbest))
        if translations and options.picture:
            path = Path(options.picture)
            path = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            best = translations[0]
            pictures.attention(best.source, best.tokens, best.attention, path)
            print(f"Picture: {path}", file=sys.stderr)


def wide(search: NBest) -> NBest:
    """Returns the settings with a beam of at least as many translations as are asked for."""
    return dataclasses.replace(search, beam=max(search.beam, search.nbest))


def described(sentence: str, translations: Sequence[Translation]) -> dict[str, Any]:
    """Returns a sentence, its best translation with score and log-probability, and the others if asked for."""
    best, *others = (
        {"translation": each.text, "score": each.score, "log_probability": each.log_probability}
        for each in translations
    )
    return {"text": sentence, **best, "others": others}


def shown(translations: list[Translation], nbest: int) -> str:
    """Formats one translation per line, with scores if several were requested; "" if there is none."""
    if nbest == 1:
        return "".join(each.text for each in translations)
    return "\n".join(f"{each.score:8.3f} {each.log_probability:8.3f}  {each.text}" for each in translations)


def stream(options: Stream) -> None:
    """Runs the stream command: translates each line of standard input as it arrives."""
    predictor = Predictor(runs.find(APP, options.run))
    predictor.warm_up(options.search)

    def answer(text: str) -> str:
        return predictor.translate([predictor.encode(text)], options.search)[0][0].text

    lines.stream(answer, "a sentence")


def samples(predictor: Predictor) -> None:
    """Translates a few validation sentences, prints them, saves them to samples.txt, and plots the longest one."""
    sentences = [predictor.encode(text) for text in predictor.examples]
    found = [best for best, *_ in predictor.translate(sentences, Search(), attention=True)]
    answers = [f"{text}\n  -> {best.text}" for text, best in zip(predictor.examples, found, strict=True)]
    print("\n" + "\n".join(answers))
    files.write_text(predictor.run.file("samples.txt"), "\n".join(answers) + "\n")
    longest = max(found, key=lambda best: len(best.tokens))
    pictures.attention(longest.source, longest.tokens, longest.attention, predictor.run.file("attention.png"))
