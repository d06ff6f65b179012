"""Connectionist temporal classification (CTC): decodes per-step symbol distributions into symbol sequences.

Graves et al. (2006), "Connectionist Temporal Classification", doi:10.1145/1143844.1143891. Symbol 0 is the blank. A
path has one symbol per step; merging repeated symbols and then removing blanks gives the sequence it represents.
The loss is in `shared.layers.backend.ctc`.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from shared import InputError

BLANK = 0
NEVER = -math.inf
LEAST = 1e-5  # prefix search skips symbols with a lower probability at a step

Score = Callable[[tuple[int, ...], int], float]


@dataclasses.dataclass(frozen=True)
class Spike:
    """A decoded symbol, the steps it spans (`start` to `end`, exclusive), and its highest probability in them."""

    symbol: int
    start: int
    end: int
    probability: float


def needed(labels: Sequence[int]) -> int:
    """Returns the minimum number of steps for a sequence: one per symbol, and a blank between equal neighbours.

    >>> needed([1, 1, 2])
    4
    """
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:], strict=False))


class Greedy:
    """Streaming greedy decoder: takes the most probable symbol of each step, in constant memory.

    >>> [spike.symbol for spike in Greedy().read(np.log([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.3, 0.7]]))]
    [1]
    """

    def __init__(self) -> None:
        self.step = 0
        self.open: Spike | None = None  # a symbol that may continue

    def read(self, log_probabilities: NDArray) -> list[Spike]:
        """Reads further steps (steps, 1 + symbols) and returns the symbols that end in them."""
        ended = []
        for row in log_probabilities:
            symbol = int(row.argmax())
            probability = math.exp(float(row[symbol]))
            if self.open and symbol == self.open.symbol:
                highest = max(self.open.probability, probability)
                self.open = dataclasses.replace(self.open, end=self.step + 1, probability=highest)
            else:
                ended += self.end()
                if symbol != BLANK:
                    self.open = Spike(symbol, self.step, self.step + 1, probability)
            self.step += 1
        return ended

    def end(self) -> list[Spike]:
        """Ends the open symbol and returns it, if there is one."""
        last, self.open = self.open, None
        return [last] if last else []


def greedy(log_probabilities: NDArray) -> list[Spike]:
    """Returns the symbols on the most probable path through (steps, 1 + symbols)."""
    reader = Greedy()
    return reader.read(log_probabilities) + reader.end()


def align(log_probabilities: NDArray, labels: Sequence[int]) -> list[Spike]:
    """Returns the forced alignment of a sequence: its symbols on its most probable path (Viterbi).

    Args:
        log_probabilities: (steps, 1 + symbols). labels: symbols >= 1.

    Raises:
        InputError: if there are fewer steps than the sequence needs.
    """
    steps = len(log_probabilities)
    if needed(labels) > steps:
        raise InputError(f"Expected at least {needed(labels)} steps for {len(labels)} symbols. Received: {steps}")
    states, skips = _states(labels)
    scores, back = np.full(len(states), NEVER), np.zeros((steps, len(states)), np.int64)
    scores[:2] = log_probabilities[0, states[:2]]
    for step in range(1, steps):
        options = np.full((3, len(states)), NEVER)
        options[0], options[1, 1:] = scores, scores[:-1]
        options[2, 2:] = np.where(skips[2:], scores[:-2], NEVER)
        back[step] = options.argmax(axis=0)
        scores = options.max(axis=0) + log_probabilities[step, states]
    at = len(states) - 1 if len(states) == 1 or scores[-1] >= scores[-2] else len(states) - 2
    path = [at]
    for step in range(steps - 1, 0, -1):
        at -= int(back[step, at])
        path.append(at)
    return _spikes(path[::-1], labels, log_probabilities)


def _states(labels: Sequence[int]) -> tuple[NDArray, NDArray]:
    """Returns the states (blank, first symbol, blank, ...) and where the blank before may be skipped.

    It may be skipped between different symbols.
    """
    states = np.zeros(2 * len(labels) + 1, np.int64)
    states[1::2] = labels
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    return states, skips


def _spikes(path: list[int], labels: Sequence[int], log_probabilities: NDArray) -> list[Spike]:
    found = []
    for number, symbol in enumerate(labels):
        steps = [step for step, state in enumerate(path) if state == 2 * number + 1]
        highest = float(np.exp(log_probabilities[steps, symbol].max()))
        found.append(Spike(int(symbol), steps[0], steps[-1] + 1, highest))
    return found


@dataclasses.dataclass(frozen=True)
class Guess:
    """A sequence found by a search. `score` is its log-probability plus the scores of its words."""

    symbols: tuple[int, ...]
    score: float


class Lexicon:
    """A lexicon: the allowed words, and what each one adds to the score of a sequence.

    Args:
        words: each a sequence of symbols.
        space: the symbol that ends a word; None if each symbol is a word by itself.
        score: (preceding words, word), as indices into `words` -> the word's score in nats. None: always 0.
    """

    def __init__(self, words: Iterable[Sequence[int]], space: int | None, score: Score | None = None) -> None:
        self.space, self.score = space, score or (lambda before, word: 0.0)
        self.root: dict = {}
        for number, word in enumerate(words):
            node = self.root
            for symbol in word:
                node = node.setdefault(symbol, {})
            node[BLANK] = number  # no word contains a blank


class _Prefix:
    """A prefix: its last symbol, its node in the lexicon, its complete words and the sum of their scores."""

    __slots__ = ("children", "node", "parent", "symbol", "words", "worth")

    def __init__(self, parent: "_Prefix | None", symbol: int, node: dict, words: tuple[int, ...], worth: float) -> None:
        self.parent, self.symbol, self.node, self.words, self.worth = parent, symbol, node, words, worth
        self.children: dict[int, _Prefix | None] = {}

    def symbols(self) -> tuple[int, ...]:
        found, at = [], self
        while at.parent is not None:
            found.append(at.symbol)
            at = at.parent
        return tuple(reversed(found))


def search(
    log_probabilities: NDArray, beam: int, lexicon: Lexicon | None = None, most: int = 1, least: float = LEAST
) -> list[Guess]:
    """Prefix beam search: sums over all paths of a sequence, whereas `greedy` takes only the most probable path.

    Graves and Jaitly (2014), "Towards End-to-End Speech Recognition with Recurrent Neural Networks", algorithm 1. With
    a lexicon, only its words are produced, and each word adds its score when it ends.

    Args:
        log_probabilities: (steps, 1 + symbols).
        beam: number of prefixes kept at each step.
        lexicon: the allowed words. None: any sequence is allowed.
        most: maximum number of sequences to return.
        least: symbols with a lower probability at a step are skipped.

    Returns:
        The sequences, best first; empty if no path ends with a complete word.
    """
    top = _Prefix(None, BLANK, lexicon.root if lexicon else {}, (), 0.0)
    # prefix -> log-probability of its paths that end in a blank, and of those that end in its last symbol
    beams: dict[_Prefix, tuple[float, float]] = {top: (0.0, NEVER)}
    for row in log_probabilities:
        symbols = [int(symbol) for symbol in np.flatnonzero(row >= math.log(least)) if symbol != BLANK]
        beams = _step(beams, row, symbols, lexicon)
        if len(beams) > beam:
            kept = sorted(beams, key=lambda prefix: -(_add(*beams[prefix]) + prefix.worth))[:beam]
            beams = {prefix: beams[prefix] for prefix in kept}
    found = []
    for prefix, (blank, symbol) in beams.items():
        worth = _ended(prefix, lexicon)
        if worth is not None:
            found.append(Guess(prefix.symbols(), _add(blank, symbol) + worth))
    return sorted(found, key=lambda guess: -guess.score)[:most]


def _step(
    beams: Mapping[_Prefix, tuple[float, float]], row: NDArray, symbols: list[int], lexicon: Lexicon | None
) -> dict[_Prefix, tuple[float, float]]:
    after: dict[_Prefix, tuple[float, float]] = {}
    for prefix, (blank, symbol) in beams.items():
        both = _add(blank, symbol)
        old_blank, old_symbol = after.get(prefix, (NEVER, NEVER))
        stays = symbol + float(row[prefix.symbol]) if prefix.parent is not None else NEVER
        after[prefix] = (_add(old_blank, both + float(row[BLANK])), _add(old_symbol, stays))
        for new in symbols:
            child = _child(prefix, new, lexicon)
            if child is None:
                continue
            # A repeated symbol counts as a new one only after a blank.
            before = blank if new == prefix.symbol and prefix.parent is not None else both
            if before > NEVER:
                old_blank, old_symbol = after.get(child, (NEVER, NEVER))
                after[child] = (old_blank, _add(old_symbol, before + float(row[new])))
    return after


def _child(prefix: _Prefix, symbol: int, lexicon: Lexicon | None) -> _Prefix | None:
    """Returns the prefix extended by one symbol; None if no words begin with it."""
    if symbol not in prefix.children:
        prefix.children[symbol] = _longer(prefix, symbol, lexicon)
    return prefix.children[symbol]


def _longer(prefix: _Prefix, symbol: int, lexicon: Lexicon | None) -> _Prefix | None:
    if lexicon is None:
        return _Prefix(prefix, symbol, {}, (), 0.0)
    if symbol == lexicon.space:
        word = prefix.node.get(BLANK)
        if word is None:
            return None
        worth = prefix.worth + lexicon.score(prefix.words, word)
        return _Prefix(prefix, symbol, lexicon.root, (*prefix.words, word), worth)
    node = prefix.node.get(symbol)
    if node is None:
        return None
    if lexicon.space is None:
        word = node[BLANK]
        worth = prefix.worth + lexicon.score(prefix.words, word)
        return _Prefix(prefix, symbol, lexicon.root, (*prefix.words, word), worth)
    return _Prefix(prefix, symbol, node, prefix.words, prefix.worth)


def _ended(prefix: _Prefix, lexicon: Lexicon | None) -> float | None:
    """Returns the total score of the words if the sequence ends here; None within a word or after a space."""
    if lexicon is None or lexicon.space is None or prefix.parent is None:
        return prefix.worth
    if prefix.node is lexicon.root:  # after a space: a word should follow
        return None
    word = prefix.node.get(BLANK)
    return None if word is None else prefix.worth + lexicon.score(prefix.words, word)


def _add(a: float, b: float) -> float:
    """Returns log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == NEVER else a + math.log1p(math.exp(b - a))


def log_probability(log_probabilities: NDArray, labels: Sequence[int]) -> float:
    """Returns the log-probability of a sequence, summed over all its paths; -inf if there are too few steps for it.

    Args:
        log_probabilities: (steps, 1 + symbols). labels: symbols >= 1.
    """
    states, skips = _states(labels)
    scores = np.full(len(states), NEVER)
    scores[:2] = log_probabilities[0, states[:2]]
    for row in log_probabilities[1:]:
        before = np.full((3, len(states)), NEVER)
        before[0], before[1, 1:] = scores, scores[:-1]
        before[2, 2:] = np.where(skips[2:], scores[:-2], NEVER)
        scores = np.logaddexp.reduce(before, axis=0) + row[states]
    return float(np.logaddexp.reduce(scores[-2:]))
