"""Stacks: their sum is written out here by hand, layer by layer."""

import keras
import numpy as np
import pytest
from keras import ops

from shared.layers.stack import Stack

X = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
MASK = np.arange(6) < np.array([6, 3])[:, None]


def value(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("pre_norm", [False, True])
def test_a_stack_is_its_layers_written_out(residual, pre_norm):
    stack = Stack("gru", 5, layers=3, residual=residual, pre_norm=pre_norm)
    found = value(stack(X, mask=MASK))
    y = ops.convert_to_tensor(X)
    for number, layer in enumerate(stack.recurrent_layers):
        z = layer(stack.norms[number](y) if pre_norm else y, mask=MASK)
        y = y + z if residual and number > 0 else z  # the first layer changes the width from 4 to 5
    np.testing.assert_allclose(found, value(stack.norms[-1](y) if pre_norm else y), atol=1e-6)


def test_step_by_step_equals_the_whole_sequence():
    stack = Stack("lstm", 4, layers=2, residual=True, pre_norm=True, options={"zoneout": 0.2})
    whole = value(stack(X))
    states = stack.get_initial_state(2)
    assert [state.shape[-1] for state in states] == stack.state_size == [4] * 4
    for t in range(X.shape[1]):
        output, states = stack.step(ops.convert_to_tensor(X[:, t]), states)
        np.testing.assert_allclose(value(output), whole[:, t], atol=1e-5)


def test_a_bidirectional_stack_is_twice_as_wide_and_has_no_step():
    stack = Stack("mingru", 3, layers=2, bidirectional=True)
    assert stack(X).shape == (2, 6, 6) == stack.compute_output_shape((2, 6, 4))
    with pytest.raises(ValueError, match="Expected a unidirectional stack"):
        stack.get_initial_state(2)


@pytest.mark.parametrize("locked", [True, False])
def test_locked_dropout_drops_the_same_features_at_every_step_and_plain_dropout_others(locked):
    keras.utils.set_random_seed(1)
    stack = Stack("elman", 40, dropout=0.5, locked_dropout=locked)
    dropped = value(stack(X, training=True)) == 0
    assert 0.2 < dropped.mean() < 0.8
    assert np.array_equal(dropped, np.broadcast_to(dropped[:, :1], dropped.shape)) == locked


def test_a_stateful_stack_carries_its_states_until_reset():
    stack, plain = Stack("gru", 3, layers=2, stateful=True), Stack("gru", 3, layers=2)
    stack.build(X.shape)
    plain.build(X.shape)
    plain.set_weights(stack.get_weights())
    pieces = [value(stack(X[:, :2])), value(stack(X[:, 2:]))]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), value(plain(X)), atol=1e-6)
    stack.reset_state()
    np.testing.assert_allclose(value(stack(X)), value(plain(X)), atol=1e-6)


def test_a_saved_stack_gives_the_same_numbers(tmp_path):
    tokens = keras.Input((None, 4))
    stack = Stack(
        "gru", 4, layers=2, residual=True, pre_norm=True, dropout=0.1, locked_dropout=False, options={"zoneout": 0.1}
    )
    model = keras.Model(tokens, stack(tokens))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(value(model(X)), value(loaded(X)))
    assert loaded.layers[1].get_config() == stack.get_config()


def test_a_stack_without_layers_is_refused():
    with pytest.raises(ValueError, match="`layers` must be a positive integer. Received: layers=0"):
        Stack("gru", 4, layers=0)
