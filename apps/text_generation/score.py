"""Prints the bits per character of a text and plots how surprising each character is."""

import json
import math
import sys
from typing import Any

import numpy as np

from shared import InputError, lines, plots, runs
from shared.data.text import decode, names_file, read_text
from shared.data.wording import sized

from .config import APP
from .model import zero_states
from .options import Score
from .predict import Predictor

SHOWN = 5  # number of most surprising tokens to print


def score(options: Score) -> None:
    """Runs the score command: prints the bits per character and writes surprise.png to the run, or prints JSON."""
    run = runs.find(APP, options.run)
    text = whole(options.text)
    predictor = Predictor(run)
    if options.json:
        print(json.dumps(described(predictor, text), ensure_ascii=False))
        return
    nats = surprise(predictor, text)
    bits = nats / math.log(2)
    print(f"{sized(len(text), 'characters')}: {bits.sum() / len(text):.3f} bits per character")
    if predictor.level == "word":
        print(f"{sized(len(nats), 'words')}: perplexity {math.exp(nats.mean()):.1f}")
    hardest = np.argsort(-bits, kind="stable")[:SHOWN]
    tokens = predictor.vocabulary.decode(predictor.encode(text))
    print("Most surprising: " + ", ".join(f"{tokens[i]!r} at {i} ({bits[i]:.1f} bits)" for i in hardest))
    picture = run.file("surprise.png")
    plots.text_heat_map(tokens, bits, picture, "bits")
    print(f"Picture: {picture}")


def described(predictor: Predictor, text: str) -> dict[str, Any]:
    """Returns a text, its bits per character, and the bits of each token, as plain values.

    Raises:
        InputError: the text is empty, or has characters that the run was not trained on.
    """
    if not text.strip():
        raise InputError("Expected a text. Received an empty one.")
    bits, tokens = surprise(predictor, text) / math.log(2), predictor.vocabulary.decode(predictor.encode(text))
    listed = [{"token": token, "bits": float(each)} for token, each in zip(tokens, bits, strict=True)]
    return {"text": text, "bits_per_char": float(bits.sum() / len(text)), "tokens": listed}


def surprise(predictor: Predictor, text: str) -> np.ndarray:
    """Returns the nats of each token (time,), reading the text from the start of a line, in one pass."""
    return predictor.decoder.nats(predictor.begun(text)[None], zero_states(predictor.model))[0]


def whole(argument: str) -> str:
    """Returns the whole text given by a command-line argument, or in the file that it names."""
    if argument != "-" and names_file(argument):
        return read_text(argument)
    lines.refuse_folder(argument)
    text = decode(sys.stdin.buffer.read(), "Standard input") if argument == "-" else argument
    if not text.strip():
        raise InputError("Expected a text, the path of a file, or - for standard input. Received an empty text.")
    return text
