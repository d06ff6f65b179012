"""Scores given translations by the log-probability of each of their tokens."""

import json
import math
from typing import Any

import numpy as np

from shared import InputError, lines, runs
from shared.data.text import names_file

from .config import APP
from .options import Score
from .predict import Predictor
from .sources import columns
from .tokens import clean

Pair = tuple[np.ndarray, np.ndarray]  # ids of source and target, (time,) each


def score(options: Score) -> None:
    """Runs the score command: prints mean and total log-probability of each translation; for one, also by token.

    With --json, prints an object for each line instead.
    """
    found = _pairs(options)
    predictor = Predictor(runs.find(APP, options.run))

    def encode(line: str) -> Pair:
        source, target = (predictor.tokenised(text).ids for text in columns(line, "The line"))
        return source, target

    def answer(pairs: list[Pair]) -> list[Pair]:
        sources, targets = zip(*pairs, strict=True)
        return list(zip(targets, predictor.log_probabilities(sources, targets), strict=True))

    rated = []
    for line, answered in lines.answered(found, encode, answer):
        if options.json:
            print(json.dumps(described(line.text, answered, predictor), ensure_ascii=False))
            continue
        if answered is None:
            print()
            continue
        target, nats = answered
        rated.append(nats)
        translation = clean(line.text.partition("\t")[2])
        print(f"{nats.mean():8.3f} {nats.sum():9.3f}  {translation}")
        if options.translation:
            tokens = predictor.tokenizer.shown(target)
            print("  ".join(f"{token} {nat:.2f}" for token, nat in zip(tokens, nats, strict=True)))
    if rated:
        every = np.concatenate(rated)
        mean = float(every.mean())
        print(f"{mean:.3f} nats per token over {len(every):,} tokens, perplexity {math.exp(-mean):.2f}")


def described(line: str, answered: Pair | None, predictor: Predictor) -> dict[str, Any]:
    """Returns a pair, the log-probability of its translation and that of each token; None for a line refused."""
    source, _, translation = map(clean, line.partition("\t"))
    pair = {"text": source, "translation": translation}
    if answered is None:
        return pair | {"log_probability": None, "perplexity": None, "tokens": None}
    target, nats = answered
    tokens = zip(predictor.tokenizer.shown(target), nats.tolist(), strict=True)
    return pair | {
        "log_probability": float(nats.sum()),
        "perplexity": math.exp(-float(nats.mean())),
        "tokens": [{"token": token, "log_probability": nat} for token, nat in tokens],
    }


def _pairs(options: Score) -> list[lines.Line]:
    """Returns the pairs given by the options, or in the file that they name, each as a line with a tab."""
    if options.translation is not None:
        if options.text == "-" or names_file(options.text, suffixes=()):
            raise InputError(
                f"Expected a file of pairs and no further argument. Received another one after {options.text}."
            )
        return [lines.Line(f"{clean(options.text)}\t{clean(options.translation)}", "")]
    lines.refuse_folder(options.text)
    if options.text != "-" and not names_file(options.text, suffixes=()):
        raise InputError(
            "Expected a sentence and its translation, or the path of a TSV file of pairs, or - for standard input. "
            f"There is no file {lines.shown(options.text)}."
        )
    return lines.read(options.text)
