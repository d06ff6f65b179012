"""The n-gram model against a slow form of its equations, against nltk, and on the Penn Treebank."""

import itertools
import lzma
import math
import os
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.lm import KneserNeyInterpolated

from shared import InputError
from shared.baselines import FALLBACK_DISCOUNTS, NGram

PTB = Path(os.environ.get("GALLERY_DATA", "data")) / "ptb"
# Mikolov et al. (2011), "Extensions of recurrent neural network language model", table 1.
PUBLISHED_PTB_PERPLEXITY = {5: 141.2}


class SlowKneserNey:
    """The equations in the docstring of `NGram`, term by term, with dictionaries."""

    def __init__(self, order, text, vocabulary_size, discount=None):
        self.vocabulary_size = vocabulary_size
        grams = {k: [tuple(text[i : i + k]) for i in range(len(text) - k + 1)] for k in range(1, order + 1)}
        self.counts = {order: Counter(grams[order])}
        for k in range(1, order):
            before = defaultdict(set)
            for gram in grams[k + 1]:
                before[gram[1:]].add(gram[0])
            self.counts[k] = Counter({gram: len(tokens) for gram, tokens in before.items()})
        self.discounts = {
            k: self.estimate(counts) if discount is None else (0, *[discount] * 3) for k, counts in self.counts.items()
        }

    @staticmethod
    def estimate(counts):
        n = [0, *[sum(count == i for count in counts.values()) for i in (1, 2, 3, 4)]]
        if 0 in n[1:]:
            return (0, *FALLBACK_DISCOUNTS)
        y = n[1] / (n[1] + 2 * n[2])
        found = [i - (i + 1) * y * n[i + 1] / n[i] for i in (1, 2, 3)]
        ok = all(0 < d <= i for i, d in enumerate(found, start=1))
        return (0, *found) if ok else (0, *FALLBACK_DISCOUNTS)

    def probability(self, token, context):
        """The order is that of the context; an empty one is followed by the uniform distribution."""
        k = len(context) + 1
        lower = self.probability(token, context[1:]) if context else 1 / self.vocabulary_size
        counts = {w: self.counts[k][(*context, w)] for w in range(self.vocabulary_size)}
        total = sum(counts.values())
        if not total:
            return lower
        taken = {w: self.discounts[k][min(count, 3)] for w, count in counts.items()}
        return (counts[token] - taken[token]) / total + sum(taken.values()) / total * lower


def random_text(seed, length, vocabulary_size):
    """Tokens with the skewed frequencies of a real text, so that counts of 1, 2, 3 and 4 all occur."""
    weights = 1 / np.arange(1, vocabulary_size + 1)
    return np.random.default_rng(seed).choice(vocabulary_size, size=length, p=weights / weights.sum())


@pytest.mark.parametrize("discount", [None, 0.3, 1.0])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_every_token_gets_the_probability_of_the_equations(order, discount):
    train, text = random_text(0, 400, 12), random_text(1, 200, 12)
    slow = SlowKneserNey(order, train.tolist(), 12, discount)
    expected = [
        -math.log(slow.probability(token, tuple(text[max(0, t - order + 1) : t].tolist())))
        for t, token in enumerate(text.tolist())
    ]
    np.testing.assert_allclose(NGram(order, discount).fit(train, 12).nats(text), expected, rtol=1e-12)


def test_the_discounts_are_estimated_not_the_fallback_on_text_like_text():
    slow = SlowKneserNey(3, random_text(0, 400, 12).tolist(), 12)
    assert slow.discounts[3][1:] != FALLBACK_DISCOUNTS


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 3), min_size=3, max_size=60), st.integers(1, 3))
def test_the_probabilities_after_any_context_sum_to_one(text, order):
    model = NGram(order).fit(text, vocabulary_size=5)
    for length in range(order):
        for context in itertools.product(range(5), repeat=length):
            nats = [model.nats([*context, token])[-1] for token in range(5)]
            assert np.exp(-np.array(nats)).sum() == pytest.approx(1, abs=1e-12)


def test_it_equals_nltk_with_one_fixed_discount():
    # The text is closed to a ring: nltk discounts what it saw, not what it counted, and the two agree
    # where every n-gram has a token before it.
    order, size, discount = 3, 6, 0.4
    train, text = random_text(2, 300, size).tolist(), random_text(3, 100, size).tolist()
    ring = [train[-1], *train, *train[: order - 1]]
    ours = NGram(order, discount).fit(ring, size)

    class Interpolated(KneserNeyInterpolated):
        """nltk stops at unigrams; ours goes on to the uniform distribution."""

        def unigram_score(self, word):
            count, total = self.estimator._continuation_counts(word)
            return (count - discount) / total + discount * size / total / size

    theirs = Interpolated(order, discount)
    grams = [tuple(map(str, ring[i : i + k])) for k in (1, 2, 3) for i in range(len(ring) - k + 1)]
    theirs.fit([grams], vocabulary_text=[str(i) for i in range(size)])
    expected = [-math.log(theirs.score(str(w), [str(c) for c in text[max(0, t - 2) : t]])) for t, w in enumerate(text)]
    np.testing.assert_allclose(ours.nats(text), expected, rtol=1e-12)


def test_a_longer_context_helps_on_text_that_needs_it():
    text = np.tile([0, 1, 0, 2, 0, 3], 50)
    unigram, trigram = (NGram(order).fit(text, 4).nats(text).mean() for order in (1, 3))
    assert trigram < 0.1 < 1 < unigram


def test_the_surprise_of_a_token_does_not_depend_on_what_follows():
    model = NGram(3).fit(random_text(0, 400, 12), 12)
    text = random_text(1, 50, 12)
    np.testing.assert_array_equal(model.nats(text)[:20], model.nats(text[:20]))


def test_fitting_again_forgets_the_first_text():
    first, second = random_text(0, 400, 12), random_text(1, 300, 5)
    again = NGram(3).fit(first, 12).fit(second, 5)
    np.testing.assert_array_equal(again.nats(second), NGram(3).fit(second, 5).nats(second))


def test_an_empty_text_has_no_surprises():
    assert NGram(2).fit([0, 1, 0], 2).nats([]).shape == (0,)


@pytest.mark.parametrize("order", [0, -1, 2.0, True, "3"])
def test_an_order_that_is_no_positive_integer_is_refused(order):
    with pytest.raises(InputError, match=f"`order` must be a positive integer. Received: order={order}"):
        NGram(order)


@pytest.mark.parametrize("discount", [0.0, -0.1, 1.1, math.nan])
def test_a_discount_that_is_not_above_zero_and_at_most_one_is_refused(discount):
    with pytest.raises(InputError, match="`discount` must be None or lie in"):
        NGram(2, discount)


@pytest.mark.parametrize("ids", [[0, 1, 5], [-1, 0, 1]])
def test_a_token_outside_the_vocabulary_is_named(ids):
    with pytest.raises(InputError, match=rf"\[0, 5\). Received: {min(ids)} to {max(ids)}"):
        NGram(2).fit(ids, 5)
    with pytest.raises(InputError, match=rf"\[0, 5\). Received: {min(ids)} to {max(ids)}"):
        NGram(2).fit([0, 1, 0], 5).nats(ids)


@pytest.mark.parametrize("ids", [[[0, 1], [1, 0]], [0.0, 1.0], ["a", "b"]])
def test_what_is_not_a_line_of_integers_is_refused(ids):
    with pytest.raises(InputError, match="Expected token ids of shape"):
        NGram(2).fit(ids, 5)


def test_a_text_shorter_than_the_order_is_refused():
    with pytest.raises(InputError, match="order 4 learns from at least 4 tokens. Received: 3"):
        NGram(4).fit([0, 1, 0], 2)


def test_scoring_before_fitting_is_refused():
    with pytest.raises(InputError, match="Call `fit` first"):
        NGram(2).nats([0])


@pytest.mark.data
@pytest.mark.skipif(not PTB.is_dir(), reason="$GALLERY_DATA has no Penn Treebank")
@pytest.mark.parametrize("order", PUBLISHED_PTB_PERPLEXITY)
def test_the_penn_treebank_perplexity_is_the_published_one(order):
    splits = {}
    for split in ("train", "test"):
        text = lzma.decompress((PTB / f"ptb.{split}.txt.xz").read_bytes()).decode()
        splits[split] = text.replace("\n", " <eos> ").split()
    number = {word: i for i, word in enumerate(sorted(set(splits["train"])))}
    train, test = (np.array([number[word] for word in splits[split]]) for split in ("train", "test"))
    perplexity = math.exp(NGram(order).fit(train, len(number)).nats(test).mean())
    assert perplexity == pytest.approx(PUBLISHED_PTB_PERPLEXITY[order], rel=0.005)
