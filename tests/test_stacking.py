"""How much each of two classifiers counts: known cases."""

import numpy as np
import pytest

from shared import calibration, stacking

ROWS = 100


def sources(seed, *strengths, labels=3):
    """True labels, and for each strength logits that know them so well."""
    random = np.random.default_rng(seed)
    true = random.integers(0, labels, ROWS)
    return true, *(strength * np.eye(labels)[true] + random.normal(size=(ROWS, labels)) for strength in strengths)


@pytest.mark.parametrize("seed", range(5))
def test_a_source_that_knows_nothing_hardly_counts(seed):
    true, good, random = sources(seed, 3.0, 0.0)
    assert stacking.fit(good, random, true).share < 0.15
    assert stacking.fit(random, good, true).share > 0.85


def test_a_source_that_is_wrong_counts_nothing_and_the_other_all():
    true, good = sources(0, 2.0)
    stack = stacking.fit(good, -good, true)
    assert stack.second == stack.share == 0
    stack = stacking.fit(-good, good, true)
    assert stack.first == 0 and stack.share == 1


def test_a_source_added_to_itself_changes_no_answer():
    true, good = sources(1, 2.0)
    stack = stacking.fit(good, good, true)
    assert stack.share == pytest.approx(0.5, abs=1e-3)
    alone = calibration.probabilities(good, calibration.temperature(good, true))
    np.testing.assert_allclose(calibration.probabilities(stack.logits(good, good)), alone, atol=1e-2)


def test_two_independent_sources_are_better_than_either_also_on_other_rows():
    true, *both = sources(2, 1.5, 1.5)
    stack = stacking.fit(*both, true)
    assert 0.2 < stack.share < 0.8
    other, *unseen = sources(3, 1.5, 1.5)
    together = (stack.logits(*unseen).argmax(axis=1) == other).mean()
    assert together > max((each.argmax(axis=1) == other).mean() for each in unseen)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_units_of_a_source_do_not_matter(scale):
    true, first, second = sources(4, 2.0, 1.0)
    expected, found = stacking.fit(first, second, true), stacking.fit(first, scale * second, true)
    assert found.share == pytest.approx(expected.share, abs=1e-3)
    np.testing.assert_allclose(found.logits(first, scale * second), expected.logits(first, second), atol=1e-2)


@pytest.mark.parametrize("balanced", [False, True])
def test_the_loss_is_at_most_that_of_the_better_source(balanced):
    true, first, second = sources(5, 2.0, 0.5)
    stack = stacking.fit(first, second, true, balanced)
    assert stack.loss <= min(stacking.log_loss(each, true, balanced) for each in (first, second)) + 1e-3


def test_balanced_listens_to_the_source_that_knows_the_rare_label():
    true = np.repeat([0, 1], [90, 10])
    random = np.random.default_rng(0)
    common = np.stack([np.full(ROWS, 2.0), random.normal(size=ROWS)], axis=1)  # says 0 to all
    rare = np.stack([random.normal(size=ROWS), 3.0 * true], axis=1)
    plain, balanced = (stacking.fit(common, rare, true, each).share for each in (False, True))
    assert balanced > plain


def test_a_validation_part_without_an_error_gives_a_finite_scale():
    true = np.arange(ROWS) % 3
    stack = stacking.fit(np.eye(3)[true], np.zeros((ROWS, 3)), true)
    assert np.isfinite([stack.first, stack.second]).all() and stack.share == pytest.approx(0, abs=1e-6)


def test_without_a_fit_the_first_source_is_all():
    true, first, second = sources(6, 1.0, 1.0)
    np.testing.assert_array_equal(stacking.Stack().logits(first, second), first)
