"""What no architecture takes in silence: masks, states, inputs and steps that do not fit; and integers, which fit."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from shared.layers import ARCHITECTURES, IMAGE_ARCHITECTURES
from shared.layers.bias import Bias
from shared.layers.stack import Stack
from tests.layers.compare import same
from tests.layers.kinds import checked_here
from tests.layers.small import BATCH, FEATURES, TIME, UNITS, inputs, make, shape_of, start, tensors, uncompiled

every_arch = pytest.mark.parametrize("arch", checked_here())
images = pytest.mark.parametrize("arch", checked_here(IMAGE_ARCHITECTURES))
# The check is the same for all, and to compile costs.
every_program = pytest.mark.parametrize(
    "arch", [arch if arch == "mingru" else pytest.param(arch, marks=pytest.mark.slow) for arch in checked_here()]
)
LONGER, SHORTER, ONE_ROW, TURNED = (BATCH, TIME + 1), (BATCH, TIME - 1), (1, TIME), (TIME, BATCH)
WRONG_MASKS = [LONGER, SHORTER, ONE_ROW, TURNED, (BATCH, 1), (BATCH + 1, TIME), (TIME,), (BATCH, TIME, 1)]


def check_masks(call):
    """`call(mask)` must refuse each of the wrong masks, and name both shapes."""
    for shape in WRONG_MASKS:
        message = f"a mask (batch, time) with one value for each step of the inputs, {(BATCH, TIME)}. Received: {shape}"
        with pytest.raises(ValueError, match=re.escape(message)):
            call(np.ones(shape, bool))
            pytest.fail(f"took a mask {shape}")


@every_arch
def test_a_mask_of_another_shape_is_refused_and_both_shapes_are_named(arch):
    layer = make(arch)
    check_masks(lambda mask: layer(inputs(arch), mask=mask))


@pytest.mark.parametrize("options", [{}, {"pre_norm": True}, {"bidirectional": True}], ids=str)
def test_a_stack_refuses_a_mask_of_another_shape(options):
    stack = Stack("gru", UNITS, layers=2, **options)
    check_masks(lambda mask: stack(inputs("gru"), mask=mask))


@pytest.mark.parametrize("options", [{"unroll": True}, {"recurrent_dropout": 0.1}, {"recompute": 2}], ids=str)
def test_an_lstm_that_another_loop_serves_refuses_such_a_mask_too(options):
    layer = make("lstm", **options)
    check_masks(lambda mask: layer(inputs("lstm"), mask=mask))


@every_arch
def test_a_compiled_function_refuses_a_mask_whose_known_shape_differs(arch):
    layer = make(arch)
    program = compiled(lambda x, mask: layer(x, mask=mask))
    check_masks(lambda mask: program(inputs(arch), mask))


def compiled(function):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


@every_program
@pytest.mark.parametrize("jit", [False, True])
def test_a_program_for_any_length_refuses_another_mask_when_it_runs(arch, jit):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("other backends compile a program for each length")
    import tensorflow as tf

    layer = make(arch)
    any_length = [tf.TensorSpec((None, None, *shape_of(arch)[2:]), tf.float32), tf.TensorSpec((None, None), tf.bool)]
    program = tf.function(lambda x, mask: layer(x, mask=mask)[0], any_length, jit_compile=jit, autograph=False)
    right = np.ones((BATCH, TIME), bool)
    same(program(inputs(arch), right), layer(inputs(arch), mask=right)[0])
    for shape in (LONGER, SHORTER, ONE_ROW, TURNED):
        # XLA knows no assertions: there the message is that of a stack of unequal tensors.
        with pytest.raises(tf.errors.InvalidArgumentError, match="(?i)same shape|shapes" if jit else "Expected a mask"):
            program(inputs(arch), np.ones(shape, bool))


@every_arch
def test_states_of_another_number_width_batch_or_rank_are_refused(arch):
    layer = make(arch)
    states = start(arch, layer)
    wrong = {
        "fewer": states[:-1],
        "more": [*states, states[0]],
        "wider": [np.concatenate([s, s], axis=-1) for s in states],
        "larger batch": start(arch, layer, batch=BATCH + 1),
        "one row": start(arch, layer, batch=1),
        "no batch": [s[0] for s in states],
        "one axis more": [s[:, None] for s in states],
        "numbers": [np.float32(0) for _ in states],
    }
    for what, given in wrong.items():
        with pytest.raises(ValueError, match=r"Expected an? initial_state of \d tensors .* Received: \["):
            layer(inputs(arch), initial_state=given)
            pytest.fail(f"took states: {what}")
        with pytest.raises(ValueError, match=r"Expected states of \d tensors .* Received: \["):
            layer.step(inputs(arch)[:, 0], given)
            pytest.fail(f"took a step from states: {what}")


@every_arch
@pytest.mark.parametrize("features", [FEATURES // 2, 2 * FEATURES, 1])
def test_inputs_of_another_width_than_the_layer_was_built_for_are_refused(arch, features):
    layer = make(arch)
    x = inputs(arch, features=features)
    with pytest.raises(ValueError, match=f"expected axis -1 of input shape to have value {FEATURES}.* {features}"):
        layer(x)
    with pytest.raises(ValueError, match=f"Expected one step .* of width {FEATURES}. Received: .* {features}"):
        layer.step(x[:, 0], start(arch, layer))


@images
def test_a_stateful_layer_for_images_refuses_other_channels_too(arch):
    layer = make(arch, stateful=True)
    with pytest.raises(ValueError, match=f"expected axis -1 of input shape to have value {FEATURES}"):
        layer(inputs(arch, features=2 * FEATURES))


@every_arch
def test_inputs_with_an_axis_too_many_or_too_few_are_refused(arch):
    layer = make(arch)
    x = inputs(arch)
    for wrong in (x[:, 0], x[:, None]):
        with pytest.raises(ValueError, match=f"expected ndim={x.ndim}, found ndim={wrong.ndim}"):
            layer(wrong)
    for wrong in (x, x[:, 0, 0]):
        with pytest.raises(ValueError, match=r"Expected one step .* Received: inputs of shape \("):
            layer.step(wrong, start(arch, layer))


@every_arch
def test_a_sequence_of_no_steps_is_refused(arch):
    with pytest.raises(ValueError, match="Expected sequences of at least one step"):
        make(arch)(inputs(arch, time=0))


def test_a_step_of_a_stack_wants_the_states_of_all_layers():
    stack = Stack("gru", UNITS, layers=2)
    stack.build((BATCH, TIME, FEATURES))
    states = stack.get_initial_state(BATCH)
    for wrong in (states[:1], [*states, states[0]]):
        with pytest.raises(ValueError, match=f"Expected 2 states, those of all layers. Received: {len(wrong)}"):
            stack.step(ops.convert_to_tensor(inputs("gru")[:, 0]), wrong)


@every_arch
def test_integers_and_booleans_count_as_the_floats_of_the_same_value(arch):
    layer = make(arch)
    x = np.abs(3 * inputs(arch)).astype("int32")
    assert x.max() > 1
    with uncompiled():
        for dtype in ("int32", "uint8", "bool"):
            given = x.astype(dtype)
            for one, other in zip(layer(given), layer(given.astype("float32")), strict=True):
                assert keras.backend.standardize_dtype(one.dtype) == "float32"
                same(ops.convert_to_numpy(one), ops.convert_to_numpy(other))


@pytest.mark.parametrize(
    "arch", [pytest.param(a, marks=pytest.mark.slow) if a in ("tcn", "attention") else a for a in ARCHITECTURES]
)
def test_a_step_and_a_cell_take_integers_too(arch):
    layer = make(arch)
    x, states = np.abs(3 * inputs(arch)[:, 0]).astype("int32"), tensors(*start(arch, layer))
    (whole,), (real,) = tensors(x), tensors(x.astype("float32"))
    expected, _ = layer.step(real, states)
    for output, _ in (layer.step(whole, states), layer.cell(whole, states)):
        same(ops.convert_to_numpy(output), ops.convert_to_numpy(expected))


@pytest.mark.parametrize("arch", ["lstm", "gru", "mingru"])
def test_the_gates_of_an_integer_are_those_of_the_float(arch):
    layer = make(arch)
    x, states = np.abs(3 * inputs(arch)[:, 0]).astype("int32"), tensors(*start(arch, layer))
    (whole,), (real,) = tensors(x), tensors(x.astype("float32"))
    for letter, gate in layer.gates(real, states).items():
        same(ops.convert_to_numpy(layer.gates(whole, states)[letter]), ops.convert_to_numpy(gate))


@pytest.mark.parametrize("options", [{}, {"pre_norm": True}, {"residual": True}], ids=str)
def test_a_stack_takes_integers(options):
    stack = Stack("mingru", FEATURES, layers=1, **options)
    stack.build((BATCH, TIME, FEATURES))
    x = np.abs(3 * inputs("mingru")).astype("int32")
    with uncompiled():
        same(ops.convert_to_numpy(stack(x)), ops.convert_to_numpy(stack(x.astype("float32"))))


def test_a_bias_is_not_cut_to_an_integer():
    layer = Bias()
    layer.build((BATCH, 2))
    layer.set_weights([np.array([0.25, -0.5], "float32")])
    same(ops.convert_to_numpy(layer(np.array([[1, 2]], "int32"))), [[1.25, 1.5]])
