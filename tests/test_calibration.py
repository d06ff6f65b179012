"""Temperature, calibration error, and below which confidence to abstain."""

import numpy as np
import pytest

from shared import calibration


def test_a_temperature_makes_overconfident_logits_believable():
    random = np.random.default_rng(1)
    logits = random.normal(size=(20_000, 3))
    labels = np.array([random.choice(3, p=row) for row in calibration.probabilities(logits)])
    assert calibration.temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
    assert calibration.temperature(logits / 3, labels) == pytest.approx(1 / 3, rel=0.1)
    error = [calibration.expected_calibration_error(calibration.probabilities(3 * logits, t), labels) for t in (1, 3)]
    assert error[0] > 0.1 > 0.02 > error[1]


def test_extreme_logits_give_finite_probabilities_and_a_temperature_in_range():
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]])
    np.testing.assert_allclose(calibration.probabilities(logits).sum(axis=1), 1)
    right, wrong = np.array([0, 1]), np.array([1, 0])
    assert calibration.LOWEST <= calibration.temperature(logits, right) <= calibration.HIGHEST
    assert calibration.temperature(logits, wrong) == pytest.approx(calibration.HIGHEST, rel=1e-2)


def test_the_threshold_is_the_confidence_above_which_enough_answers_are_right():
    confidence = np.array([0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.51])
    right = np.array([True, True, True, True, False, True, False, False, True, False])
    assert calibration.threshold(confidence, right, 0.8, 0.1) == pytest.approx(0.7)
    assert calibration.threshold(confidence, right, 0.5, 0.1) == 0.0
    assert calibration.threshold(confidence, ~right, 0.99, 0.1) == pytest.approx(0.95)
    assert calibration.threshold(confidence, ~right, 0.99, 0.5) == pytest.approx(0.75)
    shuffled = np.random.default_rng(0).permutation(10)
    assert calibration.threshold(confidence[shuffled], right[shuffled], 0.8, 0.1) == pytest.approx(0.7)


def test_the_calibration_error_is_the_mean_distance_of_confidence_and_accuracy():
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 0, 0, 1])  # right, right, right, wrong
    assert calibration.expected_calibration_error(chances, labels) == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)
