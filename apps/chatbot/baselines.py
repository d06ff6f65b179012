"""Baselines: TF-IDF with logistic regression for intents, a linear tagger with neighbouring words for slots."""

import functools
import itertools
from typing import Any

import numpy as np

from . import tags
from .data import Data
from .sources import Request
from .tokens import word

STRENGTHS = (1.0, 10.0, 100.0)  # inverse regularisation strengths; the best one on validation is used
PENALTIES = (1e-6, 1e-5)  # regularisation of the tagger, chosen on validation
TRANSITIONS = (0.0, 0.5, 1.0)  # weight of the tags' transitions, chosen on validation
PASSES = 8  # over the training tokens
FEATURES = 2**18  # hashed features of the tagger
FORBIDDEN = -1e9  # score of a transition that violates IOB


@functools.lru_cache(maxsize=1)  # the same for every seed
def answers(data: Data) -> tuple[list[str], list[list[str]]]:
    """Returns the baselines' intent and tags of each test request, learned from the training requests."""
    return intents(data), linear_tags(data)


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


def linear_tags(data: Data) -> list[list[str]]:
    """Predicts tags with logistic regression on each word, its letters and its neighbours, and the best path.

    A path's score is the sum of the log-probabilities of its tags and of its weighted log transition frequencies; the
    regularisation and that weight are those with the most validation requests right.
    """
    from sklearn.linear_model import SGDClassifier

    train, valid, test = data.train.requests, data.valid.requests, data.test.requests
    known = [tag for request in train for tag in request.tags]
    names = sorted(set(known))
    if len(names) < 2:  # data without slots
        return [[tags.OUTSIDE] * len(request.tokens) for request in test]
    moves = transitions(train, names)
    best, answer = -1.0, (np.empty(0), 0.0)
    for penalty in PENALTIES:
        machine = SGDClassifier(
            loss="log_loss", alpha=penalty, max_iter=PASSES, tol=None, average=True, random_state=0
        ).fit(hashed(train), known)
        emissions = _emissions(machine, valid)
        for weight in TRANSITIONS:
            found = paths(emissions, valid, moves, weight, names)
            right = float(np.mean([row == request.tags for row, request in zip(found, valid, strict=True)]))
            if right > best:
                best, answer = right, (machine, weight)
    machine, weight = answer
    return paths(_emissions(machine, test), test, moves, weight, names)


def hashed(requests: list[Request]) -> Any:
    """Returns the hashed features of all tokens of the requests, a sparse matrix (tokens, FEATURES)."""
    from sklearn.feature_extraction import FeatureHasher

    rows = itertools.chain.from_iterable(features(request.tokens) for request in requests)
    return FeatureHasher(FEATURES, input_type="string", alternate_sign=False).transform(rows)


def features(tokens: list[str]) -> list[list[str]]:
    """Returns the features of each token: it, two neighbours on each side, pairs, prefixes and suffixes.

    >>> features(["in", "Rome"])[1][:6]
    ['0 rome', '-1 in', '-2 ', '1 ', '2 ', '-1 0 in rome']
    """
    words = ["", "", *(word(token) for token in tokens), "", ""]
    found = []
    for place in range(2, len(words) - 2):
        before, this, after = words[place - 1 : place + 2]
        row = [f"0 {this}", f"-1 {before}", f"-2 {words[place - 2]}", f"1 {after}", f"2 {words[place + 2]}"]
        row += [f"-1 0 {before} {this}", f"0 1 {this} {after}", f"-1 1 {before} {after}", "bias"]
        row += [f"prefix {this[:length]}" for length in (1, 2, 3)] + [f"suffix {this[-length:]}" for length in (2, 3)]
        found.append(row)
    return found


def transitions(requests: list[Request], names: list[str]) -> np.ndarray:
    """Returns log frequencies (tags + 1, tags) of a tag after another, or, in the last row, at the start."""
    number = {name: place for place, name in enumerate(names)}
    counts = np.ones((len(names) + 1, len(names)))
    for request in requests:
        before = len(names)
        for tag in request.tags:
            counts[before, number[tag]] += 1
            before = number[tag]
    return np.log(counts / counts.sum(axis=1, keepdims=True))


def _emissions(machine: Any, requests: list[Request]) -> np.ndarray:
    """Returns log-probabilities (tokens, tags) of all tokens of the requests."""
    return np.log(machine.predict_proba(hashed(requests)) + 1e-12)


def paths(
    emissions: np.ndarray, requests: list[Request], moves: np.ndarray, weight: float, names: list[str]
) -> list[list[str]]:
    """Returns the best path of each request (Viterbi), by its emissions and weighted transitions, in valid IOB."""
    table = weight * moves
    for column, name in enumerate(names):
        if name.startswith("I-"):
            allowed = [row for row, other in enumerate(names) if other[1:] == name[1:] and other != tags.OUTSIDE]
            table[[row for row in range(len(table)) if row not in allowed], column] = FORBIDDEN
    ends = np.cumsum([len(request.tokens) for request in requests])
    return [[names[tag] for tag in _path(row, table)] for row in np.split(emissions, ends[:-1])]


def _path(emissions: np.ndarray, table: np.ndarray) -> list[int]:
    score, back = table[-1] + emissions[0], []
    for emission in emissions[1:]:
        options = score[:, None] + table[:-1]  # (before, now)
        back.append(options.argmax(axis=0))
        score = options.max(axis=0) + emission
    path = [int(score.argmax())]
    for before in reversed(back):
        path.append(int(before[path[-1]]))
    return path[::-1]
