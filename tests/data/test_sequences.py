"""Padding, windows and batches: every row exactly once, the same again for the same seed, epoch and step."""

import collections
import copy

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import InputError
from shared.data.sequences import (
    ArrayBatches,
    Batches,
    BucketBatches,
    StreamBatches,
    bucket_lengths,
    in_buckets,
    pad,
    spread,
    windows,
)

some_sequences = st.lists(st.lists(st.integers(1, 9), max_size=7), min_size=1, max_size=9)
lengths = st.lists(st.integers(1, 12), min_size=1, max_size=40)


def same(first, second):
    """Two batches are equal: structure, types and every number."""
    keras.tree.assert_same_structure(first, second)
    for a, b in zip(keras.tree.flatten(first), keras.tree.flatten(second), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b), strict=True)


def numbered(lengths):
    """A sequence of each length; its numbers say which sequence (hundreds) and which step they are."""
    return [np.arange(length, dtype=np.int32) + 100 * (i + 1) for i, length in enumerate(lengths)]


# Padding


@given(some_sequences, st.integers(0, 5), st.integers(-1, 0))
def test_padded_sequences_come_back_by_their_mask(sequences, spare, value):
    longest = max(map(len, sequences))
    padded, mask = pad(sequences, longest + spare, value)
    assert padded.shape == mask.shape == (len(sequences), longest + spare) and mask.dtype == bool
    assert [row[real].tolist() for row, real in zip(padded, mask, strict=True)] == sequences
    assert (padded[~mask] == value).all()
    assert (np.diff(mask.astype(int), axis=1) <= 0).all()  # real steps first


def test_features_are_padded_in_time_alone():
    padded, mask = pad([np.ones((2, 3)), np.ones((4, 3))])
    assert padded.shape == (2, 4, 3)
    assert padded[0].sum() == 6 and mask.sum() == 6


def test_the_padded_type_is_the_sequences_type_even_beside_an_empty_list():
    padded, mask = pad([np.array([1, 2], dtype=np.int32), []])
    assert padded.dtype == np.int32
    assert mask.tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize(
    ("sequences", "length", "message"),
    [
        ([], None, "at least one sequence"),
        ([[1], [1, 2, 3]], 2, "at most 2 steps. Sequence 1 has 3"),
        ([np.ones((2, 3)), np.ones((2, 4))], None, "only in time"),
        ([1, 2], None, "only in time"),
    ],
)
def test_what_cannot_be_padded_is_refused(sequences, length, message):
    with pytest.raises(InputError, match=message):
        pad(sequences, length)


# Windows


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.integers(0, 20), st.booleans())
def test_windows_are_the_slices_of_the_series(lookback, horizon, stride, spare, features):
    series = np.arange(lookback + horizon + spare)
    series = np.stack([series, -series], axis=1) if features else series
    past, future = windows(series, lookback, horizon, stride)
    starts = range(0, spare + 1, stride)
    np.testing.assert_array_equal(past, [series[s : s + lookback] for s in starts])
    np.testing.assert_array_equal(future, [series[s + lookback : s + lookback + horizon] for s in starts])


def test_windows_copy_nothing():
    series = np.zeros((100, 2))
    assert all(np.shares_memory(view, series) for view in windows(series, 5, 3))


def test_a_series_too_short_for_a_window_says_how_long_it_must_be():
    with pytest.raises(InputError, match=r"lookback \+ horizon = 8 steps. Received: 7"):
        windows(np.zeros(7), 5, 3)


@pytest.mark.parametrize("name", ["lookback", "horizon", "stride"])
def test_a_window_of_nothing_is_refused(name):
    numbers = {"lookback": 2, "horizon": 2, "stride": 1} | {name: 0}
    with pytest.raises(InputError, match=f"{name} of at least 1. Received: 0"):
        windows(np.zeros(9), **numbers)


# What holds for all batches

ROWS = np.arange(23)
ALL = {
    "rows": lambda seed: ArrayBatches((ROWS, ROWS), 5, seed),
    "buckets": lambda seed: BucketBatches(numbered([3, 9, 2, 4, 7, 8, 1, 9]), np.arange(8), 2, seed, (4, 6, 9)),
    "streams": lambda seed: StreamBatches(np.arange(9000, dtype=np.int32), 4, 600, seed),
}
every_kind = pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())


@every_kind
def test_a_batch_depends_on_seed_epoch_and_step_alone(make):
    forwards, backwards = make(7), make(7)
    positions = [(epoch, step) for epoch in range(3) for step in range(forwards.steps)]
    expected = {at: forwards.batch(*at) for at in positions}
    for at in reversed(positions):
        same(backwards.batch(*at), expected[at])


@every_kind
def test_epochs_and_seeds_differ(make):
    def epoch_of(batches, epoch):
        flat = keras.tree.flatten([batches.batch(epoch, step) for step in range(batches.steps)])
        return b"".join(array.tobytes() for array in flat)

    seen = {epoch_of(make(seed), epoch) for seed in range(3) for epoch in range(3)}
    assert len(seen) == 9


@every_kind
def test_a_resumed_epoch_is_the_rest_of_the_unbroken_one(make):
    whole = make(3)
    whole.epoch = 2
    assert len(whole) == whole.steps
    rest = make(3)
    rest.epoch, rest.first = 2, 2
    assert len(rest) == whole.steps - 2
    for resumed, unbroken in zip(rest, list(whole)[2:], strict=True):
        same(resumed, unbroken)


@every_kind
def test_a_shallow_copy_goes_its_own_way(make):
    """`shared.fit` makes one for each epoch, while a thread may still read the last one."""
    original = make(3)
    copied = copy.copy(original)
    copied.epoch, copied.first = 5, 1
    expected = make(3)
    for _ in range(2):
        same(original[0], expected.batch(0, 0))
        same(copied[0], expected.batch(5, 1))


@every_kind
def test_a_plain_loop_ends_and_a_batch_beyond_the_end_is_an_index_error(make):
    batches = make(1)
    assert len(list(batches)) == batches.steps
    same(batches[-1], batches[batches.steps - 1])
    for beyond in (batches.steps, -batches.steps - 1):
        with pytest.raises(IndexError):
            batches[beyond]


@every_kind
def test_no_batch_is_empty_of_steps_and_a_size_below_one_is_refused(make):
    assert make(1).steps > 1
    with pytest.raises(InputError, match="batch_size of at least 1. Received: 0"):
        ArrayBatches((ROWS, ROWS), 0, 1)


# Rows


@given(st.integers(1, 50), st.integers(1, 60), st.integers(0, 5), st.booleans())
def test_every_row_is_seen_once_an_epoch(rows, batch_size, epoch, shuffle):
    x = np.arange(rows)
    batches = ArrayBatches((x, -x), batch_size, seed=1, shuffle=shuffle)
    seen = [batches.batch(epoch, step) for step in range(batches.steps)]
    assert [len(x) for x, _ in seen[:-1]] == [batch_size] * (batches.steps - 1)
    inputs, targets = (np.concatenate(part) for part in zip(*seen, strict=True))
    assert sorted(inputs) == list(range(rows))
    np.testing.assert_array_equal(targets, -inputs)
    if not shuffle:
        np.testing.assert_array_equal(inputs, x)


@given(st.integers(1, 50), st.integers(1, 50))
def test_drop_last_leaves_full_batches_only(rows, batch_size):
    if rows < batch_size:
        with pytest.raises(InputError, match=f"batch of {batch_size}. Received: {rows}"):
            ArrayBatches((np.arange(rows),) * 2, batch_size, 1, drop_last=True)
        return
    batches = ArrayBatches((np.arange(rows),) * 2, batch_size, seed=1, drop_last=True)
    assert batches.steps == rows // batch_size
    assert all(len(x) == batch_size for x, _ in batches)


def test_nested_inputs_and_weights_stay_together():
    inputs = {"text": np.arange(10), "speaker": np.arange(10) * 2}
    for batch, targets, weights in ArrayBatches((inputs, np.arange(10) * 3, np.arange(10) * 4), 4, seed=1):
        np.testing.assert_array_equal(batch["speaker"], batch["text"] * 2)
        np.testing.assert_array_equal(targets, batch["text"] * 3)
        np.testing.assert_array_equal(weights, batch["text"] * 4)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(InputError, match=r"one length. Received lengths: \[2, 3\]"):
        ArrayBatches((np.zeros(2), np.zeros(3)), 1, 1)


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="Received: 0"):
        ArrayBatches((np.zeros(0), np.zeros(0)), 1, 1)


# Buckets


@given(lengths, st.integers(1, 7), st.integers(0, 3))
def test_every_sequence_has_weight_one_once_an_epoch_in_its_own_bucket(lengths, batch_size, epoch):
    sequences = numbered(lengths)
    buckets = (3, 6, 12)
    batches = BucketBatches(sequences, np.arange(len(sequences)), batch_size, 1, buckets)
    seen = []
    for step in range(batches.steps):
        (inputs, mask), targets, weights = batches.batch(epoch, step)
        assert inputs.shape == mask.shape == (batch_size, inputs.shape[1]) and weights.dtype == np.float32
        for row, real, target, weight in zip(inputs, mask, targets, weights, strict=True):
            np.testing.assert_array_equal(row[real], sequences[target])
            assert inputs.shape[1] == min(b for b in buckets if b >= len(sequences[target]))
            assert weight in (0, 1)
            seen += [target] if weight else []
    assert sorted(seen) == list(range(len(sequences)))


@given(lengths, st.integers(1, 7))
def test_targets_in_time_are_padded_like_their_sequences_and_each_step_weighs_one(lengths, batch_size):
    sequences = numbered(lengths)
    batches = BucketBatches(sequences, [-s for s in sequences], batch_size, 1, [12])
    steps = collections.Counter()
    for (inputs, mask), targets, weights in map(lambda step: batches.batch(0, step), range(batches.steps)):
        np.testing.assert_array_equal(targets, -inputs)
        assert not (weights[~mask]).any()
        steps.update(inputs[weights == 1].tolist())
    assert steps == collections.Counter(np.concatenate(sequences).tolist())


def test_a_batch_has_the_length_of_its_bucket_and_no_other():
    batches = BucketBatches(numbered([1, 2, 3, 9, 10, 11] * 5), np.arange(30), 4, 1, [11, 3])
    assert {batches.batch(0, step)[0][0].shape for step in range(batches.steps)} == {(4, 3), (4, 11)}


def test_sequences_of_features_are_bucketed_too():
    batches = BucketBatches([np.ones((t, 3)) for t in (1, 2, 5)], np.eye(3), 2, 1, [2, 5])
    (inputs, mask), targets, _ = batches.batch(0, 0)
    assert inputs.shape[2:] == (3,) and mask.ndim == 2 and targets.shape == (2, 3)


@pytest.mark.parametrize(
    ("sequences", "targets", "buckets", "message"),
    [
        ([[1, 2, 3]], [0], [2], "at most 2 steps, the longest bucket. Sequence 0 has 3"),
        ([[1], []], [0, 0], [2], "Sequence 1 is empty"),
        ([[1], [1]], [0], [2], "Expected 2 targets"),
        ([[1], [1, 2]], [[1], [1, 2, 3]], [2], "Sequence 1 has 2 steps, its target the shape"),
        ([], [], [2], "at least one sequence"),
        ([[1]], [0], [], "one bucket length"),
    ],
)
def test_sequences_that_fit_no_bucket_or_target_are_refused(sequences, targets, buckets, message):
    with pytest.raises(InputError, match=message):
        BucketBatches(sequences, targets, 2, 1, buckets)


# Streams


@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 300), st.booleans(), st.integers(0, 4))
def test_streams_are_contiguous_and_targets_are_one_step_ahead(batch_size, window, spare, jitter, epoch):
    ids = np.arange(StreamBatches.shortest(batch_size, window, jitter) + spare, dtype=np.int32)
    batches = StreamBatches(ids, batch_size, window, seed=1, jitter=jitter)
    seen = [batches.batch(epoch, step) for step in range(batches.steps)]
    assert all(x.shape == y.shape == (batch_size, window) and x.dtype == np.int32 for x, y in seen)
    streams = np.concatenate([x for x, _ in seen], axis=1)
    np.testing.assert_array_equal(np.concatenate([y for _, y in seen], axis=1), streams + 1)
    np.testing.assert_array_equal(np.diff(streams, axis=1), 1)
    assert (np.diff(streams[:, 0]) >= streams.shape[1]).all()  # no id is read twice
    left_out = len(ids) - 1 - streams.size
    assert left_out < batch_size * window + batch_size + window


def test_jitter_reaches_every_offset_and_never_changes_the_steps():
    batches = StreamBatches(np.arange(500), 3, 8, seed=1)
    assert {int(batches.batch(epoch, 0)[0][0, 0]) for epoch in range(200)} == set(range(8))
    assert StreamBatches(np.arange(500), 3, 8, seed=1, jitter=False).batch(4, 0)[0][0, 0] == 0


@given(st.integers(1, 6), st.integers(1, 9), st.booleans())
def test_the_shortest_text_makes_one_step_and_one_token_less_is_refused(batch_size, window, jitter):
    shortest = StreamBatches.shortest(batch_size, window, jitter)
    assert StreamBatches(np.arange(shortest), batch_size, window, jitter=jitter).steps == 1
    with pytest.raises(InputError, match=f"at least {shortest} tokens .* Received: {shortest - 1}"):
        StreamBatches(np.arange(shortest - 1), batch_size, window, jitter=jitter)


# With Keras


class Recorder(keras.layers.Layer):
    """Passes its input on and adds up all it has seen."""

    def build(self, shape):
        self.total = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.total.assign_add(keras.ops.sum(keras.ops.cast(inputs, "float32")))
        return keras.ops.cast(inputs, "float32")[..., None]


def bucket_model():
    ids = keras.Input((None,), dtype="int32")
    mask = keras.Input((None,), dtype="bool")
    seen = Recorder()(ids)
    last = keras.layers.SimpleRNN(4)(seen, mask=mask)
    model = keras.Model([ids, mask], keras.layers.Dense(1)(last))
    model.compile("sgd", keras.losses.MeanSquaredError(reduction="mean_with_sample_weight"))
    return model


def test_fit_takes_buckets_of_which_the_first_two_batches_are_alike():
    """Keras on TensorFlow fixes the shapes by the first two batches; the third here is longer."""
    lengths = [2] * 30 + [9]
    batches = BucketBatches(numbered(lengths), np.ones(31), 2, seed=0, bucket_lengths=[2, 9])
    shapes = [batches.batch(0, step)[0][0].shape for step in range(batches.steps)]
    assert shapes[0] == shapes[1] == (2, 2) and (2, 9) in shapes
    model = bucket_model()
    model.fit(batches, shuffle=False, verbose=0)
    model.evaluate(batches, verbose=0)


def test_keras_sees_the_epoch_from_first_on():
    class Numbers(Batches):
        def batch(self, epoch, step):
            return np.full((2, 1), 100 * epoch + step), np.zeros((2, 1, 1))

    model = keras.Sequential([keras.Input((1,)), recorder := Recorder()])
    model.compile(loss="mse")
    batches = Numbers(steps=6)
    batches.epoch, batches.first = 3, 4
    model.evaluate(batches, verbose=0)
    assert float(recorder.total) == 2 * (304 + 305)


def test_filled_up_rows_count_nothing_in_loss_and_metrics():
    """Evaluated in batches with weight-0 rows, the loss equals that of all sequences at once."""
    sequences = numbered([2, 3, 5, 4, 2])
    targets = np.arange(5, dtype=np.float32)
    model = bucket_model()
    model.compile(loss=model.loss, weighted_metrics=["mae"])
    batches = BucketBatches(sequences, targets, 3, seed=1, bucket_lengths=[5])
    figures = model.evaluate(batches, verbose=0, return_dict=True)
    predicted = model.predict(pad(sequences), verbose=0)[:, 0]
    assert figures["mae"] == pytest.approx(np.abs(predicted - targets).mean(), rel=1e-5)


# Nests of sequences, inference


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=30), st.integers(1, 5))
def test_a_row_of_several_sequences_goes_to_the_bucket_of_its_longest_and_each_keeps_its_own_mask(pairs, batch_size):
    rows = [{"source": np.full(a, n + 1), "target": np.full(b, n + 1)} for n, (a, b) in enumerate(pairs)]
    batches = BucketBatches(rows, [np.full(b, n + 1) for n, (_, b) in enumerate(pairs)], batch_size, 0, [4, 12])
    seen = collections.Counter()
    for step in range(batches.steps):
        (padded, mask), targets, weights = batches.batch(0, step)
        numbers = batches.rows(0, step)
        longest = max(max(pairs[n]) for n in numbers)
        assert targets.shape[1] == (4 if longest <= 4 else 12)
        for name, side in (("source", 0), ("target", 1)):
            assert padded[name].shape == mask[name].shape == targets.shape
            assert mask[name].sum(axis=1).tolist() == [pairs[n][side] for n in numbers]
            assert (padded[name] == mask[name] * (numbers + 1)[:, None]).all()
        assert ((weights > 0) <= mask["target"]).all() and (targets == padded["target"]).all()
        seen.update(int(n) for n, weight in zip(numbers, weights.max(axis=1), strict=True) if weight)
    assert seen == {n: 1 for n in range(len(pairs))}


def test_rows_says_which_sequence_each_row_is():
    batches = BucketBatches(numbered([2, 5, 3, 1]), np.zeros(4), 2, 0, [5])
    for step in range(batches.steps):
        (padded, _), _, _ = batches.batch(3, step)
        assert (padded[:, 0] // 100 - 1).tolist() == batches.rows(3, step).tolist()


@given(lengths, st.integers(1, 6), st.integers(0, 3))
def test_inference_sees_every_sequence_once_in_few_shapes(lengths, batch_size, few):
    sequences, seen, shapes = numbered(lengths), [], set()
    for rows, padded, mask in in_buckets(sequences, [4, 12], batch_size, few):
        shapes.add(padded.shape)
        assert len(rows) <= len(padded) == len(mask)
        for row, values, real in zip(rows, padded, mask, strict=False):
            np.testing.assert_array_equal(values[real], sequences[row])
        seen += rows.tolist()
    assert sorted(seen) == list(range(len(lengths)))
    assert shapes <= {(1 if len(lengths) <= few else batch_size, length) for length in (4, 12)}


def test_inference_of_nothing_is_nothing_and_of_too_long_a_sequence_is_refused():
    assert list(in_buckets([], [4])) == []
    with pytest.raises(InputError, match="at most 4 steps, the longest bucket. Sequence 1 has 5"):
        list(in_buckets([[1], [1] * 5], [4]))


@given(lengths, st.integers(1, 5))
def test_bucket_lengths_rise_and_end_with_the_longest(lengths, buckets):
    found = bucket_lengths(lengths, buckets, 20)
    assert found == sorted(set(found)) and found[-1] == 20 and len(found) <= buckets


@given(st.integers(1, 50), st.integers(0, 60))
def test_examples_are_spread_from_the_first_to_the_last(count, most):
    found = spread(count, most)
    assert len(found) == (min(count, most) if most else count) == len(set(found.tolist()))
    assert found[0] == 0 and (most == 1 or found[-1] == count - 1)
