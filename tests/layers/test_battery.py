"""What every architecture for vectors must do, on the backend that KERAS_BACKEND names.

The maths of each is tested on every backend. What lies around it (masks, states, saving, half precision, options of
Keras) is tested for each on TensorFlow, and on the others for one architecture of each loop, see `kinds.py`.
"""

import keras
import numpy as np
import pytest
from keras import ops

from shared import InputError
from shared.layers import ARCHITECTURES, VECTOR_ARCHITECTURES, recurrent
from shared.layers.slstm import SLSTM
from tests.layers import differentiate
from tests.layers.compare import numpy, same, tensors, weights_of
from tests.layers.kinds import every_policy, here, representatives
from tests.layers.oracles import ORACLES, sequence

UNITS, FEATURES, BATCH, TIME = 6, 3, 4, 6  # three features: what grud calls one value, its flag and its time gap
MASK = np.arange(TIME) < np.array([TIME, 5, 1, 0])[:, None]  # full, cut, one step, none
STANDING = representatives(VECTOR_ARCHITECTURES)
# Those that stand for many; the others are run by `make test-all` only, as they are many.
QUICK = representatives(VECTOR_ARCHITECTURES, at_least=3)


def each(archs):
    """The test for each of the architectures, all but a few being slow."""
    marked = [arch if arch in QUICK else pytest.param(arch, marks=pytest.mark.slow) for arch in archs]
    return pytest.mark.parametrize("arch", marked)


every_arch = each(VECTOR_ARCHITECTURES)
every_loop = each(VECTOR_ARCHITECTURES if keras.backend.backend() == "tensorflow" else STANDING)


def inputs(time=TIME, batch=BATCH, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=(batch, time, FEATURES)).astype(dtype)


def make(arch, seed=1, **kwargs):
    """A built layer whose every weight, biases too, is random."""
    layer = recurrent(arch, UNITS, **kwargs)
    layer.build((BATCH, None, FEATURES))
    random = np.random.default_rng(seed)
    layer.set_weights([random.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return layer


def start(layer, seed=2):
    """Random initial states."""
    random = np.random.default_rng(seed)
    states = [random.normal(size=(BATCH, size)).astype(layer.compute_dtype) for size in layer.state_size]
    if isinstance(layer, SLSTM):
        states[2] = np.abs(states[2]) + states[2].dtype.type(0.5)  # its normaliser is a sum of positive weights
    return states


def test_every_architecture_has_an_oracle():
    assert set(ORACLES) == set(ARCHITECTURES)


@every_arch
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_outputs_and_states_equal_the_numpy_equations(arch, mask):
    layer = make(arch, return_sequences=True, return_state=True)
    states = start(layer)
    outputs, *last = numpy(*layer(inputs(), initial_state=states, mask=mask))
    expected, expected_last = sequence(arch, inputs(), states, weights_of(layer), mask)
    same(outputs, expected)
    for state, expected_state in zip(last, expected_last, strict=True):
        same(state, expected_state)


@every_arch
def test_the_layer_equals_a_hand_loop_over_its_step(arch):
    layer = make(arch, return_sequences=True, return_state=True)
    states = tensors(*start(layer))
    outputs, *last = numpy(*layer(inputs(), initial_state=list(states)))
    for t in range(TIME):
        output, states = layer.step(*tensors(inputs()[:, t]), states)
        same(ops.convert_to_numpy(output), outputs[:, t])
    for state, expected in zip(states, last, strict=True):
        same(ops.convert_to_numpy(state), expected)


@every_arch
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_gradients_equal_those_of_a_hand_loop_over_its_step(arch, mask):
    layer = make(arch, return_sequences=True, return_state=True)
    values = [inputs(), *start(layer), *layer.get_weights()]
    loss, gradients = differentiate.loss_and_gradients(layer, values, mask)
    expected_loss, expected = differentiate.loss_and_gradients(layer, values, mask, unrolled=True)
    assert loss == pytest.approx(expected_loss, rel=1e-6, abs=1e-4)
    # Eight random products in a row make the rounding of float32 larger; in float64 see the next test.
    tolerance = 1e-3 if arch == "tcn" else 1e-4
    for gradient, by_hand in zip(gradients, expected, strict=True):
        same(gradient, by_hand, tolerance)


@every_arch
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_gradients_equal_finite_differences_in_float64(arch, mask):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("keras.ops.tanh and others return float32 for float64 on this backend")
    layer = make(arch, return_sequences=True, return_state=True, dtype="float64")
    values = [inputs(dtype="float64"), *start(layer)] + layer.get_weights()
    for derivative, measured in differentiate.along_random_directions(layer, values, mask):
        np.testing.assert_allclose(derivative, measured, rtol=1e-6, atol=1e-7)


@every_loop
def test_a_masked_tail_equals_the_truncated_sequence(arch):
    layer = make(arch, return_state=True)
    mask = np.arange(TIME) < np.full((BATCH, 1), 5)
    noise = inputs()
    noise[:, 5:] = 1e3
    for masked, cut in zip(numpy(*layer(noise, mask=mask)), numpy(*layer(noise[:, :5])), strict=True):
        same(masked, cut)


@every_loop
def test_a_row_without_real_steps_keeps_its_initial_state(arch):
    layer = make(arch, return_state=True)
    states = start(layer)
    output, *last = numpy(*layer(inputs(), initial_state=states, mask=MASK))
    same(output[3], states[0][3])
    for state, initial in zip(last, states, strict=True):
        same(state[3], initial[3])


@every_loop
def test_zero_output_for_mask_zeroes_the_masked_steps_only(arch):
    plain = make(arch, return_sequences=True)
    zeroed = make(arch, return_sequences=True, zero_output_for_mask=True)
    outputs, zeros = numpy(plain(inputs(), mask=MASK), zeroed(inputs(), mask=MASK))
    same(zeros, outputs * MASK[..., None])


@every_loop
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_go_backwards_equals_the_flipped_sequence(arch, mask):
    flipped = None if mask is None else mask[:, ::-1]
    backwards = make(arch, return_sequences=True, go_backwards=True)(inputs(), mask=mask)
    forwards = make(arch, return_sequences=True)(inputs()[:, ::-1], mask=flipped)
    same(*numpy(backwards, forwards))


@every_loop
def test_bidirectional_concatenates_a_forward_and_a_backward_layer(arch):
    both = keras.layers.Bidirectional(recurrent(arch, UNITS, return_sequences=True))
    outputs = ops.convert_to_numpy(both(inputs(), mask=MASK))
    forward = both.forward_layer(inputs(), mask=MASK)
    backward = ops.flip(both.backward_layer(inputs(), mask=MASK), axis=1)
    same(outputs, np.concatenate(numpy(forward, backward), axis=-1))


@every_loop
def test_a_sequence_cut_in_two_with_carried_state_equals_the_whole(arch):
    layer = make(arch, return_sequences=True, return_state=True)
    whole, *_ = layer(inputs())
    first, *states = layer(inputs()[:, :4])
    second, *_ = layer(inputs()[:, 4:], initial_state=states)
    same(ops.convert_to_numpy(whole), np.concatenate(numpy(first, second), axis=1))


@every_loop
def test_a_stateful_layer_carries_its_state_until_it_is_reset(arch):
    stateful, plain = make(arch, stateful=True, return_sequences=True), make(arch, return_sequences=True)
    first, second = stateful(inputs()[:, :4]), stateful(inputs()[:, 4:])
    same(np.concatenate(numpy(first, second), axis=1), ops.convert_to_numpy(plain(inputs())))
    stateful.reset_state()
    same(*numpy(stateful(inputs()), plain(inputs())))


@every_loop
def test_a_saved_model_gives_the_same_numbers_and_weights(arch, tmp_path):
    tokens = keras.Input((None, FEATURES))
    model = keras.Model(tokens, make(arch, return_sequences=True)(tokens))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*numpy(model(inputs()), loaded(inputs())))


@every_loop
def test_a_layer_made_from_its_config_has_the_same_config(arch):
    layer = make(arch, return_sequences=True, go_backwards=True, use_bias=False)
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()


@every_loop
def test_one_update_lowers_the_loss_and_moves_every_weight(arch):
    keras.utils.set_random_seed(3)
    tokens = keras.Input((None, FEATURES))
    model = keras.Model(tokens, keras.layers.Dense(1)(recurrent(arch, UNITS)(tokens)))
    model.compile(optimizer=keras.optimizers.SGD(0.001), loss="mse", jit_compile=False)
    x, targets = inputs(time=9), np.random.default_rng(4).normal(size=(BATCH, 1))
    before_loss, before = model.evaluate(x, targets, verbose=0), model.get_weights()
    model.fit(x, targets, epochs=1, batch_size=BATCH, verbose=0)
    assert model.evaluate(x, targets, verbose=0) < before_loss
    for weight, old in zip(model.weights, before, strict=True):
        assert np.any(ops.convert_to_numpy(weight) != old), f"{weight.path} did not move"


@every_loop
def test_fit_takes_batches_of_several_lengths_where_time_is_unknown(arch):
    tokens = keras.Input((None, FEATURES))
    model = keras.Model(tokens, recurrent(arch, UNITS)(tokens))
    model.compile(optimizer="sgd", loss="mse", jit_compile=False)
    for time in (1, 7):
        loss = model.train_on_batch(inputs(time), np.zeros((BATCH, UNITS)))
        assert np.isfinite(loss)


@every_loop
@every_policy
def test_mixed_precision_computes_in_half_and_stays_near_float32(arch, policy):
    half, full = make(arch, dtype=policy), make(arch)
    output = half(inputs())
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    half_value = ops.convert_to_numpy(ops.cast(output, "float32"))
    same(half_value, ops.convert_to_numpy(full(inputs())), tolerance=0.08)


@every_loop
@pytest.mark.parametrize("mask", here([MASK, None]), ids=here(["masked", "unmasked"]))
def test_gradients_in_half_precision_are_finite(arch, mask):
    layer = make(arch, return_sequences=True, return_state=True, dtype="mixed_bfloat16")
    values = [inputs(), *[s.astype("float32") for s in start(make(arch))], *layer.get_weights()]
    _, gradients = differentiate.loss_and_gradients(layer, values, mask)
    assert all(np.all(np.isfinite(np.asarray(g, "float32"))) for g in gradients)


@every_loop
@pytest.mark.parametrize("time, batch", [(1, 4), (9, 1)])
def test_one_step_and_a_batch_of_one_work(arch, time, batch):
    layer = make(arch, return_sequences=True)
    zeros = [np.zeros((batch, size)) for size in layer.state_size]
    expected, _ = sequence(arch, inputs(time, batch), zeros, weights_of(layer))
    same(ops.convert_to_numpy(layer(inputs(time, batch))), expected)


@every_loop
def test_dropout_uses_one_mask_for_the_whole_sequence(arch):
    if arch == "attention":
        pytest.skip("has no dropout argument; put a Dropout layer before it")
    if arch == "tcn":
        pytest.skip("its dropout is inside, see test_causal")
    layer = make(arch, dropout=0.5, return_sequences=True)
    constant = np.ones((BATCH, TIME, FEATURES), "float32")
    outputs = ops.convert_to_numpy(layer(constant, training=True))
    weights = weights_of(layer)
    kept = [np.array([(k >> f) & 1 for f in range(FEATURES)]) for k in range(2**FEATURES)]
    zeros = [np.zeros((1, size)) for size in layer.state_size]
    possible = [sequence(arch, constant[:1] * 2 * k, zeros, weights)[0][0] for k in kept]
    for row in outputs:
        assert min(np.abs(row - p).max() for p in possible) < 1e-4


@every_loop
@pytest.mark.parametrize("units", [0, -3, 2.5, True])
def test_units_that_are_not_a_positive_integer_are_refused(arch, units):
    with pytest.raises(ValueError, match=r"units.* positive integer.*Received: .*units="):
        recurrent(arch, units)


@every_loop
def test_a_state_of_the_wrong_width_is_refused(arch):
    layer = make(arch)
    with pytest.raises(ValueError, match="initial_state"):
        layer(inputs(), initial_state=[np.zeros((BATCH, UNITS + 1), "float32")] * len(layer.state_size))


@every_loop
def test_inputs_of_the_wrong_rank_are_refused(arch):
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        make(arch)(np.zeros((BATCH, FEATURES), "float32"))


@every_loop
def test_an_empty_sequence_is_refused(arch):
    with pytest.raises(ValueError, match="at least one step"):
        make(arch)(np.zeros((BATCH, 0, FEATURES), "float32"))


def test_an_unknown_architecture_names_the_known_ones():
    with pytest.raises(InputError, match="Expected one of the architectures elman, lstm, gru.*Received: transformer"):
        recurrent("transformer", 8)
