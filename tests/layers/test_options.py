"""Options that several layers share: zoneout, recurrent weight dropout, recomputation, the two forms of a scan."""

import keras
import numpy as np
import pytest
from keras import ops

from shared.layers import VECTOR_ARCHITECTURES, layer_class, linear_scan, recurrent
from tests.layers import differentiate
from tests.layers.compare import tensors
from tests.layers.kinds import here, on_tensorflow
from tests.layers.oracles import ORACLES
from tests.layers.test_battery import (
    BATCH,
    FEATURES,
    MASK,
    STANDING,
    TIME,
    UNITS,
    each,
    inputs,
    make,
    numpy,
    same,
    start,
    weights_of,
)

# Of sequences whose two forms are compared: other backends than TensorFlow compile each length for long.
LENGTHS = [1, 2, 64]
if keras.backend.backend() == "tensorflow":
    LENGTHS += [7, pytest.param(1000, marks=pytest.mark.slow)]

masks = pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])


def knowing(option, where="SCAN_OPTIONS"):
    """The architectures whose layer knows the option; on other backends than TensorFlow one of each loop."""
    archs = VECTOR_ARCHITECTURES if keras.backend.backend() == "tensorflow" else STANDING
    found = [arch for arch in archs if option in getattr(layer_class(arch), where, ())]
    assert found
    return found


def having(option):
    """The test for each of them, all but a few being slow."""
    return each(knowing(option))


def zoned(layer, states, new, keep):
    """States after zoneout in its mean: `keep` of the old value, for those that it may hold."""
    flags = [*layer.zoned, *[True] * len(states)]
    return [keep * s + (1 - keep) * n if flag else n for s, n, flag in zip(states, new, flags, strict=False)]


@having("zoneout")
def test_outside_of_training_zoneout_mixes_old_and_new_by_its_rate(arch):
    layer = make(arch, zoneout=0.3, return_sequences=True, return_state=True)
    states = start(layer)
    outputs, *last = numpy(*layer(inputs(), initial_state=states))
    weights = weights_of(layer)
    expected = []
    for t in range(TIME):
        states = zoned(layer, states, ORACLES[arch](inputs()[:, t], states, weights), 0.3)
        expected.append(states[0])
    same(outputs, np.stack(expected, axis=1))
    for state, found in zip(states, last, strict=True):
        same(found, state)
    output, _ = layer.step(*tensors(inputs()[:, 0]), tensors(*start(layer)))
    same(ops.convert_to_numpy(output), expected[0])


@having("zoneout")
def test_in_training_zoneout_holds_about_its_share_of_units_exactly(arch):
    keras.utils.set_random_seed(2)
    layer = make(arch, zoneout=0.4, return_sequences=True)
    states = start(layer)
    x = inputs(time=200)
    outputs = ops.convert_to_numpy(layer(x, initial_state=states, training=True))
    held = outputs[:, 1:] == outputs[:, :-1]
    if arch == "indrnn":
        held = held[outputs[:, 1:] > 0]  # two zeros of the relu are alike without having been held
    assert np.mean(held) == pytest.approx(0.4, abs=0.05)  # of some 4800 draws: 7 standard deviations


@having("recompute")
@pytest.mark.parametrize("mask", here([MASK, None]), ids=here(["masked", "unmasked"]))
def test_recomputation_changes_neither_outputs_nor_gradients(arch, mask):
    check_recomputation(arch, mask, length=4)


@pytest.mark.parametrize("arch", ["lstm", pytest.param("slstm", marks=pytest.mark.slow)])
@pytest.mark.parametrize("length", [1, 100])
def test_pieces_may_be_of_one_step_or_longer_than_the_sequence(arch, length):
    check_recomputation(arch, None, length)


def check_recomputation(arch, mask, length):
    plain = make(arch, return_sequences=True, return_state=True)
    thrifty = make(arch, return_sequences=True, return_state=True, recompute=length)
    values = [inputs(), *start(plain), *plain.get_weights()]
    loss, gradients = differentiate.loss_and_gradients(plain, values, mask)
    again, recomputed = differentiate.loss_and_gradients(thrifty, values, mask)
    assert again == pytest.approx(loss, abs=1e-5)
    for one, other in zip(gradients, recomputed, strict=True):
        same(one, other)


@having("recurrent_weight_dropout")
def test_recurrent_weight_dropout_drops_in_training_only(arch):
    layer, plain = make(arch, recurrent_weight_dropout=0.5), make(arch)
    quiet, trained = numpy(layer(inputs()), layer(inputs(), training=True))
    same(quiet, ops.convert_to_numpy(plain(inputs())))
    assert np.abs(quiet - trained).max() > 1e-3
    (kernel,) = [w for w in layer.weights if w.name == "recurrent_kernel"]
    dropped = ops.convert_to_numpy(layer.dropped(ops.convert_to_tensor(kernel), training=True))
    zero = dropped == 0
    assert 0.3 < zero.mean() < 0.7
    same(dropped[~zero], 2 * ops.convert_to_numpy(kernel)[~zero])


@pytest.mark.parametrize("options", [{"zoneout": 0.2}, {"recurrent_weight_dropout": 0.2}, {"recompute": 4}])
def test_options_survive_saving(options, tmp_path):
    tokens = keras.Input((None, FEATURES))
    model = keras.Model(tokens, recurrent("lstm", UNITS, **options)(tokens))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_config() == model.layers[1].get_config()
    same(*numpy(model(inputs()), loaded(inputs())))


@pytest.mark.parametrize(
    "arch, options, message",
    [
        ("lstm", {"zoneout": 1.0}, "`zoneout` must be at least 0 and below 1. Received: zoneout=1.0"),
        ("gru", {"recurrent_weight_dropout": -0.1}, "`recurrent_weight_dropout` must be at least 0"),
        ("mingru", {"recurrent_weight_dropout": 0.1}, "`recurrent_weight_dropout` is not an option of MinGRU"),
        ("lru", {"zoneout": 0.1}, "`zoneout` is not an option of LRU"),
        ("lstm", {"recompute": -1}, "`recompute` must be 0 or a number of steps. Received: recompute=-1"),
        ("slstm", {"dropout": 1.5}, "`dropout` must be at least 0 and below 1. Received: dropout=1.5"),
        ("indrnn", {"recurrent_bound": 0.0}, "`recurrent_bound` must be above 0"),
        ("lru", {"r_min": 0.99, "r_max": 0.9}, "Expected 0 <= r_min < r_max < 1"),
        ("lru", {"max_phase": 0.0}, "`max_phase` must be above 0"),
    ],
)
def test_options_out_of_range_or_unknown_to_a_layer_are_refused(arch, options, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        recurrent(arch, UNITS, **options)


def test_grud_refuses_features_that_are_not_values_flags_and_gaps():
    with pytest.raises(ValueError, match="3 .* n features: n values, n flags .* Received: 4 features"):
        recurrent("grud", UNITS)(np.zeros((2, 3, 4), "float32"))


def test_sru_reads_past_itself_directly_where_the_widths_are_equal():
    layer = recurrent("sru", FEATURES, return_sequences=True)
    layer.build((BATCH, None, FEATURES))
    zeros = [np.zeros((BATCH, FEATURES))] * 2
    expected = ORACLES["sru"](inputs()[:, 0], zeros, weights_of(layer))[0]
    same(ops.convert_to_numpy(layer(inputs()))[:, 0], expected)
    assert weights_of(layer)["kernel"].shape == (FEATURES, 3 * FEATURES)


def test_indrnn_keeps_its_recurrent_weights_within_the_bound():
    layer = make("indrnn", recurrent_bound=0.5)
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse")
    model.train_on_batch(inputs(), np.ones((BATCH, 1)))
    assert np.abs(weights_of(layer)["recurrent_vector"]).max() <= 0.5


@pytest.mark.parametrize("arch", knowing("form", where="LAYER_OPTIONS"))
@pytest.mark.parametrize("time", LENGTHS)
@pytest.mark.parametrize("masked", [False, True])
def test_both_forms_of_a_layer_agree_in_outputs_and_gradients(arch, time, masked):
    mask = np.arange(time) < np.array([time, max(1, time // 2), 1, 0])[:, None] if masked else None
    results = []
    for form in ("sequential", "parallel"):
        layer = make(arch, form=form, return_sequences=True, return_state=True)
        values = [inputs(time), *start(layer), *layer.get_weights()]
        results.append(differentiate.loss_and_gradients(layer, values, mask))
    (loss, gradients), (other_loss, others) = results
    assert loss == pytest.approx(other_loss, rel=1e-4, abs=1e-3)
    for one, other in zip(gradients, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-4 * max(1.0, np.abs(one).max()))


@pytest.mark.slow
@on_tensorflow
@pytest.mark.parametrize("arch", VECTOR_ARCHITECTURES)
def test_sixteen_thousand_steps_stay_far_below_the_largest_number_of_half_precision(arch):
    found = outputs_and_gradients_after(16_384, arch, "float32")
    assert max(np.abs(values).max() for values in found) < np.finfo("float16").max / 2


@pytest.mark.slow
@on_tensorflow
@pytest.mark.parametrize(
    ("policy", "arch"),
    [("mixed_float16", arch) for arch in VECTOR_ARCHITECTURES] + [("mixed_bfloat16", arch) for arch in STANDING],
)
def test_thousands_of_steps_stay_finite_in_half_precision(arch, policy):
    steps = 16_384 if arch in STANDING and policy == "mixed_float16" else 2_048  # half precision is slow on a CPU
    assert all(np.isfinite(values).all() for values in outputs_and_gradients_after(steps, arch, policy))


def outputs_and_gradients_after(steps, arch, policy):
    """All that the layer returns, and its gradients, in float32."""
    layer = built(recurrent(arch, 4, return_state=True, dtype=policy))
    x = inputs(steps, batch=1)
    if arch == "grud":  # a value, whether it was observed, and the time since
        x[..., 1], x[..., 2] = x[..., 1] > 0, np.abs(x[..., 2])
    values = [x, *[np.zeros((1, size), "float32") for size in layer.state_size], *layer.get_weights()]
    _, gradients = differentiate.loss_and_gradients(layer, values, None)
    return [np.asarray(found, "float32") for found in [*numpy(*layer(x)), *gradients]]


def built(layer):
    layer.build((1, None, FEATURES))
    return layer


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="`form` must be one of auto, sequential, parallel. Received: form=fast"):
        linear_scan.check_form("fast")
