"""The memory tasks' sequences: their layout, what they ask, how the digits are split."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.memory_probe import data
from apps.memory_probe.config import FEWEST_DIGITS, RECIPES, Config
from apps.memory_probe.tasks import ALPHABET, MESSAGE, PIXELS, TASKS

many = settings(deadline=None, max_examples=40)


def generator(seed):
    return np.random.default_rng(seed)


@many
@given(st.integers(0, 2**32), st.integers(1, 20), st.integers(2, 130))
def test_adding_marks_two_values_one_in_each_half_and_asks_for_their_sum(seed, rows, length):
    inputs, sums = data.adding(generator(seed), rows, length)
    assert inputs.shape == (rows, length, 2) and inputs.dtype == sums.dtype == np.float32
    values, markers = inputs[..., 0], inputs[..., 1]
    assert ((values >= 0) & (values < 1)).all()
    assert set(np.unique(markers)) <= {0, 1}
    assert (markers[:, : length // 2].sum(axis=1) == 1).all() and (markers[:, length // 2 :].sum(axis=1) == 1).all()
    np.testing.assert_allclose(sums[:, 0, 0], (values * markers).sum(axis=1), rtol=1e-6)


def test_always_answering_one_has_an_error_of_one_sixth():
    """The variance of a sum of two uniform values: 2 / 12."""
    _, sums = data.adding(generator(0), 100_000, 2)
    assert np.square(sums - 1).mean() == pytest.approx(1 / 6, rel=0.02)


@many
@given(st.integers(0, 2**32), st.integers(1, 20), st.integers(1, 130))
def test_copy_has_the_message_blanks_one_delimiter_and_ten_blanks_to_answer_in(seed, rows, lag):
    inputs, messages = data.copy(generator(seed), rows, lag)
    assert inputs.shape == (rows, lag + 20, 10) and (inputs.sum(axis=-1) == 1).all()
    ids = inputs.argmax(axis=-1)
    assert (ids[:, :MESSAGE] == messages).all()
    assert messages.min() >= 0 and messages.max() < len(ALPHABET)
    assert (ids[:, MESSAGE + lag - 1] == data.DELIMITER).all()
    rest = np.delete(ids, [*range(MESSAGE), MESSAGE + lag - 1], axis=1)
    assert rest.shape[1] == lag - 1 + MESSAGE and (rest == data.BLANK).all()


@many
@given(st.integers(0, 2**32))
def test_a_permutation_is_fixed_by_its_seed_and_leaves_no_pixel_out(seed):
    order = data.permutation(seed)
    assert sorted(order) == list(range(PIXELS))
    assert (order == data.permutation(seed)).all()


def test_other_seeds_permute_otherwise():
    assert len({tuple(data.permutation(seed)) for seed in range(20)}) == 20


@many
@given(st.integers(0, 100), st.integers(PIXELS, 300))
def test_pixels_are_read_in_order_and_then_there_are_blanks(seed, length):
    images = generator(seed).random((3, PIXELS), dtype=np.float32)
    order = data.permutation(seed)
    inputs = data.pixel_inputs(images, order, length)
    assert inputs.shape == (3, length, 1) and (inputs[:, PIXELS:] == 0).all()
    unread = np.empty_like(images)
    unread[:, order] = inputs[:, :PIXELS, 0]
    assert (unread == images).all()


def test_the_digits_are_split_without_overlap_and_in_equal_shares():
    images, labels = data.digits()
    parts = data.split(labels)
    assert images.shape == (1797, PIXELS) and (images.min(), images.max()) == (0, 1)
    assert {name: len(part) for name, part in parts.items()} == {"train": 1077, "valid": 360, "test": 360}
    assert sorted(np.concatenate(list(parts.values()))) == list(range(1797))
    shares = [np.bincount(labels[part], minlength=10) / len(part) for part in [np.arange(1797), *parts.values()]]
    assert np.abs(np.array(shares[1:]) - shares[0]).max() < 0.005


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_sequences_and_info_fits_json(task):
    config = dataclasses.replace(RECIPES[task], length=70)
    one, other = data.load(config), data.load(config)
    for (inputs, targets), (again, targets_again) in [
        (one.train.batch(2, 3), other.train.batch(2, 3)),
        (one.valid, other.valid),
        (one.test, other.test),
    ]:
        assert (inputs == again).all() and (targets == targets_again).all()
        assert inputs.shape[2] == TASKS[task].features
        assert targets.shape[1] == TASKS[task].answers
    assert json.loads(json.dumps(one.info)) == one.info
    assert one.info["order"] is None or sorted(one.info["order"]) == list(range(PIXELS))


@pytest.mark.parametrize("task", ["adding", "copy"])
def test_made_sequences_never_come_twice_and_differ_by_part_and_seed(task):
    config = Config(data=task, length=40, batch_size=8)
    loaded, other = data.load(config), data.load(dataclasses.replace(config, seed=2))
    batches = [loaded.train.batch(epoch, step)[0] for epoch in range(3) for step in range(3)]
    batches += [loaded.valid[0][:8], loaded.test[0][:8], other.train.batch(0, 0)[0], other.test[0][:8]]
    assert len({batch.tobytes() for batch in batches}) == len(batches)


def test_both_digit_tasks_read_the_same_digits_in_another_order():
    plain, permuted = (data.load(RECIPES[f"{name}_digits"]) for name in ("sequential", "permuted"))
    assert (plain.test[1] == permuted.test[1]).all()
    assert (plain.test[0][:, permuted.info["order"]] == permuted.test[0]).all()


def test_the_seed_of_a_run_changes_neither_the_split_nor_the_permutation():
    one, other = (data.load(dataclasses.replace(RECIPES["permuted_digits"], seed=seed)) for seed in (1, 2))
    assert one.info == other.info and (one.test[0] == other.test[0]).all()
    assert (one.train.batch(0, 0)[0] != other.train.batch(0, 0)[0]).any()  # the order of training does change


@pytest.mark.parametrize("task", ["adding", "copy"])
def test_fewer_generated_examples_are_spread_over_all_of_validation_and_test(task):
    config = Config(data=task, length=9)
    whole, few = data.load(config), data.load(dataclasses.replace(config, max_examples=3))
    for all_of_it, some in ((whole.valid, few.valid), (whole.test, few.test)):
        for complete, kept in zip(all_of_it, some, strict=True):
            assert (kept == complete[[0, 500, 999]]).all()  # 499.5 is rounded to the even number
    assert (whole.train.batch(1, 2)[0] == few.train.batch(1, 2)[0]).all()


def test_fewer_digits_are_taken_in_every_part_and_of_every_class():
    found = data.load(dataclasses.replace(RECIPES["permuted_digits"], batch_size=10, max_examples=FEWEST_DIGITS))
    for inputs, labels in (found.train.arrays, found.valid, found.test):
        assert len(inputs) == len(labels) == FEWEST_DIGITS
        assert set(labels[:, 0]) == set(range(10))
    assert "train 20, valid 20, test 20" in found.info["split"]


@pytest.mark.parametrize("task", TASKS)
def test_the_fingerprint_tells_other_sequences_from_the_same(task, monkeypatch):
    config = RECIPES[task]
    before = data.load(config).info["fingerprint"]
    assert before == data.load(config).info["fingerprint"]
    images, labels = data.digits()
    monkeypatch.setattr(data, "digits", lambda: (1 - images, labels))
    monkeypatch.setitem(data.GENERATORS, "adding", data.copy)
    monkeypatch.setattr(data, "BLANK", data.DELIMITER)
    assert data.load(config).info["fingerprint"] != before
