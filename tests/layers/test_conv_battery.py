"""What every architecture for images must do, on the backend that KERAS_BACKEND names; see `test_battery.py`."""

import keras
import numpy as np
import pytest
from keras import ops

from shared.layers import IMAGE_ARCHITECTURES, layer_class, recurrent
from shared.layers.conv_min_gru import ConvMinGRU
from tests.layers import differentiate
from tests.layers.compare import numpy, same, tensors, weights_of
from tests.layers.kinds import every_policy, here, representatives
from tests.layers.oracles import sequence

UNITS, BATCH, TIME = 3, 4, 5
IMAGE = (4, 5, 2)  # rows, columns, channels
STATE = (*IMAGE[:2], UNITS)
MASK = np.arange(TIME) < np.array([TIME, 3, 1, 0])[:, None]  # full, cut, one step, none
STANDING = representatives(IMAGE_ARCHITECTURES)
QUICK = representatives(IMAGE_ARCHITECTURES, at_least=3)


def each(archs):
    """The test for each of the architectures, all but one being slow."""
    marked = [arch if arch in QUICK else pytest.param(arch, marks=pytest.mark.slow) for arch in archs]
    return pytest.mark.parametrize("arch", marked)


every_arch = each(IMAGE_ARCHITECTURES)
every_loop = each(IMAGE_ARCHITECTURES if keras.backend.backend() == "tensorflow" else STANDING)
with_recomputation = pytest.mark.parametrize(
    "arch", [arch for arch in IMAGE_ARCHITECTURES if "recompute" in layer_class(arch).SCAN_OPTIONS]
)
every_mask = pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])


def inputs(time=TIME, batch=BATCH, image=IMAGE, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=(batch, time, *image)).astype(dtype)


def make(arch, **kwargs):
    """A built layer whose every weight, biases too, is random."""
    layer = recurrent(arch, UNITS, seed=6, **kwargs)
    layer.build((BATCH, None, *IMAGE))
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=w.shape) * 0.3 for w in layer.get_weights()])
    return layer


def start(layer, dtype="float32"):
    """Random initial states."""
    random = np.random.default_rng(2)
    return [random.normal(size=(BATCH, *STATE)).astype(dtype) for _ in layer.state_size]


def zeros(layer, batch=BATCH):
    return [np.zeros((batch, *STATE)) for _ in layer.state_size]


@every_arch
@every_mask
@pytest.mark.parametrize("kernel_size", here([(1, 5), 3]), ids=str)
def test_outputs_and_states_equal_the_numpy_equations(arch, mask, kernel_size):
    layer = make(arch, return_sequences=True, return_state=True, kernel_size=kernel_size)
    states = start(layer)
    outputs, *last = numpy(*layer(inputs(), initial_state=states, mask=mask))
    expected, expected_last = sequence(arch, inputs(), states, weights_of(layer), mask)
    same(outputs, expected)
    for state, expected_state in zip(last, expected_last, strict=True):
        same(state, expected_state)


@every_arch
@pytest.mark.parametrize("zoneout", [0, 0.3])
def test_the_layer_equals_a_hand_loop_over_its_step(arch, zoneout):
    layer = make(arch, return_sequences=True, return_state=True, zoneout=zoneout)
    states = tensors(*start(layer))
    outputs, *last = numpy(*layer(inputs(), initial_state=list(states)))
    for t in range(TIME):
        output, states = layer.step(*tensors(inputs()[:, t]), states)
        same(ops.convert_to_numpy(output), outputs[:, t])
    for state, expected in zip(states, last, strict=True):
        same(ops.convert_to_numpy(state), expected)


@every_arch
@every_mask
def test_gradients_equal_those_of_a_hand_loop_over_its_step(arch, mask):
    layer = make(arch, return_sequences=True, return_state=True, kernel_size=(3, 5))
    values = [inputs(), *start(layer), *layer.get_weights()]
    loss, gradients = differentiate.loss_and_gradients(layer, values, mask)
    expected_loss, expected = differentiate.loss_and_gradients(layer, values, mask, unrolled=True)
    assert loss == pytest.approx(expected_loss, abs=1e-3)
    for gradient, by_hand in zip(gradients, expected, strict=True):
        same(gradient, by_hand, tolerance=1e-4)


@every_arch
@every_mask
def test_gradients_equal_finite_differences_in_float64(arch, mask):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("keras.ops.tanh and others return float32 for float64 on this backend")
    layer = make(arch, return_sequences=True, return_state=True, dtype="float64")
    values = [inputs(dtype="float64"), *start(layer, dtype="float64"), *layer.get_weights()]
    for derivative, measured in differentiate.along_random_directions(layer, values, mask):
        np.testing.assert_allclose(derivative, measured, rtol=1e-6, atol=1e-7)


@pytest.mark.slow
@with_recomputation
@pytest.mark.parametrize("mask", here([MASK, None]), ids=here(["masked", "unmasked"]))
def test_recomputed_pieces_give_the_same_loss_and_gradients(arch, mask):
    plain, pieces = (make(arch, return_sequences=True, return_state=True, recompute=n) for n in (0, 2))
    values = [inputs(), *start(plain), *plain.get_weights()]
    loss, gradients = differentiate.loss_and_gradients(plain, values, mask)
    found_loss, found = differentiate.loss_and_gradients(pieces, values, mask)
    assert found_loss == pytest.approx(loss, abs=1e-3)
    for a, b in zip(found, gradients, strict=True):
        same(a, b, tolerance=1e-4)


@pytest.mark.slow
@with_recomputation
def test_dropped_recurrent_weights_are_those_of_one_kernel_for_the_whole_sequence(arch):
    dropping, plain = make(arch, recurrent_weight_dropout=0.5), make(arch)
    same(*numpy(dropping(inputs()), plain(inputs())))
    output = dropping(inputs(), training=True)
    recurrent_kernel, _ = plain.cell.cast_weights("float32")
    kernel = make(arch, recurrent_weight_dropout=0.5).dropped(recurrent_kernel, training=True)
    kernel = kernel[:, :, -UNITS:]  # before it stands the input's part, where both are one kernel
    assert 0.3 < np.mean(ops.convert_to_numpy(kernel) == 0) < 0.7
    plain.cell.recurrent_kernel.assign(kernel)
    same(*numpy(output, plain(inputs())))


@every_loop
def test_zoneout_in_training_keeps_some_old_values_exactly(arch):
    layer = make(arch, zoneout=0.5, return_state=True)
    states = start(layer)
    _, *last = numpy(*layer(inputs(1), initial_state=states, training=True))
    for state, old in zip(last, states, strict=True):
        assert 0.35 < np.mean(state == old) < 0.65


@every_loop
def test_a_masked_tail_equals_the_truncated_sequence(arch):
    layer = make(arch, return_state=True)
    mask = np.arange(TIME) < np.full((BATCH, 1), 3)
    noise = inputs()
    noise[:, 3:] = 1e3
    for masked, cut in zip(numpy(*layer(noise, mask=mask)), numpy(*layer(noise[:, :3])), strict=True):
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
    outputs, with_zeros = numpy(plain(inputs(), mask=MASK), zeroed(inputs(), mask=MASK))
    same(with_zeros, outputs * MASK[..., None, None, None])


@every_loop
@every_mask
def test_go_backwards_equals_the_flipped_sequence(arch, mask):
    flipped = None if mask is None else mask[:, ::-1]
    backwards = make(arch, return_sequences=True, go_backwards=True)(inputs(), mask=mask)
    forwards = make(arch, return_sequences=True)(inputs()[:, ::-1], mask=flipped)
    same(*numpy(backwards, forwards))


@every_loop
def test_bidirectional_concatenates_a_forward_and_a_backward_layer(arch):
    both = keras.layers.Bidirectional(recurrent(arch, UNITS, return_sequences=True, kernel_size=(3, 1)))
    outputs = ops.convert_to_numpy(both(inputs(), mask=MASK))
    forward = both.forward_layer(inputs(), mask=MASK)
    backward = ops.flip(both.backward_layer(inputs(), mask=MASK), axis=1)
    same(outputs, np.concatenate(numpy(forward, backward), axis=-1))
    frames = keras.Input((None, *IMAGE))
    assert keras.layers.Bidirectional(recurrent(arch, UNITS))(frames).shape == (None, *IMAGE[:2], 2 * UNITS)


@every_loop
def test_a_sequence_cut_in_two_with_carried_state_equals_the_whole(arch):
    layer = make(arch, return_sequences=True, return_state=True)
    whole, *_ = layer(inputs())
    first, *states = layer(inputs()[:, :2])
    second, *_ = layer(inputs()[:, 2:], initial_state=states)
    same(ops.convert_to_numpy(whole), np.concatenate(numpy(first, second), axis=1))


@every_loop
def test_a_stateful_layer_carries_its_state_until_it_is_reset(arch):
    stateful, plain = make(arch, stateful=True, return_sequences=True), make(arch, return_sequences=True)
    first, second = stateful(inputs()[:, :2]), stateful(inputs()[:, 2:])
    same(np.concatenate(numpy(first, second), axis=1), ops.convert_to_numpy(plain(inputs())))
    stateful.reset_state()
    same(*numpy(stateful(inputs()), plain(inputs())))


@every_loop
@pytest.mark.parametrize("stateful", [False, True], ids=["stateless", "stateful"])
def test_a_saved_model_gives_the_same_numbers_and_weights(arch, stateful, tmp_path):
    frames = keras.Input((None, *IMAGE), batch_size=BATCH if stateful else None)
    layer = make(arch, return_sequences=True, kernel_size=(3, 1), stateful=stateful)
    model = keras.Model(frames, layer(frames))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*numpy(model(inputs()), loaded(inputs())))


@every_loop
def test_a_layer_made_from_its_config_has_the_same_config(arch):
    layer = make(arch, return_sequences=True, go_backwards=True, use_bias=False, kernel_size=[3, 5])
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy.get_config()["kernel_size"] == (3, 5)


@every_loop
def test_one_update_lowers_the_loss_and_moves_every_weight(arch):
    keras.utils.set_random_seed(3)
    frames = keras.Input((None, *IMAGE))
    model = keras.Model(frames, keras.layers.Dense(1)(recurrent(arch, UNITS)(frames)))
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse", jit_compile=False)
    targets = np.random.default_rng(4).normal(size=(BATCH, *IMAGE[:2], 1))
    before_loss, before = model.evaluate(inputs(), targets, verbose=0), model.get_weights()
    model.fit(inputs(), targets, epochs=1, batch_size=BATCH, verbose=0)
    assert model.evaluate(inputs(), targets, verbose=0) < before_loss
    for weight, old in zip(model.weights, before, strict=True):
        assert np.any(ops.convert_to_numpy(weight) != old), f"{weight.path} did not move"


@every_loop
def test_fit_takes_lengths_and_images_of_several_sizes_where_they_are_unknown(arch):
    frames = keras.Input((None, None, None, IMAGE[2]))
    layer = recurrent(arch, UNITS, return_state=True)
    output, *_ = layer(frames)
    model = keras.Model(frames, output)
    assert model.output_shape == (None, None, None, UNITS)
    model.compile(optimizer="sgd", loss="mse", jit_compile=False)
    for time, rows, columns in ((1, 4, 5), (3, 6, 2)):
        video = inputs(time, image=(rows, columns, IMAGE[2]))
        states = [np.zeros((BATCH, rows, columns, UNITS))] * len(layer.state_size)
        expected, _ = sequence(arch, video, states, weights_of(layer))
        same(model.predict_on_batch(video), expected[:, -1])
        assert np.isfinite(model.train_on_batch(video, np.zeros((BATCH, rows, columns, UNITS))))


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
    values = [inputs(), *start(layer), *layer.get_weights()]
    _, gradients = differentiate.loss_and_gradients(layer, values, mask)
    assert all(np.all(np.isfinite(np.asarray(g, "float32"))) for g in gradients)


@every_loop
@pytest.mark.parametrize("time, batch", [(1, 4), (5, 1)])
def test_one_step_and_a_batch_of_one_work(arch, time, batch):
    layer = make(arch, return_sequences=True)
    expected, _ = sequence(arch, inputs(time, batch), zeros(layer, batch), weights_of(layer))
    same(ops.convert_to_numpy(layer(inputs(time, batch))), expected)


@every_loop
def test_dropout_uses_one_mask_for_the_whole_sequence(arch):
    # With a kernel of one pixel each pixel is a sequence of its own, with one of four masks over its two channels.
    layer = make(arch, dropout=0.5, return_sequences=True, kernel_size=1)
    constant = np.ones((BATCH, TIME, *IMAGE), "float32")
    outputs = ops.convert_to_numpy(layer(constant, training=True))
    kept = [np.array([first, second]) for first in (0, 1) for second in (0, 1)]
    weights = weights_of(layer)
    possible = [sequence(arch, constant * 2 * k, zeros(layer), weights)[0] for k in kept]
    distances = [np.abs(outputs - p).max(axis=(1, 4)) for p in possible]
    assert np.all(np.min(distances, axis=0) < 1e-4)
    assert len(np.unique(np.argmin(distances, axis=0))) == 4


def test_both_forms_of_conv_min_gru_train_alike():
    targets = np.random.default_rng(4).normal(size=(BATCH, *STATE)).astype("float32")
    trained = []
    for form in ("sequential", "parallel"):
        keras.utils.set_random_seed(5)
        frames = keras.Input((TIME, *IMAGE))
        model = keras.Model(frames, ConvMinGRU(UNITS, form=form)(frames))
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
        for _ in range(5):
            model.train_on_batch(inputs(), targets)
        trained.append(model.get_weights())
    for sequential, parallel in zip(*trained, strict=True):
        same(sequential, parallel, tolerance=1e-5)


@every_loop
@pytest.mark.parametrize("units", [0, -3, 2.5, True])
def test_units_that_are_not_a_positive_integer_are_refused(arch, units):
    with pytest.raises(ValueError, match=r"units.* positive integer.*Received: .*units="):
        recurrent(arch, units)


@every_loop
@pytest.mark.parametrize("kernel_size", [4, 0, -1, True, 3.0, (3, 2), (3,), (3, 3, 3), None], ids=str)
def test_a_kernel_size_that_is_not_odd_is_refused(arch, kernel_size):
    with pytest.raises(ValueError, match=r"`kernel_size` must be an odd positive integer.*Received: kernel_size="):
        recurrent(arch, UNITS, kernel_size=kernel_size)


@every_loop
@pytest.mark.parametrize("shape", [(4, 5, UNITS + 1), (4, 6, UNITS), (UNITS,)], ids=["units", "columns", "rank"])
def test_a_state_of_the_wrong_shape_is_refused(arch, shape):
    layer = make(arch)
    with pytest.raises(ValueError, match=r"Expected an initial_state of . tensors \(batch, rows, columns, units\)"):
        layer(inputs(), initial_state=[np.zeros((BATCH, *shape), "float32")] * len(layer.state_size))


@every_loop
def test_inputs_of_the_wrong_rank_are_refused(arch):
    with pytest.raises(ValueError, match="expected ndim=5, found ndim=4"):
        make(arch)(inputs()[:, 0])


@every_loop
def test_an_empty_sequence_is_refused(arch):
    with pytest.raises(ValueError, match="at least one step"):
        make(arch)(inputs(0))


@every_loop
def test_a_stateful_layer_asks_for_known_rows_and_columns_and_keeps_to_them(arch):
    layer = recurrent(arch, UNITS, stateful=True)
    with pytest.raises(ValueError, match=r"Expected inputs of known rows and columns.*Received: .*\(None, 5\)"):
        layer.build((BATCH, None, None, 5, 2))
    with pytest.raises(ValueError, match="incompatible with the layer"):
        make(arch, stateful=True)(inputs(image=(5, 5, 2)))
