"""Loads a trained run and translates: a sentence, a file of sentences, or a stream."""

import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, files, lines, runs, settings
from shared.beam import ROOM, BeamSearch
from shared.data.sequences import in_buckets, pad, spread
from shared.data.text import UNKNOWN

from . import answers, confidence, pictures
from .answers import Translation
from .confidence import Confidence
from .config import APP
from .data import Part
from .familiar import Familiar, pairs
from .model import compiled_encoder, decoder_step, with_attention
from .options import NBest, Predict, Search, Stream
from .tokens import BEGIN, END, PAD, UNK, Encoded, Tokenizer, clean

BATCH = 64  # sentences per batch
CALIBRATION = "calibration.json"
MOST = 1_000  # validation pairs to learn the confidence on
MOSTLY = 0.5  # a sentence with a larger share of unknown tokens is refused
AROUND = ".,;:!?()\"'"  # punctuation that may stand around a word


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
        kept = run.file(CALIBRATION)
        self.familiar: Familiar | None = None
        self.confidence: Confidence | None = None
        if kept.exists():  # missing in a run that was stopped before, or trained without
            self._use(runs.read_json(kept, dict))

    def _use(self, found: Mapping) -> None:
        self.familiar, self.confidence = Familiar(found["pairs"]), Confidence(**found["confidence"])

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, sentences: Sequence[str], **search: Any) -> list[dict[str, Any]]:
        """Translates sentences, see `answers.described`.

        Args:
            search: settings of `NBest` by name, such as beam=1.

        Raises:
            InputError: a sentence is empty or too long, or a setting is invalid.
        """
        given, how = lines.several(sentences, str, "texts"), settings.changed(NBest(), search)
        found = self.translate([self.encode(text) for text in given], wide(how), how.nbest)
        return [answers.described(text, each, how.nbest) for text, each in zip(given, found, strict=True)]

    def encode(self, text: str) -> Encoded:
        """Tokenises a source. Raises InputError as `tokenised` does, and if most of its tokens are unknown."""
        encoded = self.tokenised(text)
        tokens = self.tokenizer.shown(encoded.ids)
        unknown, count = self.familiar.unknown(tokens) if self.familiar else (tokens.count(UNKNOWN), len(tokens) - 1)
        if unknown > MOSTLY * count:
            raise InputError(
                f"Expected a sentence like those in training, in the language {self.run.config['source']}. "
                f"Received {lines.shown(text)!r}, whose tokens are unknown to the network: {unknown} of {count}."
            )
        return encoded

    def tokenised(self, text: str) -> Encoded:
        """Tokenises a sentence of either language. Raises InputError if it is empty or longer than `max_tokens`."""
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

        Attention weights are computed if `attention` is set, for the confidence if the run has one, and where an
        unknown token must be copied from the source.
        """
        found = self.ids([sentence.ids for sentence in sentences], search, nbest)
        flat = [(number, *each) for number, some in enumerate(found) for each in some]
        every = attention or self.familiar is not None
        asked = [place for place, (_, ids, *_) in enumerate(flat) if every or UNK in ids]
        sources, targets = ([sentences[flat[p][0]].ids for p in asked], [flat[p][1] for p in asked])
        computed = dict(zip(asked, self._forced(sources, targets), strict=True))
        translations: list[list[Translation]] = [[] for _ in sentences]
        for place, (number, ids, score, log_p) in enumerate(flat):
            source, (weights, nats) = sentences[number], computed.get(place, (None, None))
            copied = [] if weights is None else [source.pieces[n] for n in weights[:, :-1].argmax(axis=1)]
            text = self.tokenizer.decode(ids, copied)
            shown, read = self.tokenizer.shown(ids), self.tokenizer.shown(source.ids)
            features = self.familiar and confidence.features(nats, weights, self.familiar.new(read))
            chance, uncertain, not_sure = self._sure(text, features)
            words = self._unknown_words(source) if not_sure else ()
            translations[number].append(
                Translation(text, score, log_p, shown, read, weights, features, chance, uncertain, not_sure, words)
            )
        return translations

    def _sure(self, text: str, features: list[float] | None) -> tuple[float | None, bool, bool]:
        """Returns the confidence of a translation, whether it is uncertain (as is an empty one), and if not sure."""
        if self.confidence is None or features is None:
            return None, not text, False
        chance = float(self.confidence(np.array(features)))
        return chance, not text or chance < self.confidence.threshold, chance < self.confidence.abstain

    def _unknown_words(self, source: Encoded) -> list[str]:
        """Returns the words of a source that the training sources do not have, without punctuation around them."""
        every = self.tokenizer.decode(source.ids, source.pieces).split(" ")
        tokens = {word: self.tokenizer.shown(self.tokenizer.encode(word).ids) for word in every if word}
        strange = [word for word in tokens if self.familiar and not self.familiar.knows(tokens[word])]
        return [word.strip(AROUND) or word for word in strange]

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

    def calibrate(self, train: Part, valid: Part) -> None:
        """Learns on validation pairs how likely a translation is right, and saves it in the run."""
        read = {tuple(self.tokenizer.shown(source)) for source, _ in train.ids}
        known = sorted({pair for tokens in read for pair in pairs(tokens)})
        self.familiar, self.confidence = Familiar(known), None
        some = [valid.pairs[number] for number in spread(len(valid.pairs), MOST)]
        written = self._best([pair.source for pair in some])
        references, random = [pair.target for pair in some], np.random.default_rng(0)
        strange = self._best([made for pair in some if (made := confidence.strange(pair.source, random))])
        sentences = confidence.of_sentences(references)
        right = confidence.right([each.text for each in written], references, sentences)
        known_features, strange_features = (
            np.array([each.features for each in part]).reshape(-1, len(confidence.NAMES)) for part in (written, strange)
        )
        found = confidence.fit(known_features, right, strange_features, sentences)
        files.write_json(self.run.file(CALIBRATION), {"confidence": dataclasses.asdict(found), "pairs": known})
        self.confidence = found

    def _best(self, texts: Sequence[str]) -> list[Translation]:
        """Returns the best translation of each text, without those that are too long."""
        encoded = [self.tokenizer.encode(text) for text in texts]
        short = [sentence for sentence in encoded if len(sentence.ids) <= self.max_tokens]
        return [best for best, *_ in self.translate(short, Search())]

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


def ready(run: runs.Run) -> Predictor:
    """Returns the predictor for a command; prints a note on stderr if the run has no confidence."""
    predictor = Predictor(run)
    if predictor.confidence is None:
        print(
            f"{run.path} has no confidence: it was stopped before that was learned, or trained by an earlier version. "
            "Its translations are not marked as uncertain, unless they are empty.",
            file=sys.stderr,
        )
    return predictor


def predict(options: Predict) -> None:
    """Runs the predict command: translates the sentence, or each line of a file or of standard input."""
    if options.picture:
        files.check_picture(options.picture, "--picture")
    found = lines.read(options.text)
    predictor = ready(runs.find(APP, options.run))
    nbest, search = options.search.nbest, wide(options.search)
    written: list[str] = []

    def answer(sentences: list[Encoded]) -> list[list[Translation]]:
        return predictor.translate(sentences, search, nbest, attention=bool(options.picture))

    for number, (line, translations) in enumerate(lines.answered(found, predictor.encode, answer), 1):
        some = translations or []
        print(answers.as_json(line.text, some, nbest) if options.json else answers.shown(some, nbest))
        written += [each.text for each in some[:1]]
        if translations and options.picture:
            path = Path(options.picture)
            path = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            best = translations[0]
            pictures.attention(best.source, best.tokens, best.attention, path)
            print(f"Picture: {path}", file=sys.stderr)
    if note := answers.said_of_empty(answers.empty_percent(written)):
        print(f"{predictor.run.path}: {note}", file=sys.stderr)


def wide(search: NBest) -> NBest:
    """Returns the settings with a beam of at least as many translations as are asked for."""
    return dataclasses.replace(search, beam=max(search.beam, search.nbest))


def stream(options: Stream) -> None:
    """Runs the stream command: translates each line of standard input as it arrives."""
    predictor = ready(runs.find(APP, options.run))
    predictor.warm_up(options.search)

    def answer(text: str) -> str:
        (translations,) = predictor.translate([predictor.encode(text)], options.search)
        return answers.as_json(text, translations) if options.json else str(translations[0])

    lines.stream(answer, "a sentence")


def samples(predictor: Predictor) -> None:
    """Translates a few validation sentences, prints them, saves them to samples.txt, and plots the longest one."""
    sentences = [predictor.tokenised(text) for text in predictor.examples]
    found = [best for best, *_ in predictor.translate(sentences, Search(), attention=True)]
    each = [f"{text}\n  -> {best}" for text, best in zip(predictor.examples, found, strict=True)]
    print("\n" + "\n".join(each))
    files.write_text(predictor.run.file("samples.txt"), "\n".join(each) + "\n")
    longest = max(found, key=lambda best: len(best.tokens))
    pictures.attention(longest.source, longest.tokens, longest.attention, predictor.run.file("attention.png"))
