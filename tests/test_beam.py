"""Beam search against greedy decoding and against every possible sequence, enumerated in NumPy."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from shared import InputError
from shared.beam import BeamSearch
from shared.decoding import Decoder
from tests.test_decoding import UNITS, VOCABULARY, TinyModel

END, FIRST, SMALL, POSITIONS, LONGEST = 0, 1, 4, 3, 3


class Attending:
    """A tiny model of 4 tokens that attends to 3 positions and keeps its coverage as a state."""

    def __init__(self, seed=0):
        random = np.random.default_rng(seed)
        shapes = {"embedding": (SMALL, UNITS), "recurrent": (UNITS, UNITS), "output": (UNITS, SMALL)}
        self.values = {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}
        self.variables = {name: keras.Variable(value) for name, value in self.values.items()}
        self.keys = random.normal(size=(2, POSITIONS, UNITS)).astype("float32")
        self.h0 = random.normal(size=(2, UNITS)).astype("float32")
        self.search = BeamSearch(self.step, list(self.variables.values()), SMALL, END, coverage=1)

    def step(self, tokens, states, keys):
        weights = self.variables
        h = ops.tanh(ops.take(weights["embedding"], tokens, axis=0) + ops.matmul(states[0], weights["recurrent"]))
        attention = ops.softmax(ops.einsum("bu,bpu->bp", h, keys))
        return ops.matmul(h, weights["output"]), [h, states[1] + attention]

    def run(self, **options):
        states = [self.h0, np.zeros((2, POSITIONS), "float32")]
        return self.search(np.full(2, FIRST), states, [self.keys], **options)

    def log_p_and_coverage(self, row, sequence):
        """Of one sequence, step by step in float64."""
        h, token, total, coverage = self.h0[row], FIRST, 0.0, np.zeros(POSITIONS)
        for following in sequence:
            h = np.tanh(self.values["embedding"][token] + h @ self.values["recurrent"])
            logits = (h @ self.values["output"]).astype("float64")
            scores = np.exp(self.keys[row] @ h)
            coverage += scores / scores.sum()
            total += logits[following] - np.log(np.exp(logits).sum())
            token = following
        return total, coverage


@pytest.fixture(name="model", scope="module")
def attending_model():
    """One for all tests that leave it alone: compiling takes most of the time here."""
    return Attending()


def every_sequence(longest=LONGEST):
    """All that end in END within `longest` tokens, and those of `longest` tokens that do not end."""
    others = [token for token in range(SMALL) if token != END]
    for length in range(1, longest + 1):
        for body in itertools.product(others, repeat=length - 1):
            yield (*body, END)
    yield from itertools.product(others, repeat=longest)


def ranked(model, row, alpha=0.0, beta=0.0, keep=lambda sequence: True):
    """(score, log p, sequence) of all sequences, the best first."""
    found = []
    for sequence in filter(keep, every_sequence()):
        log_p, coverage = model.log_p_and_coverage(row, sequence)
        score = log_p / ((5 + len(sequence)) / 6) ** alpha + beta * np.log(np.minimum(coverage, 1)).sum()
        found.append((score, log_p, sequence))
    return sorted(found, key=lambda item: -item[0])


def assert_equal(found, row, expected):
    count = int(np.isfinite(found.scores[row]).sum())
    assert count == len(expected)
    for place, (score, log_p, sequence) in enumerate(expected):
        assert tuple(found.tokens[row, place, : found.lengths[row, place]]) == sequence
        assert set(found.tokens[row, place, found.lengths[row, place] :]) <= {END}
        np.testing.assert_allclose(found.scores[row, place], score, atol=1e-5)
        np.testing.assert_allclose(found.log_probabilities[row, place], log_p, atol=1e-5)


def no_pair_twice(sequence):
    pairs = list(itertools.pairwise(sequence))
    return len(pairs) == len(set(pairs))


RULES = {
    "probability alone": ({}, {}),
    "a length penalty": ({"length_penalty": 1.3}, {"alpha": 1.3}),
    "a coverage penalty": ({"coverage_penalty": 0.7}, {"beta": 0.7}),
    "both": ({"length_penalty": 0.6, "coverage_penalty": 2.0}, {"alpha": 0.6, "beta": 2.0}),
    "no token twice": ({"block_ngrams": 1}, {"keep": lambda s: len(s) == len(set(s))}),
    "no pair twice": ({"block_ngrams": 2}, {"keep": no_pair_twice}),
    "a banned token": ({"banned": (2,)}, {"keep": lambda s: 2 not in s}),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_beam_as_wide_as_there_are_sequences_is_an_exhaustive_search(model, rule):
    options, oracle = RULES[rule]
    found = model.run(beam=60, length=LONGEST, **options)
    for row in (0, 1):
        assert_equal(found, row, ranked(model, row, **oracle))


def test_the_tokens_allowed_at_each_place_are_the_only_ones(model):
    allowed = np.ones((2, LONGEST, SMALL), bool)
    allowed[0, 0, [0, 1]] = False
    allowed[1, 1, 2] = False
    found = model.run(beam=60, length=LONGEST, allowed=allowed)
    for row in (0, 1):

        def fits(sequence, row=row):
            return all(allowed[row, place, token] for place, token in enumerate(sequence))

        assert_equal(found, row, ranked(model, row, keep=fits))


def test_a_narrow_beam_keeps_the_best_prefixes():
    """The same search by hand: sorted Python lists, one row."""
    model, beam, longest = Attending(seed=3), 2, 6
    live, finished = [(0.0, ())], []
    for _ in range(longest):
        longer = [(*sequence, token) for _, sequence in live for token in range(SMALL)]
        extended = [(model.log_p_and_coverage(0, sequence)[0], sequence) for sequence in longer]
        best = sorted(extended, key=lambda item: -item[0])[: beam - len(finished)]
        finished += [item for item in best if item[1][-1] == END]
        live = [item for item in best if item[1][-1] != END]
    expected = sorted(finished + live, key=lambda item: -item[0])
    found = model.run(beam=beam, length=longest)
    assert [tuple(t[:n]) for t, n in zip(found.tokens[0], found.lengths[0], strict=True)] == [s for _, s in expected]
    np.testing.assert_allclose(found.scores[0], [score for score, _ in expected], atol=1e-5)


def test_a_beam_of_one_is_greedy_decoding_exactly():
    model, end, ends = TinyModel(), 4, []
    decoder = Decoder(model.step, list(model.variables.values()), VOCABULARY)
    search = BeamSearch(model.step, list(model.variables.values()), VOCABULARY, end)
    for seed in range(5):
        for name, value in TinyModel(seed).values.items():
            model.variables[name].assign(value)
        first, states = np.arange(6), [np.random.default_rng(seed).normal(size=(6, UNITS)).astype("float32")]
        logits, after = decoder.read(first[:, None], states)
        greedy = np.concatenate(list(decoder.sample(logits, after, 20, temperature=0)), axis=1)
        found = search(first, states, beam=1, length=20)
        for row, written in enumerate(greedy):
            stop = list(written).index(end) + 1 if end in written else 20
            assert found.lengths[row, 0] == stop
            assert list(found.tokens[row, 0, :stop]) == list(written[:stop])
            ends.append(stop)
    assert min(ends) < 20 == max(ends)  # some end, some do not


def test_rows_do_not_influence_each_other():
    model = Attending(seed=2)
    both = model.run(beam=3, length=5)
    model.h0, model.keys = model.h0[::-1].copy(), model.keys[::-1].copy()
    swapped = model.run(beam=3, length=5)
    np.testing.assert_array_equal(both.tokens, swapped.tokens[::-1])
    np.testing.assert_allclose(both.scores, swapped.scores[::-1], atol=1e-6)


BAD = {
    "beam": ({"beam": 0}, "`beam` must be at least 1. Received: beam=0"),
    "length": ({"length": 0}, "`length` must be at least 1"),
    "penalty": ({"length_penalty": float("nan")}, "`length_penalty` must be at least 0"),
    "banned": ({"banned": (4,)}, r"Expected banned tokens in \[0, 4\)"),
    "allowed": ({"length": 2, "allowed": np.ones((1, 3, 4))}, "Expected `allowed` of shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_settings_out_of_range_are_named(model, name):
    options, message = BAD[name]
    with pytest.raises(InputError, match=message):
        model.run(**options)


def test_logits_that_are_not_numbers_are_an_error():
    model = Attending()
    model.variables["output"].assign(np.full((UNITS, SMALL), np.nan, "float32"))
    with pytest.raises(InputError, match="training has diverged"):
        model.run(beam=2, length=3)


def test_a_coverage_penalty_without_coverage_is_an_error():
    model = TinyModel()
    search = BeamSearch(model.step, list(model.variables.values()), VOCABULARY, END)
    with pytest.raises(InputError, match="needs a state"):
        search([1], [np.zeros((1, UNITS), "float32")], coverage_penalty=1.0)
