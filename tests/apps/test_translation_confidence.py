"""The features of the confidence on matrices made by hand, what is new in a source, and the regression."""

import numpy as np
import pytest

from apps.translation import confidence, familiar
from apps.translation.familiar import Familiar

NEAR, FAR = [-0.05, -0.2, -0.1, 0.0], [-0.8, -2.0, -1.5, -0.7]  # features of translations that look right, and wrong


def around(features, count, seed=0):
    return np.minimum(np.random.default_rng(seed).normal(features, 0.05, (count, 4)), 0)


# Features


def test_the_features_are_the_log_probabilities_the_coverage_and_what_is_new():
    attention = np.array([[0.9, 0.05, 0.05], [0.6, 0.2, 0.2]])  # two tokens written, two read and <eos>
    found = confidence.features(np.array([-0.1, -0.5]), attention, new=0.25)
    # The first source token received more than 1, which counts as 1, the second a quarter; <eos> does not count.
    assert found == pytest.approx([-0.3, -0.5, np.log(0.25) / 2, -0.5])


def test_a_token_that_nothing_was_attended_to_gives_a_finite_feature_and_full_coverage_gives_0():
    nats = np.array([-0.1, -0.1, -0.1])
    ignored = confidence.features(nats, np.array([[1.0, 0.0, 0.0]] * 3), new=0.0)
    assert ignored[2] == pytest.approx(np.log(confidence.LEAST_COVERED) / 2)
    assert confidence.features(nats, np.eye(3), new=0.0)[2:] == [0, 0]


def test_a_run_of_digits_is_one_token_of_its_length_and_takes_the_bare_space_before_it():
    tokens = ["_March", "_", "5", ",", "_", "2", "0", "2", "0", "_", "km", "7", "<eos>"]
    assert familiar.joined(tokens) == ["_March", "_0", ",", "_0000", "_", "km", "0", "<eos>"]
    assert familiar.joined(["7", "1"]) == ["00"] and familiar.joined([]) == []


def test_numbers_are_not_new_but_an_order_of_tokens_can_be():
    trained = ["_March", "_", "5", ",", "_", "2", "0", "2", "0", "<eos>"]
    known = Familiar(familiar.pairs(trained))
    assert known.new(["_March", "_", "7", ",", "_", "1", "9", "9", "9", "<eos>"]) == 0
    assert known.new(["_March", "_", "2", "0", "2", "0", "<eos>"]) == pytest.approx(1 / 3)
    assert known.new(["_March", "_", "1", "7", ",", "_", "2", "0", "2", "0", "<eos>"]) == pytest.approx(2 / 5)


def test_unknown_are_the_tokens_that_no_training_source_has():
    known = Familiar(familiar.pairs(["_in", "_", "5", "_days", "<eos>"]))
    assert known.unknown(["_in", "_", "8", "_days", "<eos>"]) == (0, 3)
    assert known.unknown(["_in", "_Tagen", "<unk>", "<eos>"]) == (2, 3)
    assert known.unknown(["_", "1", "2", "3", "4", "5", "<eos>"]) == (0, 1)  # a longer number than any in training


def test_a_word_is_known_if_its_tokens_are_in_this_order():
    known = Familiar(familiar.pairs(["_March", "_", "3", "rd", ",", "_", "2", "0", "2", "0", "<eos>"]))
    assert known.knows(["_March", "<eos>"]) and known.knows(["_", "7", "rd", ",", "<eos>"])
    assert not known.knows(["_March", "rd", "<eos>"])  # both tokens are known, but not their pair
    assert not known.knows(["_Toisch", "<eos>"]) and not known.knows(["_", "<unk>", "<eos>"])


def test_a_strange_sentence_has_the_letters_of_one_word_in_another_order():
    random, text = np.random.default_rng(1), "12 cubic centimeters (US)"
    for _ in range(20):
        made = confidence.strange(text, random)
        if made is None:  # shuffled into the same order
            continue
        words = list(zip(made.split(" "), text.split(" "), strict=True))
        assert sum(one != other for one, other in words) == 1
        assert all(sorted(one) == sorted(other) for one, other in words)
    assert confidence.strange("12:30 h", random) is None


# What is right


def test_of_phrases_only_the_reference_itself_is_right_of_sentences_what_is_close_to_it():
    reference = "a man in a red shirt is riding a horse"
    written = [reference, "a man in a red shirt rides a horse", "two dogs play with some children"]
    assert confidence.right(written, [reference] * 3, sentences=False).tolist() == [True, False, False]
    assert confidence.right(written, [reference] * 3, sentences=True).tolist() == [True, True, False]
    assert confidence.of_sentences([reference] * 3) and not confidence.of_sentences(["5 km", "25. Dezember 2020"])


# The regression


def test_the_confidence_tells_right_from_wrong_and_marks_what_is_strange():
    valid, right = np.concatenate([around(NEAR, 190), around(FAR, 10)]), np.arange(200) < 190
    found = confidence.fit(valid, right, around([-0.3, -0.8, -0.1, -0.7], 100, seed=1))
    chances = found(valid)
    assert chances[right].min() > 0.9 > 0.1 > chances[~right].max()
    assert np.mean(chances) == pytest.approx(right.mean(), abs=0.02)
    assert found(around([-0.3, -0.8, -0.1, -0.7], 50, seed=2)).max() < found.threshold
    assert np.mean(chances < found.threshold) == pytest.approx(confidence.MARKED, abs=0.02)


def test_below_the_lower_threshold_fewer_than_half_of_the_validation_translations_are_right():
    spread = np.concatenate([around(NEAR, 200), around(np.mean([NEAR, FAR], axis=0), 60), around(FAR, 60)])
    right = np.arange(320) < 230  # all that are near, and half of those in the middle
    found = confidence.fit(spread, right, around(FAR, 40, seed=1))
    below = found(spread) < found.abstain
    assert below.sum() >= 60 and right[below].mean() < 0.5 < right[~below].mean()
    assert found.abstain <= found.threshold
    captions = confidence.fit(spread, right, np.zeros((0, 4)), sentences=True)
    assert captions.abstain < found.abstain <= captions.threshold


def test_a_calibration_of_an_earlier_version_never_abstains():
    assert confidence.Confidence(weights=[1.0] * 4, bias=0.0, threshold=0.6, sentences=False).abstain == 0


def test_without_strange_sentences_and_with_only_one_kind_of_answer_it_still_fits():
    nothing = np.zeros((0, 4))
    all_right = confidence.fit(around(NEAR, 60), np.ones(60, bool), nothing)
    assert all_right(around(NEAR, 60, seed=3)).min() > 0.9
    all_wrong = confidence.fit(around(NEAR, 60), np.zeros(60, bool), nothing)
    assert all_wrong(around(NEAR, 60, seed=3)).max() < confidence.EVEN <= all_wrong.threshold


def test_a_lower_log_probability_never_raises_the_confidence():
    """Even if in a small validation set the wrong ones happen to be the more probable."""
    valid = np.concatenate([around(FAR, 30), around(NEAR, 30)])
    found = confidence.fit(valid, np.arange(60) < 30, np.zeros((0, 4)))
    assert min(found.weights) >= 0 and found(np.array(NEAR)) >= found(np.array(FAR))
