"""Bits per character of any text, and a picture of where the network was surprised."""

import math
import sys

import numpy as np

from shared import InputError, plots, runs
from shared.data.text import names_file, read_text

from .config import APP, Score
from .model import zero_states
from .predict import Writer


def score(options: Score) -> None:
    """The score verb: prints the figures and writes surprise.png into the run's folder."""
    run = runs.find(APP, options.run)
    writer = Writer(run)
    text = _text(options.text)
    nats = surprise(writer, text)
    bits = nats / math.log(2)
    print(f"{len(text):,} characters: {bits.sum() / len(text):.3f} bits per character")
    if writer.level == "word":
        print(f"{len(nats):,} words: perplexity {math.exp(nats.mean()):.1f}")
    hardest = np.argsort(-bits, kind="stable")[:5]
    tokens = writer.vocabulary.decode(writer.encode(text))
    print("Most surprising: " + ", ".join(f"{tokens[i]!r} at {i} ({bits[i]:.1f} bits)" for i in hardest))
    picture = run.file("surprise.png")
    plots.text_heat_map(tokens, bits, picture, "bits")
    print(f"Picture: {picture}")


def surprise(writer: Writer, text: str) -> np.ndarray:
    """Nats of each token of the text (time,), read from the start of a line, the state carried to the end."""
    ids = np.concatenate([writer.start, writer.encode(text)])
    return writer.decoder.nats(ids[None], zero_states(writer.model))[0]


def _text(argument: str) -> str:
    """The text that the argument is or names."""
    if argument != "-" and names_file(argument):
        return read_text(argument)
    text = sys.stdin.read() if argument == "-" else argument
    if not text.strip():
        raise InputError("Expected a text, the path of a text file or - for standard input. Received an empty text.")
    return text
