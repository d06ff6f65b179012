"""What the layers without recurrence promise beyond the battery: how far they see, any mask, equal plain forms."""

import keras
import numpy as np
import pytest
from keras import ops

from shared.layers import recurrent
from shared.layers.attention import Attention
from shared.layers.tcn import TCN
from tests.layers.kinds import here, on_tensorflow
from tests.layers.oracles import sequence

pytestmark = pytest.mark.slow
UNITS, FEATURES, BATCH = 8, 5, 3
both = pytest.mark.parametrize("arch", ["tcn", "attention"])
# TCN: 1 + 2 (K - 1) (2**levels - 1) steps.
SIGHT = [
    (TCN, {"kernel_size": 2, "levels": 2}, 7),
    (TCN, {"kernel_size": 3, "levels": 1}, 5),
    (TCN, {"kernel_size": 1, "levels": 2}, 1),
    (Attention, {"context": 4}, 4),
    (Attention, {"context": 1}, 1),
]
# Around the default context of 128.
LENGTHS = here([9, 2, 128, 150])


def inputs(time, seed=0):
    return np.random.default_rng(seed).normal(size=(BATCH, time, FEATURES)).astype("float32")


def built(layer, seed=1):
    """The layer with random weights, biases too."""
    layer.build((BATCH, None, FEATURES))
    random = np.random.default_rng(seed)
    layer.set_weights([random.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return layer


def run(layer, x, **kwargs):
    return ops.convert_to_numpy(layer(x, **kwargs))


def same(a, b, tolerance=2e-5):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@on_tensorflow
@pytest.mark.parametrize("kind, options, sight", SIGHT)
def test_a_step_is_seen_by_exactly_as_many_outputs_as_promised(kind, options, sight):
    layer = built(kind(UNITS, return_sequences=True, **options))
    x, changed = inputs(12), inputs(12)
    changed[:, 2] = np.random.default_rng(9).normal(size=(BATCH, FEATURES)) * 5
    difference = np.abs(run(layer, x) - run(layer, changed)).max(axis=(0, 2))
    assert difference[2] > 1e-3 and difference[2 + sight - 1] > 1e-6
    np.testing.assert_array_equal(difference[:2], 0)
    # Not to the last bit: rows of a matrix product may be summed in another order.
    np.testing.assert_allclose(difference[2 + sight :], 0, atol=1e-6)


@on_tensorflow
@pytest.mark.parametrize("kind, options, sight", SIGHT)
def test_shifting_all_positions_changes_nothing(kind, options, sight):
    layer, x = built(kind(UNITS, **options)), inputs(20)
    for shift in (1, 3, 20 - sight):
        same(run(layer, x[:, shift:]), run(layer, x))


def plain_attention(x, weights, heads, context):
    """Every query against every key at its own position, with a band for what is seen: no blocks, no window."""
    time, d = x.shape[1], UNITS // heads

    def dense(name, y):
        return y @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

    def norm(name, y):
        y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5)
        return weights[f"{name}_scale"] * y + weights[f"{name}_shift"]

    def by_head(y):
        return y.reshape(BATCH, time, heads, d).transpose(0, 2, 1, 3)

    def turn(y):
        angle = np.arange(time)[:, None] * 10000.0 ** (-2 * np.arange(d // 2) / d)
        a, b = y[..., : d // 2], y[..., d // 2 :]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], -1)

    u = dense("input", x)
    q, k, v = (by_head(y) for y in np.split(dense("attention", norm("attention", u)), 3, -1))
    scores = turn(q) @ turn(k).transpose(0, 1, 3, 2) / np.sqrt(d)
    distance = np.arange(time)[:, None] - np.arange(time)
    scores = np.where((distance >= 0) & (distance < context), scores, -np.inf)
    share = np.exp(scores - scores.max(-1, keepdims=True))
    m = (share / share.sum(-1, keepdims=True)) @ v
    r = u + dense("merge", m.transpose(0, 2, 1, 3).reshape(BATCH, time, UNITS))
    return r + dense("narrow", np.maximum(dense("widen", norm("widen", r)), 0))


@pytest.mark.parametrize("time, heads", here([(11, 2), (11, 1), (11, 4), (1, 2), (3, 2), (4, 2), (8, 2)]))
def test_blocks_of_attention_equal_plain_attention(time, heads):
    layer = built(Attention(UNITS, heads=heads, context=4, return_sequences=True))
    weights = {w.name: ops.convert_to_numpy(w) for w in layer.weights}
    same(run(layer, inputs(time)), plain_attention(inputs(time), weights, heads, context=4))


@pytest.mark.parametrize("features", [FEATURES, UNITS], ids=["projected", "same width"])
def test_tcn_equals_causal_convolutions_of_keras_by_copied_weights(features):
    layer = TCN(UNITS, kernel_size=3, levels=3, return_sequences=True)
    x = np.random.default_rng(3).normal(size=(BATCH, 20, features)).astype("float32")
    layer.build(x.shape)
    y = ops.convert_to_tensor(x)
    for level in range(3):
        branch = y
        for n in (2 * level, 2 * level + 1):
            convolution = keras.layers.Conv1D(
                UNITS, 3, padding="causal", dilation_rate=2**level, activation="relu", bias_initializer="normal"
            )
            convolution.build(branch.shape)
            layer.cell.kernels[n].assign(convolution.kernel)
            layer.cell.biases[n].assign(convolution.bias)
            branch = convolution(branch)
        y = ops.relu(branch + (y if y.shape[-1] == UNITS else ops.matmul(y, layer.cell.projection)))
    same(run(layer, x), ops.convert_to_numpy(y))


@both
@pytest.mark.parametrize("go_backwards", here([True, False]))
def test_a_mask_with_holes_equals_the_sequence_without_the_masked_steps(arch, go_backwards):
    options = {"context": 4} if arch == "attention" else {"levels": 2}
    layer = built(
        recurrent(arch, UNITS, return_sequences=True, return_state=True, go_backwards=go_backwards, **options)
    )
    random = np.random.default_rng(6)
    states = [random.normal(size=(BATCH, size)).astype("float32") for size in layer.state_size]
    mask = np.array([random.permutation(15) < 9 for _ in range(BATCH)])  # 9 real steps in each row
    mask[1] = np.arange(15) >= 6
    outputs, *last = (ops.convert_to_numpy(y) for y in layer(inputs(15), initial_state=states, mask=mask))
    expected, *ends = layer(inputs(15)[mask].reshape(BATCH, 9, FEATURES), initial_state=states)
    expected = np.concatenate([states[0][:, None], ops.convert_to_numpy(expected)], axis=1)
    count = np.cumsum(mask[:, ::-1] if go_backwards else mask, axis=1)
    same(outputs, np.take_along_axis(expected, count[..., None], axis=1))
    for state, end in zip(last, ends, strict=True):
        same(state, ops.convert_to_numpy(end))


@both
@pytest.mark.parametrize("time", LENGTHS)
def test_unknown_time_gives_the_numbers_of_known_time(arch, time):
    layer = built(recurrent(arch, UNITS, return_sequences=True))
    tokens, mask = keras.Input((None, FEATURES)), keras.Input((None,), dtype="bool")
    model = keras.Model([tokens, mask], layer(tokens, mask=mask))
    x, real = inputs(time), np.random.default_rng(7).random((BATCH, time)) < 0.7
    if keras.backend.backend() == "tensorflow":
        # From its second length on a model is traced for all lengths.
        model.predict([inputs(5), np.ones((BATCH, 5), bool)], verbose=0)
    same(model.predict([x, real], verbose=0), run(layer, x, mask=real))


@pytest.mark.parametrize("kind, options", [(TCN, {"kernel_size": 2, "levels": 2}), (Attention, {"context": 3})])
def test_a_stream_of_steps_equals_the_sequence_long_after_the_past_is_full(kind, options):
    layer = built(kind(UNITS, return_sequences=True, **options))
    states, outputs = layer.get_initial_state(BATCH), []
    for t in range(20):
        output, states = layer.step(inputs(20)[:, t], states)
        outputs.append(ops.convert_to_numpy(output))
    same(np.stack(outputs, axis=1), run(layer, inputs(20)))


def test_more_heads_than_one_equal_the_oracle_from_a_random_state():
    layer = built(Attention(UNITS, heads=2, context=5, return_sequences=True))
    weights = {w.name: ops.convert_to_numpy(w) for w in layer.weights}
    random = np.random.default_rng(8)
    states = [random.normal(size=(BATCH, size)).astype("float32") for size in layer.state_size]
    expected, _ = sequence("attention", inputs(12), states, weights, heads=2)
    same(run(layer, inputs(12), initial_state=states), expected)


def test_dropout_of_a_tcn_drops_the_same_channels_in_every_step():
    layer = built(TCN(UNITS, levels=1, dropout=0.5, return_sequences=True))
    constant = np.ones((BATCH, 20, FEATURES), "float32")
    outputs = run(layer, constant, training=True)
    # Once the past is full of the constant, one step is as the other if their masks are.
    same(outputs[:, 5:], np.repeat(outputs[:, 5:6], 15, axis=1))
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3, "rows have masks of their own"
    same(run(layer, constant, training=False), run(layer, constant))


BAD = [
    (TCN, {"kernel_size": 0}, "`kernel_size` must be a positive integer. Received: kernel_size=0"),
    (TCN, {"levels": 1.5}, "`levels` must be a positive integer. Received: levels=1.5"),
    (TCN, {"dropout": 1.0}, "`dropout` must be at least 0 and below 1. Received: dropout=1.0"),
    (Attention, {"context": 0}, "`context` must be a positive integer. Received: context=0"),
    (Attention, {"heads": True}, "`heads` must be a positive integer. Received: heads=True"),
    (Attention, {"feed_forward": -4}, "`feed_forward` must be a positive integer. Received: feed_forward=-4"),
    (Attention, {"heads": 8}, "`heads` must divide `units` into heads of even width. Received: heads=8, units=8"),
]


@pytest.mark.parametrize("kind, options, message", BAD)
def test_bad_arguments_are_refused_with_what_is_expected(kind, options, message):
    with pytest.raises(ValueError) as error:
        kind(UNITS, **options)
    assert str(error.value) == message


def test_odd_units_are_refused_by_attention_which_turns_pairs():
    with pytest.raises(ValueError, match="`units` must be an even positive integer.*Received: units=7"):
        Attention(7)


@pytest.mark.parametrize("units, heads", [(8, 4), (12, 2), (6, 1), (2, 1)])
def test_heads_default_to_the_largest_of_4_2_1_that_gives_an_even_width(units, heads):
    assert Attention(units).cell.heads == heads
