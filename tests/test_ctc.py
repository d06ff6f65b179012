"""CTC against brute force: every path through a few steps is enumerated."""

import itertools
import math

import keras
import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from shared import InputError, ctc
from shared.layers.backend.ctc import ctc_nats

STEPS, SYMBOLS = 5, 3  # besides the blank
SPACE = 3


def drawn(seed, steps=STEPS, symbols=SYMBOLS):
    return log_softmax(2 * np.random.default_rng(seed).normal(size=(steps, 1 + symbols)), axis=1)


def collapsed(path):
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != ctc.BLANK)


def every_sequence(log_probabilities):
    """Sequence -> the log-probabilities of all of its paths."""
    steps, symbols = log_probabilities.shape
    found = {}
    for path in itertools.product(range(symbols), repeat=steps):
        found.setdefault(collapsed(path), []).append(sum(log_probabilities[t, s] for t, s in enumerate(path)))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_probability_of_a_sequence_is_the_sum_over_its_paths(seed):
    rows = drawn(seed)
    for labels, paths in every_sequence(rows).items():
        assert ctc.log_probability(rows, labels) == pytest.approx(logsumexp(paths))
        assert ctc.needed(labels) <= STEPS
    assert ctc.log_probability(rows, (1, 1, 1, 1)) == -math.inf


def test_the_loss_is_that_sum_whatever_stands_after_the_end_of_a_row():
    rows = [drawn(seed) for seed in range(3)]
    wanted = [(1, 2), (3, 3), (2,)]
    lengths, steps = [2, 2, 1], [5, 4, 3]
    labels = np.array([[1, 2, 3], [3, 3, 1], [2, 2, 2]], np.int32)
    nats = keras.ops.convert_to_numpy(
        ctc_nats(
            *map(keras.ops.convert_to_tensor, (labels, np.array(rows, np.float32))), *map(np.array, (lengths, steps))
        )
    )
    expected = [-ctc.log_probability(row[:count], each) for row, count, each in zip(rows, steps, wanted, strict=True)]
    np.testing.assert_allclose(nats, expected, rtol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_a_wide_search_finds_the_likeliest_sequences_and_their_probabilities(seed):
    rows = drawn(seed)
    totals = {labels: float(logsumexp(paths)) for labels, paths in every_sequence(rows).items()}
    best = sorted(totals, key=lambda labels: -totals[labels])[:4]
    found = ctc.search(rows, beam=10_000, most=4, least=1e-30)
    assert [guess.symbols for guess in found] == best
    assert [guess.score for guess in found] == pytest.approx([totals[labels] for labels in best])


def split_at_space(labels):
    words, word = [], []
    for symbol in labels:
        if symbol == SPACE:
            words.append(tuple(word))
            word = []
        else:
            word.append(symbol)
    return [*words, tuple(word)]


@pytest.mark.parametrize("seed", range(6))
def test_with_a_word_list_and_scores_only_whole_words_come_up_ranked_by_the_sum(seed):
    rows, words = drawn(seed, steps=6), [(1,), (2, 1), (1, 2)]

    def score(before, word):
        return 0.7 * word - 0.3 * len(before) + (0.5 if before[-1:] == (word,) else 0.0)

    totals = {}
    for labels, paths in every_sequence(rows).items():
        said = split_at_space(labels) if labels else []
        if all(word in words for word in said):
            numbers = [words.index(word) for word in said]
            totals[labels] = logsumexp(paths) + sum(score(tuple(numbers[:n]), word) for n, word in enumerate(numbers))
    best = sorted(totals, key=lambda labels: -totals[labels])[:4]
    found = ctc.search(rows, 10_000, ctc.Lexicon(words, SPACE, score), most=4, least=1e-30)
    assert [guess.symbols for guess in found] == best
    assert [guess.score for guess in found] == pytest.approx([totals[labels] for labels in best])


def test_where_each_symbol_is_a_word_each_adds_its_score():
    rows, worth = drawn(7), {1: 0.0, 2: 0.4, 3: 2.0}
    totals = {
        labels: logsumexp(paths) + sum(worth[symbol] for symbol in labels)
        for labels, paths in every_sequence(rows).items()
    }
    best = max(totals, key=lambda labels: totals[labels])
    lexicon = ctc.Lexicon([(1,), (2,), (3,)], None, lambda before, word: worth[word + 1])
    (guess,) = ctc.search(rows, 10_000, lexicon, least=1e-30)
    assert guess.symbols == best and guess.score == pytest.approx(totals[best])


def test_a_narrow_search_keeps_to_the_word_list_and_finds_no_words_where_none_fits():
    rows = drawn(1, steps=6)
    for beam in (1, 2, 5):
        for guess in ctc.search(rows, beam, ctc.Lexicon([(2, 1), (1, 2)], SPACE), most=5):
            assert all(word in [(2, 1), (1, 2)] for word in split_at_space(guess.symbols) if guess.symbols)
    certain = np.log(np.array([[1e-9, 1.0, 1e-9, 1e-9]]))
    assert [guess.symbols for guess in ctc.search(certain, 5, ctc.Lexicon([(2, 1)], SPACE), most=5)] == [()]


@pytest.mark.parametrize("seed", range(4))
def test_an_alignment_is_the_likeliest_path_of_its_sequence(seed):
    rows = drawn(seed)
    for labels in [(1,), (1, 2), (2, 2), (1, 2, 1), (3, 3, 3)]:
        spikes = ctc.align(rows, labels)
        assert tuple(spike.symbol for spike in spikes) == labels
        path = np.zeros(STEPS, int)
        for spike in spikes:
            path[spike.start : spike.end] = spike.symbol
            assert spike.probability == pytest.approx(np.exp(rows[spike.start : spike.end, spike.symbol].max()))
        assert collapsed(path) == labels
        likeliest = max(every_sequence(rows)[labels])
        assert sum(rows[t, s] for t, s in enumerate(path)) == pytest.approx(likeliest)


def test_too_few_steps_for_a_sequence_are_refused():
    with pytest.raises(InputError, match="at least 3 steps for 2 symbols. Received: 2"):
        ctc.align(drawn(0, steps=2), (1, 1))


@pytest.mark.parametrize("cut", range(8))
def test_reading_in_pieces_gives_the_symbols_of_the_likeliest_path(cut):
    rows = drawn(3, steps=8)
    reader = ctc.Greedy()
    spikes = reader.read(rows[:cut]) + reader.read(rows[cut:]) + reader.end()
    assert spikes == ctc.greedy(rows)
    assert tuple(spike.symbol for spike in spikes) == collapsed(rows.argmax(axis=1))
    for spike in spikes:
        assert (rows[spike.start : spike.end].argmax(axis=1) == spike.symbol).all()
