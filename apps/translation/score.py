"""Rates given translations: how likely the network finds each of their tokens."""

import math

from shared import InputError, runs
from shared.data.text import names_file

from .config import APP, Score
from .predict import Translator
from .sources import read_tsv
from .tokens import clean


def score(options: Score) -> None:
    """The score verb: the log-probability of a token on average, and of each if there is one pair."""
    path = options.text
    named = not options.translation and names_file(path)
    if not named and not clean(options.translation):
        raise InputError("Expected a sentence and its translation, or the path of a TSV file of pairs.")
    if named:
        pairs = [(pair.source, pair.target, pair.where) for pair in read_tsv(path)]
    else:
        pairs = [(options.text, options.translation, "The sentence")]
    translator = Translator(runs.find(APP, options.run))
    sources = [translator.encode(source, where).ids for source, _, where in pairs]
    targets = [translator.encode(target, where).ids for _, target, where in pairs]
    rated = translator.log_probabilities(sources, targets)
    for (_, target, _), nats in zip(pairs, rated, strict=True):
        print(f"{nats.mean():8.3f} {nats.sum():9.3f}  {target}")
    if not named:
        tokens = translator.tokenizer.shown(targets[0])
        print("  ".join(f"{token} {nat:.2f}" for token, nat in zip(tokens, rated[0], strict=True)))
    count = sum(len(nats) for nats in rated)
    total = float(sum(nats.sum() for nats in rated))
    print(f"{total / count:.3f} nats a token of {count:,}, perplexity {math.exp(-total / count):.2f}")
