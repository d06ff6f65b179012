"""Baselines: TF-IDF with logistic regression for intents, the most frequent tag of each word for slots."""

import collections
import functools

import numpy as np

from . import tags
from .data import Data
from .tokens import word

STRENGTHS = (1.0, 10.0, 100.0)  # inverse regularisation strengths; the best one on validation is used


@functools.lru_cache(maxsize=1)  # the same for every seed
def answers(data: Data) -> tuple[list[str], list[list[str]]]:
    """Returns the baselines' intent and tags of each test request, learned from the training requests."""
    return intents(data), frequent_tags(data)


def intents(data: Data) -> list[str]:
    """Predicts intents with logistic regression on the TF-IDF of words and word pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    counter = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True)
    train = counter.fit_transform([request.tokens for request in data.train.requests])
    valid, test = (counter.transform([r.tokens for r in part.requests]) for part in (data.valid, data.test))
    known = [request.intent for request in data.train.requests]
    machines = [LogisticRegression(C=strength, max_iter=500).fit(train, known) for strength in STRENGTHS]
    wanted = np.array([request.intent for request in data.valid.requests])
    right = [float((machine.predict(valid) == wanted).mean()) for machine in machines]
    return machines[int(np.argmax(right))].predict(test).tolist()


def _words_and_pairs(tokens: list[str]) -> list[str]:
    found = [word(token) for token in tokens]
    return found + [" ".join(pair) for pair in zip(found, found[1:], strict=False)]


def frequent_tags(data: Data) -> list[list[str]]:
    """Predicts each word's most frequent training tag, O for unknown words; an I- without a start becomes B-."""
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for request in data.train.requests:
        for token, tag in zip(request.tokens, request.tags, strict=True):
            counts[word(token)][tag] += 1
    best = {token: counter.most_common(1)[0][0] for token, counter in counts.items()}
    return [_mended([best.get(word(token), tags.OUTSIDE) for token in r.tokens]) for r in data.test.requests]


def _mended(found: list[str]) -> list[str]:
    before, mended = tags.OUTSIDE, []
    for tag in found:
        if tag.startswith("I-") and before[1:] != tag[1:]:
            tag = f"B-{tag[2:]}"
        mended.append(tag)
        before = tag
    return mended
