"""Loads a trained run and writes text with it."""

import secrets
import sys
from collections.abc import Iterator

import numpy as np

from shared import InputError, runs
from shared.data.text import END, Vocabulary, characters, join_words, words
from shared.decoding import Decoder

from .config import APP, Generate
from .model import step, zero_states

SAMPLE_TEMPERATURES, SAMPLE_PROMPT = (0.5, 0.8, 1.0), "The "
MOST_FREQUENT = 4  # the first id after the specials: vocabularies are sorted by falling count


class Writer:
    """A trained run, ready to write: text in, text out."""

    def __init__(self, run: runs.Run) -> None:
        info = run.info()
        self.level = info["level"]
        self.vocabulary = Vocabulary(tuple(info["vocabulary"]))
        # The model never saw these: padding, an unknown token, the begin of a text (and the end, for characters).
        self.banned = (0, 1, 2) if self.level == "word" else (0, 1, 2, 3)
        line_end = self.vocabulary.index.get("\n" if self.level == "char" else END, MOST_FREQUENT)
        self.start = np.array([line_end], np.int32)
        self.model = run.load_model()
        self.decoder = Decoder(step(self.model), self.model.variables, len(self.vocabulary))

    def encode(self, text: str) -> np.ndarray:
        """Text -> ids (time,), the start of a line if it is empty; a word never seen is read as <unk>.

        Raises:
            InputError: a character that the run was not trained on.
        """
        tokens = characters(text) if self.level == "char" else words(text)
        unseen = sorted({token for token in tokens if token not in self.vocabulary.index})
        if unseen and self.level == "char":
            shown = ", ".join(repr(token) for token in unseen[:5]) + (", ..." if len(unseen) > 5 else "")
            raise InputError(f"Expected characters that the run was trained on. It has never seen {shown}.")
        return self.vocabulary.encode(tokens) if tokens else self.start

    def known(self, prompt: str) -> str:
        """The prompt, or none if the run does not know a character of it."""
        return prompt if self.level == "word" or set(prompt) <= self.vocabulary.index.keys() else ""

    def decode(self, ids: np.ndarray) -> str:
        """Ids (time,) -> text."""
        tokens = self.vocabulary.decode(ids)
        return "".join(tokens) if self.level == "char" else join_words(tokens)

    def write(self, options: Generate) -> Iterator[str]:
        """Yields the continuation of the prompt, piece by piece as it is written."""
        logits, states = self.decoder.read(self.encode(options.prompt)[None], zero_states(self.model))
        separator = " " if self.level == "word" and options.prompt and not options.prompt[-1].isspace() else ""
        pieces = self.decoder.sample(
            logits,
            states,
            options.length,
            temperature=options.temperature,
            top_k=options.top_k,
            top_p=options.top_p,
            seed=secrets.randbits(32) if options.seed is None else options.seed,
            banned=self.banned,
            chunk=64 if options.stream else 512,
        )
        for piece in pieces:
            text = self.decode(piece[0])
            yield separator + text
            separator = "" if self.level == "char" or text.endswith("\n") else " "

    def offers(self, text: str, count: int) -> list[tuple[str, float]]:
        """The `count` likeliest next tokens after the text, each with its probability."""
        logits, _ = self.decoder.read(self.encode(text)[None], zero_states(self.model))
        scores = np.array(logits[0], dtype=np.float64)
        scores[list(self.banned)] = -np.inf
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        best = np.argsort(-chances, kind="stable")[:count]
        return [(self.decode([i]), float(chances[i])) for i in best]


def generate(options: Generate) -> None:
    """The generate verb: prints the prompt and its continuation."""
    writer = Writer(runs.find(APP, options.run))
    if options.interactive:
        interact(writer, options)
        return
    print(options.prompt, end="", flush=True)
    for piece in writer.write(options):
        print(piece, end="", flush=options.stream)
    print()


def samples(run: runs.Run, length: int = 300) -> None:
    """Writes a sample at each of three temperatures, prints them as they are written, keeps them in samples.txt."""
    writer = Writer(run)
    kept = []
    for temperature in SAMPLE_TEMPERATURES:
        options = Generate(prompt=writer.known(SAMPLE_PROMPT), length=length, temperature=temperature, seed=1)
        heading = f"\n--- written at temperature {temperature} (seed 1) ---\n"
        print(heading, end="")
        print(options.prompt, end="", flush=True)
        kept.append(heading + options.prompt)
        for piece in writer.write(options):
            print(piece, end="", flush=True)
            kept.append(piece)
        print()
        kept.append("\n")
    runs.write_text(run.file("samples.txt"), "".join(kept))


def interact(writer: Writer, options: Generate) -> None:
    """Offers the likeliest next tokens; a number picks one, other text is appended as it is, an empty line ends."""
    text = options.prompt
    print("A number takes an offer, any other text is appended as typed, an empty line ends.")
    while True:
        offers = writer.offers(text, options.offers)
        print("\n" + text)
        print("  ".join(f"[{n}] {token!r} {chance:.0%}" for n, (token, chance) in enumerate(offers, 1)))
        print("> ", end="", flush=True)
        answer = sys.stdin.readline().rstrip("\n")
        if not answer:
            return
        try:
            text = _appended(writer, text, answer, offers)
        except InputError as error:
            print(error)


def _appended(writer: Writer, text: str, answer: str, offers: list[tuple[str, float]]) -> str:
    """The text with the picked offer, or with what was typed."""
    picked = answer.isdecimal() and 1 <= int(answer) <= len(offers)
    addition = offers[int(answer) - 1][0] if picked else answer
    writer.encode(addition)
    return text + (" " if writer.level == "word" and not text[-1:].isspace() else "") + addition
