"""The decoder and its gradient against NumPy and the plain loop, the loss, and what padding may not change."""

import keras
import numpy as np
import pytest
from keras import ops

from apps.translation import loop, model
from apps.translation.config import Config
from apps.translation.decoder import AttentionDecoder
from apps.translation.loss import SmoothedCrossentropy
from shared.beam import BeamSearch
from shared.layers import backend

TIME, BATCH, SOURCE, UNITS, OUTPUT, FEATURES, EMBEDDING = 4, 3, 5, 6, 7, 8, 3
INFO = {"frequencies": [0, 1, 0, 9, 5, 4, 3, 2, 2, 1, 1, 1]}
SETTINGS = {"units": 6, "embedding": 8, "dropout": 0.0}
both = pytest.mark.parametrize("attention", ["luong", "bahdanau"])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def numpy_decoder(layer, encoded, real, tokens):
    """The equations of the class's docstring, sentence by sentence and token by token."""
    w = {weight.name: np.array(weight, np.float64) for weight in layer.weights}
    units = layer.units
    found = np.zeros((*tokens.shape[:2], layer.output_units)), np.zeros((*tokens.shape[:2], encoded.shape[1]))
    for row in range(len(tokens)):
        h = encoded[row][real[row]].astype(np.float64)
        s = np.tanh(h.mean(axis=0) @ w["initial"] + w["initial_bias"])
        o = np.zeros(layer.output_units)
        for t, x in enumerate(tokens[row]):
            xs = np.split(x @ w["kernel"] + w["bias"] + o @ w["feeding_kernel"], 3)
            us = np.split(s @ w["recurrent_kernel"], 3)
            z, r = sigmoid(xs[0] + us[0]), sigmoid(xs[1] + us[1])
            s = z * s + (1 - z) * np.tanh(xs[2] + r * (us[2] + w["recurrent_bias"]))
            keys = h @ w["key_kernel"]
            if layer.attention == "luong":
                e = np.array([s @ key for key in keys])
            else:
                e = np.array([np.tanh(s @ w["query_kernel"] + key) @ w["score_vector"][:, 0] for key in keys])
            a = softmax(e)
            context = a @ h
            o = np.tanh(s @ w["state_kernel"] + context @ w["value_kernel"] + w["output_bias"])
            found[0][row, t], found[1][row, t, real[row]] = o, a
    assert units == s.shape[0]
    return found


def inputs(seed=0):
    random = np.random.default_rng(seed)
    encoded = random.normal(size=(BATCH, SOURCE, FEATURES)).astype("float32")
    real = np.arange(SOURCE) < np.array([[5], [2], [3]])
    return encoded, real, random.normal(size=(BATCH, TIME, EMBEDDING)).astype("float32")


def randomised(layer, *shapes):
    layer.build(*shapes)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=w.shape, scale=0.7).astype("float32") for w in layer.weights])
    return layer


@both
def test_the_decoder_does_what_its_equations_say(attention):
    encoded, real, tokens = inputs()
    layer = randomised(AttentionDecoder(UNITS, OUTPUT, attention), encoded.shape, real.shape, tokens.shape)
    found = [np.array(x) for x in layer(encoded, real, tokens)]
    for ours, expected in zip(found, numpy_decoder(layer, encoded, real, tokens), strict=True):
        np.testing.assert_allclose(ours, expected, atol=2e-5)
    np.testing.assert_allclose(found[1].sum(axis=-1), 1, atol=1e-5)


@both
def test_the_gradient_written_by_hand_is_that_of_the_plain_loop(attention):
    random = np.random.default_rng(2)

    def tensor(*shape):
        return ops.convert_to_tensor(random.normal(size=shape, scale=0.7).astype("float32"))

    x, states = tensor(TIME, BATCH, 3 * UNITS), [tensor(BATCH, UNITS), tensor(BATCH, OUTPUT)]
    memory = [tensor(BATCH, SOURCE, UNITS), tensor(BATCH, SOURCE, OUTPUT)]
    hidden = np.where(np.arange(SOURCE) < np.array([[5], [2], [3]]), 0, -1e9).astype("float32")
    hidden = ops.convert_to_tensor(hidden)
    shapes = [(OUTPUT, 3 * UNITS), (UNITS, 3 * UNITS), (UNITS,), (UNITS, OUTPUT), (OUTPUT,)]
    shapes += [(UNITS, UNITS), (UNITS, 1)] if attention == "bahdanau" else []
    weights = [tensor(*shape) for shape in shapes]
    flat = [x, *states, *memory, *weights]

    def fast(x, s, o, keys, values, *weights):
        return [loop.over_time(x, [s, o], [keys, values, hidden], list(weights))[0]]

    def plain(x, s, o, keys, values, *weights):
        outputs = []
        for t in range(TIME):
            (s, o, _), _ = loop.one_step(x[t], s, o, [keys, values, hidden], list(weights))
            outputs.append(o)
        return [ops.stack(outputs)]

    gradient = [tensor(TIME, BATCH, OUTPUT)]
    for ours, expected in zip(fast(*flat), plain(*flat), strict=True):
        np.testing.assert_allclose(np.array(ours), np.array(expected), atol=1e-5)
    for ours, expected in zip(backend.vjp(fast, flat, gradient), backend.vjp(plain, flat, gradient), strict=True):
        assert np.abs(np.array(expected)).max() > 1e-3
        np.testing.assert_allclose(np.array(ours), np.array(expected), atol=2e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_the_cross_entropy_with_the_smoothed_truth(smoothing):
    random = np.random.default_rng(3)
    logits = random.normal(size=(2, 3, 5)).astype("float32") * 4
    targets = random.integers(0, 5, (2, 3))
    truth = (1 - smoothing) * np.eye(5)[targets] + smoothing / 5
    expected = -(truth * np.log(softmax(logits.astype(np.float64)))).sum(axis=-1)
    loss = SmoothedCrossentropy(smoothing)
    np.testing.assert_allclose(np.array(loss.call(targets, ops.convert_to_tensor(logits))), expected, atol=1e-5)
    weights = np.array([[1, 1, 0], [1, 0, 0]], "float32")
    mean = (expected * weights).sum() / 3
    np.testing.assert_allclose(float(loss(targets, logits, weights)), mean, atol=1e-5)
    upstream = [ops.convert_to_tensor(random.normal(size=(2, 3)).astype("float32"))]
    (found,) = backend.vjp(lambda x: [loss.call(targets, x)], [ops.convert_to_tensor(logits)], upstream)
    by_hand = (softmax(logits) - truth) * np.array(upstream[0])[..., None]
    np.testing.assert_allclose(np.array(found), by_hand, atol=1e-5)


def network(**settings):
    keras.utils.set_random_seed(4)
    return model.build(Config(**{**SETTINGS, **settings}), INFO)


@pytest.mark.parametrize("arch", ["gru", "lstm", "mingru", "tcn", "attention"])
def test_extra_padding_never_changes_the_logits(arch):
    net = network(arch=arch)
    source, target = np.array([[4, 5, 6, 3]], np.int32), np.array([[2, 7, 8]], np.int32)
    expected = np.array(net([source, target], training=False))
    padded = np.array(net([np.pad(source, ((0, 0), (0, 9))), np.pad(target, ((0, 0), (0, 4)))], training=False))
    np.testing.assert_allclose(padded[:, :3], expected, atol=1e-5)


@both
def test_step_by_step_is_the_whole_sentence_at_once(attention):
    net = network(attention=attention)
    source = np.array([[4, 5, 6, 3, 0], [7, 3, 0, 0, 0]], np.int32)
    target = np.array([[2, 7, 8, 9], [2, 9, 4, 4]], np.int32)
    logits, looked = (np.array(x) for x in model.with_attention(net)([source, target], training=False))
    np.testing.assert_allclose(logits, np.array(net([source, target], training=False)), atol=1e-6)
    states, constants = model.compiled_encoder(net)(source)
    step = model.decoder_step(net)
    for t in range(target.shape[1]):
        found, states = step(ops.convert_to_tensor(target[:, t]), states, *constants)
        np.testing.assert_allclose(np.array(found), logits[:, t], atol=1e-5)
    covered = looked.sum(axis=1) + (source == 0)
    np.testing.assert_allclose(np.array(states[2]), covered, atol=1e-5)


def test_the_search_s_log_probability_is_that_of_the_network():
    net = network()
    source = np.array([[4, 5, 6, 3]], np.int32)
    states, constants = model.compiled_encoder(net)(source)
    search = BeamSearch(model.decoder_step(net), net.variables, 12, end=3, coverage=-1)
    found = search([2], states, constants, beam=4, length=6)
    for tokens, length, log_p in zip(found.tokens[0], found.lengths[0], found.log_probabilities[0], strict=True):
        before = np.array([[2, *tokens[: length - 1]]], np.int32)
        chances = np.log(softmax(np.array(net([source, before], training=False), np.float64)))[0]
        np.testing.assert_allclose(log_p, chances[np.arange(length), tokens[:length]].sum(), atol=1e-4)


@both
def test_a_saved_network_is_the_same_after_loading(attention, tmp_path):
    net = network(attention=attention)
    net.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    pair = [np.array([[4, 5, 3]], np.int32), np.array([[2, 7]], np.int32)]
    np.testing.assert_array_equal(np.array(net(pair)), np.array(again(pair)))


@both
def test_every_weight_gets_a_gradient(attention):
    net = network(attention=attention)
    net.compile(optimizer=keras.optimizers.SGD(0.5), loss=SmoothedCrossentropy(0.1), jit_compile=False)
    before = [np.array(weight) for weight in net.trainable_variables]
    source, target = np.array([[4, 5, 6, 3]] * 2, np.int32), np.array([[2, 7, 8]] * 2, np.int32)
    losses = [float(net.train_on_batch([source, target], np.array([[7, 8, 3]] * 2))) for _ in range(5)]
    assert losses[-1] < losses[0]
    for weight, old in zip(net.trainable_variables, before, strict=True):
        assert np.abs(np.array(weight) - old).max() > 0, weight.path
