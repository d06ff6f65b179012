"""Loads a trained run and generates text: after a prompt, after each line of a file, or interactively."""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from shared import InputError, files, lines, runs, settings
from shared.data.text import END, Vocabulary, characters, join_words, words
from shared.decoding import Decoder

from . import data
from .config import APP
from .model import step, zero_states
from .options import Predict, Sampling, Stream

SAMPLE_TEMPERATURES, SAMPLE_LENGTH = (0.5, 0.8, 1.0), 300
MOST_FREQUENT = 4  # the first id after the special tokens: vocabularies are sorted by descending frequency
CHUNK = 64  # number of tokens printed at a time
WARMED_UP = 64  # maximum length of the prompts that a stream compiles in advance, in tokens


class Predictor:
    """A trained run, ready for inference: continues texts."""

    def __init__(self, run: runs.Run) -> None:
        info = run.info()
        self.run, self.level = run, info["level"]
        self.vocabulary = Vocabulary(tuple(info["vocabulary"]))
        # Never generated: padding, the unknown token, the beginning of a text (and, for characters, its end).
        self.banned = (0, 1, 2) if self.level == "word" else (0, 1, 2, 3)
        line_end = self.vocabulary.index.get("\n" if self.level == "char" else END, MOST_FREQUENT)
        self.start = np.array([line_end], np.int32)
        self.model = run.load_model()
        self.decoder = Decoder(step(self.model), self.model.variables, len(self.vocabulary))

    @classmethod
    def load(cls, name: str | None = None) -> "Predictor":
        """Loads the run of this name, by default the newest, ready to answer."""
        return cls(runs.find(APP, name))

    def __call__(self, prompts: Sequence[str], **sampling: Any) -> list[dict[str, Any]]:
        """Continues each prompt: {"text": the prompt, "continuation": what follows it}.

        Args:
            sampling: settings of `Sampling` by name, such as length=80, temperature=0.5, seed=1. Each prompt has random
                numbers of its own, which depend on the seed and on its place.

        Raises:
            InputError: a prompt has characters that the run was not trained on, or a setting is invalid.
        """
        given, how = lines.several(prompts, str, "texts"), settings.changed(Sampling(), sampling)
        return [self.continued(self.readable(prompt), how.of(number)) for number, prompt in enumerate(given)]

    def continued(self, prompt: str, sampling: Sampling) -> dict[str, Any]:
        """Returns the prompt and its continuation, as a program reads them."""
        return {"text": prompt, "continuation": "".join(self.write(prompt, sampling))}

    def encode(self, text: str) -> np.ndarray:
        """Encodes text as ids (time,); unknown words become <unk>.

        Raises:
            InputError: a character is not in the training text.
        """
        tokens = characters(text) if self.level == "char" else words(text)
        unseen = sorted({token for token in tokens if token not in self.vocabulary.index})
        if unseen and self.level == "char":
            shown = ", ".join(repr(token) for token in unseen[:5]) + (", ..." if len(unseen) > 5 else "")
            raise InputError(f"Expected characters that the run was trained on. It has never seen {shown}.")
        return self.vocabulary.encode(tokens)

    def begun(self, text: str) -> np.ndarray:
        """Encodes text from the start of a line; starting from zero states alone, the network generates noise."""
        return np.concatenate([self.start, self.encode(text)])

    def readable(self, text: str) -> str:
        """Returns the text if it can be encoded. Raises InputError as `encode`."""
        self.encode(text)
        return text

    def decode(self, ids: np.ndarray) -> str:
        """Decodes ids (time,) to text."""
        tokens = self.vocabulary.decode(ids)
        return "".join(tokens) if self.level == "char" else join_words(tokens)

    def appended(self, before: str, text: str) -> str:
        """Returns what to write after `before` to append the text: at word level, separated by a space."""
        apart = self.level == "word" and before and not (before[-1].isspace() or text.startswith("\n"))
        return " " + text if apart else text

    def write(self, prompt: str, sampling: Sampling) -> Iterator[str]:
        """Yields the continuation of the prompt, piece by piece. Raises InputError as `encode`."""
        logits, states = self.decoder.read(self.begun(prompt)[None], zero_states(self.model))
        pieces = self.decoder.sample(
            logits,
            states,
            sampling.length,
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            seed=secrets.randbits(32) if sampling.seed is None else sampling.seed,
            banned=self.banned,
            chunk=CHUNK,
        )
        before = prompt
        for piece in pieces:
            before = self.appended(before, self.decode(piece[0]))
            yield before

    def line(self, prompt: str, sampling: Sampling) -> str:
        """Returns the prompt and its continuation on one line: each run of white space becomes a space."""
        return " ".join("".join([prompt, *self.write(prompt, sampling)]).split())

    def offers(self, text: str, count: int) -> list[tuple[str, float]]:
        """Returns the `count` most probable next tokens after the text, with their probabilities."""
        logits, _ = self.decoder.read(self.begun(text)[None], zero_states(self.model))
        scores = np.array(logits[0], dtype=np.float64)
        scores[list(self.banned)] = -np.inf
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        best = np.argsort(-chances, kind="stable")[:count]
        return [(self.decode([i]), float(chances[i])) for i in best]

    def warm_up(self, sampling: Sampling) -> None:
        """Compiles for prompts of common lengths in advance, so that the first lines are not delayed."""
        for power in range(WARMED_UP.bit_length()):
            self.decoder.read(np.resize(self.start, (1, 2**power)), zero_states(self.model))
        self.line("", sampling)


def predict(options: Predict) -> None:
    """Runs the predict command: continues the given text, or each line of a file or of standard input."""
    run = runs.find(APP, options.run)
    # A blank prompt, such as a line break, is valid too.
    found = lines.read(options.text) if options.text.strip() else [lines.Line(options.text, "")]
    typed = not found[0].where
    if options.interactive and not typed:
        raise InputError(f"--interactive: expected one text to continue; received {options.text}")
    predictor = Predictor(run)
    if options.json:
        answer_in_json(predictor, found, options.sampling)
    elif options.interactive:
        interact(predictor, options.text, options.offers)
    elif typed:
        show(predictor, options.text, options.sampling)
    else:
        answer_each(found, predictor, lambda text, number: predictor.line(text, options.sampling.of(number)))


def answer_each(found: Sequence[lines.Line], predictor: Predictor, answer: Callable[[str, int], str]) -> None:
    """Prints the answer to each text and its number, as soon as it is there; an empty line if it cannot be read."""
    given = lines.encoded(found, predictor.readable)
    for number in range(len(found)):
        print(answer(given[number], number) if number in given else "", flush=True)


def answer_in_json(predictor: Predictor, found: Sequence[lines.Line], sampling: Sampling) -> None:
    """Prints the continuation of each text as one line of JSON."""

    def answer(text: str, number: int) -> str:
        return json.dumps(predictor.continued(text, sampling.of(number)), ensure_ascii=False)

    answer_each(found, predictor, answer)


def stream(options: Stream) -> None:
    """Runs the stream command: continues each line of standard input as it arrives."""
    predictor = Predictor(runs.find(APP, options.run))
    predictor.warm_up(options.sampling)
    lines.stream_numbered(lambda text, number: predictor.line(text, options.sampling.of(number)))


def show(predictor: Predictor, prompt: str, sampling: Sampling) -> str:
    """Prints the prompt and its continuation while it is generated, and returns both together."""
    print(predictor.readable(prompt), end="", flush=True)
    written = [prompt]
    for piece in predictor.write(prompt, sampling):
        print(piece, end="", flush=True)
        written.append(piece)
    print()
    return "".join(written)


def samples(predictor: Predictor) -> None:
    """Generates a sample at each of three temperatures, prints it as it is generated, and saves all to samples.txt."""
    prompt, kept = data.prompt(predictor.run.info()["example"]), []
    for temperature in SAMPLE_TEMPERATURES:
        heading = f"\n--- written at temperature {temperature} (seed 1) ---\n"
        print(heading, end="")
        kept.append(heading + show(predictor, prompt, Sampling(SAMPLE_LENGTH, temperature, seed=1)) + "\n")
    files.write_text(predictor.run.file("samples.txt"), "".join(kept))


def interact(predictor: Predictor, text: str, count: int) -> None:
    """Suggests the most probable next tokens; a number picks one, other text is appended, an empty line ends."""
    print("Type a number to pick that token, any other text to append it; an empty line ends.")
    answers = lines.standard_input()
    while True:
        offers = predictor.offers(text, count)
        print("\n" + text)
        print("  ".join(f"[{n}] {token!r} {chance:.0%}" for n, (token, chance) in enumerate(offers, 1)))
        print("> ", end="", flush=True)
        typed = answers.readline().rstrip("\r\n")
        if not typed:
            return
        picked = typed.isdecimal() and 1 <= int(typed) <= len(offers)
        try:
            text += predictor.appended(text, predictor.readable(offers[int(typed) - 1][0] if picked else typed))
        except InputError as error:
            print(error)
