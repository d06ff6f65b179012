"""Loads a trained run and translates with it: a sentence, a file, lines as they come, or what you type."""

import dataclasses
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from shared import InputError, runs
from shared.beam import ROOM, BeamSearch
from shared.data.sequences import pad
from shared.data.text import names_file, read_text

from . import pictures
from .config import APP, Search, ServeLines, Translate
from .model import attending, reader, step
from .tokens import BEGIN, END, PAD, UNK, Encoded, Tokenizer, clean

BATCH, FEW = 64, 8  # so many sentences at once; up to FEW go one by one, each new batch size is compiled anew


@dataclasses.dataclass(frozen=True)
class Translation:
    """A translation, what it was ranked by, its log-probability in nats, and where each token looked.

    Attention is (tokens, source tokens), None if nobody asked; `tokens` and `source` are as they may be shown.
    """

    text: str
    score: float
    log_probability: float
    tokens: list[str]
    source: list[str]
    attention: np.ndarray | None


class Translator:
    """A trained run, ready to translate: sentences in, translations out."""

    def __init__(self, run: runs.Run, model=None) -> None:
        info = run.info()
        self.tokenizer, self.lengths = Tokenizer(info["tokenizer"]), info["bucket_lengths"]
        self.languages, self.max_tokens = (info["source"], info["target"]), self.lengths[-1]
        self.model = model or run.load_model()
        self.read, self.attending = reader(self.model), attending(self.model)
        self.search = BeamSearch(step(self.model), self.model.variables, len(self.tokenizer), END, coverage=-1)

    def encode(self, text: str, where: str = "The sentence") -> Encoded:
        """The tokens of a sentence. Raises InputError if it is empty or longer than any the network has read."""
        encoded = self.tokenizer.encode(clean(text))
        if len(encoded.ids) < 2:
            raise InputError(f"Expected a sentence. {where} is empty.")
        if len(encoded.ids) > self.max_tokens:
            raise InputError(
                f"Expected a sentence of at most {self.max_tokens} tokens. {where} has {len(encoded.ids):,}: "
                "break it up, or train with a larger --max-tokens."
            )
        return encoded

    def translate(
        self, sentences: list[Encoded], search: Search, nbest: int = 1, look: bool = False
    ) -> list[list[Translation]]:
        """The `nbest` translations of each sentence, the best first, in the order of the sentences.

        Where each token looked is found out if `look` says so, or if there is an unknown one among them.
        """
        found = self.ids([sentence.ids for sentence in sentences], search, nbest)
        flat = [(number, *each) for number, some in enumerate(found) for each in some]
        asked = [place for place, (_, ids, *_) in enumerate(flat) if look or UNK in ids]
        sources, targets = ([sentences[flat[p][0]].ids for p in asked], [flat[p][1] for p in asked])
        looked = dict(zip(asked, self.attention(sources, targets), strict=True))
        translations: list[list[Translation]] = [[] for _ in sentences]
        for place, (number, ids, score, log_p) in enumerate(flat):
            source, attention = sentences[number], looked.get(place)
            copied = [] if attention is None else [source.pieces[n] for n in attention[:, :-1].argmax(axis=1)]
            text = self.tokenizer.decode(ids, copied)
            shown = self.tokenizer.shown(ids), self.tokenizer.shown(source.ids)
            translations[number].append(Translation(text, score, log_p, *shown, attention))
        return translations

    def ids(self, sources: list[np.ndarray], search: Search, nbest: int = 1) -> list[list[tuple]]:
        """For each source (time,) its translations: (ids (time,), score, log-probability)."""
        found: list[list[tuple]] = [[] for _ in sources]
        for rows, padded in self._batches(sources):
            states, constants = self.read(padded)
            # A translation is seldom longer than that; one that is ends there.
            length = 10 + 2 * padded.shape[1]
            first = np.full(len(padded), BEGIN, np.int32)
            best = self.search(
                first,
                states,
                constants,
                beam=search.beam,
                length=length,
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

    def attention(self, sources: list[np.ndarray], targets: list[np.ndarray]) -> list[np.ndarray]:
        """Where each token of a target looked: (target tokens, source tokens) for each pair."""
        return [attention for attention, _ in self._forced(sources, targets)]

    def log_probabilities(self, sources: list[np.ndarray], targets: list[np.ndarray]) -> list[np.ndarray]:
        """log p of each token of a given target (target tokens,), in nats, for each pair."""
        return [nats for _, nats in self._forced(sources, targets)]

    def _forced(self, sources: list[np.ndarray], targets: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Attention and log-probabilities of given targets."""
        found: list = [None] * len(sources)
        for rows, source in self._batches(sources):
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

    def _batches(self, sources: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows of about the same length and their ids, padded to few shapes, since each is compiled."""
        size = 1 if len(sources) <= FEW else BATCH
        bucket = np.searchsorted(self.lengths, [len(source) for source in sources])
        for number, length in enumerate(self.lengths):
            rows = np.flatnonzero(bucket == number)
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                yield some, pad([sources[row] for row in np.resize(some, size)], length)[0]


def translate(options: Translate) -> None:
    """The translate verb."""
    if options.picture:
        pictures.check(Path(options.picture))
    lines = _lines(options.text)
    translator = Translator(runs.find(APP, options.run))
    if lines is None:
        return interact(translator, options)
    sentences = [translator.encode(line, where) for line, where in lines]
    search = dataclasses.replace(options.search, beam=max(options.search.beam, options.nbest))
    found = translator.translate(sentences, search, options.nbest, look=bool(options.picture))
    for number, translations in enumerate(found):
        print("\n".join(said(translations, options.nbest)))
        if options.picture:
            draw(translations[0], options.picture, number)
    return None


def said(translations: list[Translation], nbest: int) -> list[str]:
    """A line for each translation; with scores if there may be several."""
    if nbest == 1:
        return [translations[0].text]
    return [f"{each.score:8.3f} {each.log_probability:8.3f}  {each.text}" for each in translations]


def draw(translation: Translation, picture: str, number: int) -> None:
    """Draws where the decoder looked; the second sentence's picture is called NAME-2."""
    path = Path(picture)
    if number:
        path = path.with_stem(f"{path.stem}-{number + 1}")
    pictures.attention(translation.source, translation.tokens, translation.attention, path)
    print(f"Picture: {path}", file=sys.stderr)


def interact(translator: Translator, options: Translate) -> None:
    """Translates what is typed until an empty line."""
    source, target = translator.languages
    print(f"{source} -> {target}. Type a sentence; an empty line ends.")
    while True:
        print("> ", end="", flush=True)
        line = sys.stdin.readline().strip()
        if not line:
            return
        try:
            (translations,) = translator.translate([translator.encode(line)], options.search, options.nbest)
            print("\n".join(said(translations, options.nbest)), flush=True)
        except InputError as error:
            print(error)


def serve_lines(options: ServeLines) -> None:
    """The serve-lines verb: a translation for each line, an empty one for an empty one or one that cannot be read."""
    translator = Translator(runs.find(APP, options.run))
    for length in translator.lengths:  # compiled now, so that no line waits for it
        translator.translate([Encoded(np.full(length, END, np.int32), [""] * length)], options.search)
    print("Ready: a sentence on each line; the end of the input (Ctrl-D) ends.", file=sys.stderr, flush=True)
    took = []
    sys.stdin.reconfigure(errors="replace")  # a broken character must not end the answers
    for number, line in enumerate(sys.stdin, 1):
        started = time.perf_counter()
        answer = ""
        if line.strip():
            try:
                encoded = translator.encode(line, f"Line {number}")
                answer = translator.translate([encoded], options.search)[0][0].text
                took.append(1000 * (time.perf_counter() - started))
            except InputError as error:
                print(error, file=sys.stderr, flush=True)
        print(answer, flush=True)
    if took:
        p50, p99 = np.percentile(took, [50, 99])
        print(f"{len(took):,} sentences: p50 {p50:.1f} ms, p99 {p99:.1f} ms", file=sys.stderr)


def samples(run: runs.Run) -> None:
    """Translates a few sentences that validation has, prints them and keeps them in samples.txt."""
    translator = Translator(run)
    sentences = run.info()["examples"]
    found = translator.translate([translator.encode(text) for text in sentences], Search(), look=True)
    lines = [f"{text}\n  -> {best.text}" for text, (best, *_) in zip(sentences, found, strict=True)]
    print("\n" + "\n".join(lines))
    runs.write_text(run.file("samples.txt"), "\n".join(lines) + "\n")
    longest = max((best for best, *_ in found), key=lambda best: len(best.tokens))
    pictures.attention(longest.source, longest.tokens, longest.attention, run.file("attention.png"))


def _lines(argument: str) -> list[tuple[str, str]] | None:
    """The sentences that the argument is or names, and where each stands; None if they are to be typed."""
    if not argument:
        if sys.stdin.isatty():
            return None
        argument = "-"
    name = "Standard input"
    if argument == "-":
        sys.stdin.reconfigure(errors="replace")
        text = sys.stdin.read()
    elif names_file(argument):
        text, name = read_text(argument), argument
    else:
        return [(argument, "The sentence")]
    found = [(line, f"{name}, line {number}") for number, line in enumerate(text.splitlines(), 1)]
    if not any(line.strip() for line, _ in found):
        raise InputError(f"Expected sentences. {name} is empty.")
    return found
