"""Equality with Keras's own layers by copied weights, both ways, and the two forms of a linear scan."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from shared.layers import linear_scan, recurrent
from shared.layers.min_gru import MinGRU

NATIVE = {"elman": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
MASK = np.arange(7) < np.array([7, 4, 1])[:, None]


@pytest.mark.parametrize("arch", NATIVE)
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_weights_exchange_with_keras_both_ways(arch, mask):
    x = np.random.default_rng(0).normal(size=(3, 7, 4)).astype("float32")
    ours, theirs = recurrent(arch, 5, return_sequences=True), NATIVE[arch](5, return_sequences=True)
    ours.build(x.shape)
    theirs.build(x.shape)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in theirs.weights]
    for source, target in ((theirs, ours), (ours, theirs)):
        random = np.random.default_rng(1)
        source.set_weights([random.normal(size=w.shape) for w in source.get_weights()])
        target.set_weights(source.get_weights())
        a, b = (ops.convert_to_numpy(layer(x, mask=mask)) for layer in (ours, theirs))
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("arch", NATIVE)
def test_the_one_difference_to_keras_is_the_output_before_the_first_real_step_with_an_initial_state(arch):
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 5, 4)).astype("float32")
    real = np.array([[0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
    ours, theirs = (
        kind(3, return_sequences=True, return_state=True) for kind in (partial(recurrent, arch), NATIVE[arch])
    )
    states = [random.normal(size=(2, 3)).astype("float32") for _ in range(2 if arch == "lstm" else 1)]
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    a, b = ([ops.convert_to_numpy(r) for r in layer(x, mask=real, initial_state=states)] for layer in (ours, theirs))
    begun = np.logical_or.accumulate(real, axis=1)
    kept = np.repeat(states[0][:, None], 5, axis=1)[~begun]
    np.testing.assert_allclose(a[0][~begun], kept)
    np.testing.assert_allclose(b[0][~begun], 0 * kept if keras.backend.backend() == "tensorflow" else kept)
    for found, expected in zip([a[0][begun], *a[1:]], [b[0][begun], *b[1:]], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("arch", NATIVE)
@pytest.mark.parametrize(
    "options",
    [{"activation": "relu"}, {"recurrent_dropout": 0.3}, {"unroll": True}],
    ids=lambda options: next(iter(options)),
)
def test_options_without_a_fast_form_are_served_by_keras(arch, options):
    x = np.random.default_rng(0).normal(size=(3, 7, 4)).astype("float32")
    ours, theirs = recurrent(arch, 5, **options), NATIVE[arch](5, **options)
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(*(ops.convert_to_numpy(layer(x)) for layer in (ours, theirs)), atol=1e-6)


@pytest.mark.parametrize("time", [1, 2, 7, 64, 1000])
def test_both_forms_of_the_linear_scan_equal_the_loop(time):
    random = np.random.default_rng(2)
    a, b = random.uniform(0, 1, (time, 2, 3)), random.normal(size=(time, 2, 3))
    h = h0 = random.normal(size=(2, 3))
    expected = []
    for t in range(time):
        h = a[t] * h + b[t]
        expected.append(h)
    arrays = [ops.convert_to_tensor(v.astype("float32")) for v in (a, b, h0)]
    for form in ("sequential", "parallel"):
        found = ops.convert_to_numpy(linear_scan.linear_scan(*arrays, form=form))
        np.testing.assert_allclose(found, np.stack(expected), atol=2e-5, err_msg=form)


@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_weights_of_conv_lstm_exchange_with_keras_both_ways(mask):
    if mask is not None and keras.backend.backend() == "jax":
        pytest.skip("keras.layers.ConvLSTM2D fails with a mask on this backend")
    x = np.random.default_rng(0).normal(size=(3, 7, 4, 5, 2)).astype("float32")
    ours = recurrent("convlstm", 3, kernel_size=(3, 5), return_sequences=True, return_state=True)
    theirs = keras.layers.ConvLSTM2D(
        3, (3, 5), padding="same", recurrent_activation="sigmoid", return_sequences=True, return_state=True
    )
    ours.build(x.shape)
    theirs.build(x.shape)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in theirs.weights]
    for source, target in ((theirs, ours), (ours, theirs)):
        random = np.random.default_rng(1)
        source.set_weights([random.normal(size=w.shape) * 0.5 for w in source.get_weights()])
        target.set_weights(source.get_weights())
        for a, b in zip(ours(x, mask=mask), theirs(x, mask=mask), strict=True):
            np.testing.assert_allclose(*(ops.convert_to_numpy(v) for v in (a, b)), atol=1e-5)


def test_both_forms_of_min_gru_train_alike():
    x = np.random.default_rng(3).normal(size=(4, 9, 5)).astype("float32")
    y = np.random.default_rng(4).normal(size=(4, 6)).astype("float32")
    trained = []
    for form in ("sequential", "parallel"):
        keras.utils.set_random_seed(5)
        tokens = keras.Input((9, 5))
        model = keras.Model(tokens, MinGRU(6, form=form)(tokens))
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
        for _ in range(5):
            model.train_on_batch(x, y)
        trained.append(model.get_weights())
    for sequential, parallel in zip(*trained, strict=True):
        np.testing.assert_allclose(sequential, parallel, atol=1e-5)


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="`form` must be one of auto, sequential, parallel. Received: form=fast"):
        MinGRU(4, form="fast")
