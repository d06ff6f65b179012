"""The paired bootstrap that says whether a difference is one."""

import math

import numpy as np
import pytest

from shared import paired


def share(right, rows):
    """The share of right answers."""
    return float(np.mean(right[rows]))


def test_the_figures_are_those_of_all_items_and_the_best_baseline_is_compared():
    ours, good, bad = np.repeat([1, 0], [80, 20]), np.repeat([1, 0], [70, 30]), np.zeros(100)
    found = paired.compared(share, ours, {"bad": bad, "good": good}, 100)
    assert found["value"] == 0.8 and found["baselines"] == {"bad": 0.0, "good": 0.7} and found["direction"] == "higher"
    low, high = found["ahead"]
    # Ten items of a hundred differ, always in the network's favour: the share has a deviation of sqrt(.1 * .9 / 100).
    assert low == pytest.approx(0.1 - 1.96 * 0.03, abs=0.02) and high == pytest.approx(0.1 + 1.96 * 0.03, abs=0.02)


def test_one_more_right_answer_of_many_is_no_difference_and_equal_answers_are_none():
    theirs = np.arange(1821) < 1400
    ours = theirs.copy()
    ours[:100], ours[-101:] = False, True
    low, high = paired.compared(share, ours, {"theirs": theirs}, 1821)["ahead"]
    assert low < 0 < high
    assert paired.compared(share, theirs, {"theirs": theirs}, 1821)["ahead"] == (0.0, 0.0)
    assert paired.compared(share, theirs, {}, 1821)["ahead"] is None


def test_every_network_is_scored_on_the_same_resamples_so_that_two_of_them_can_be_compared():
    ours, theirs = np.arange(50) < 40, np.arange(50) < 30
    first, second = (paired.compared(share, one, {"none": np.zeros(50)}, 50)["resampled"] for one in (ours, theirs))
    assert first["items"] == second["items"] == 50 and len(first["figures"]) == paired.DRAWS
    # Each right answer of the second is one of the first: it is never ahead on the same items.
    leads = np.subtract(first["figures"], second["figures"])
    assert leads.min() >= 0 and leads.mean() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("direction, better, worse", [("lower", 1.0, 2.0), ("higher", 2.0, 1.0), ("one", 0.9, 1.2)])
def test_more_than_zero_means_that_the_network_is_better_whatever_the_direction(direction, better, worse):
    ours, theirs = np.full(50, better), np.full(50, worse)
    assert paired.compared(share, ours, {"theirs": theirs}, 50, direction)["ahead"][0] > 0
    assert paired.compared(share, theirs, {"ours": ours}, 50, direction)["ahead"][1] < 0


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        ours, theirs = generator.normal(0.3, 1, 60), generator.normal(0, 1, 60)
        low, high = paired.compared(share, ours, {"theirs": theirs}, 60, draws=200)["ahead"]
        covered += low <= 0.3 <= high
    assert 174 <= covered <= 199


def test_intervals_of_folds_are_of_independent_items_and_those_of_seeds_of_the_same():
    assert paired.joined([(0.0, 0.2), (0.0, 0.2)], "folds") == pytest.approx(
        (0.1 - 0.1 / math.sqrt(2), 0.1 + 0.1 / math.sqrt(2))
    )
    assert paired.joined([(0.0, 0.2), (0.0, 0.2)], "seeds") == pytest.approx((0.0, 0.2))
    low, high = paired.joined([(0.0, 0.2), (0.1, 0.3), (0.05, 0.25)], "seeds")
    assert low < 0.05 and high > 0.25


def test_the_chance_of_the_seeds_is_that_of_students_t():
    assert paired.by_chance(1.0, 3) == pytest.approx(4.303 / math.sqrt(3), rel=1e-3)
