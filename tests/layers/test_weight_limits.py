"""Regularisers and constraints of the weights, where Keras's own layers take them; what is not possible is refused."""

import keras
import numpy as np
import pytest
from keras import ops

from shared.layers import ARCHITECTURES, layer_class, recurrent
from tests.layers.kinds import checked_here
from tests.layers.small import inputs

UNLIMITED = ("tcn", "attention")  # they have no options for their weights
LIMITED = [arch for arch in checked_here() if arch not in UNLIMITED]
# Those whose recurrence is no product with weights that could be limited; IndRNN has a bound of its own.
NO_RECURRENT = ("mingru", "minlstm", "rglru", "lru", "convmingru")


def built(arch, **options):
    layer = recurrent(arch, 2, **options)
    layer(ops.convert_to_tensor(inputs(arch)))
    return layer


@pytest.mark.parametrize("arch", LIMITED)
def test_a_regulariser_adds_its_loss_and_a_constraint_is_the_weight_s(arch):
    layer = built(arch, kernel_regularizer=keras.regularizers.L2(0.5), bias_constraint="non_neg")
    kernels = [w for w in layer.trainable_weights if w.regularizer is not None]
    assert kernels
    expected = sum(0.5 * float(ops.sum(ops.square(kernel))) for kernel in kernels)
    np.testing.assert_allclose(float(sum(layer.losses)), expected, rtol=1e-5)
    limited = [w for w in layer.trainable_weights if isinstance(w.constraint, keras.constraints.NonNeg)]
    assert limited and all("bias" in w.path.split("/")[-1] for w in limited)


@pytest.mark.parametrize("arch", LIMITED)
def test_a_layer_with_limits_is_the_same_from_its_config(arch):
    layer = recurrent(arch, 2, kernel_regularizer=keras.regularizers.L1(0.25), kernel_constraint="unit_norm")
    again = layer_class(arch).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.cell.kernel_regularizer.l1 == 0.25
    assert isinstance(again.cell.kernel_constraint, keras.constraints.UnitNorm)


@pytest.mark.parametrize("arch", [arch for arch in LIMITED if arch not in (*NO_RECURRENT, "indrnn")])
def test_the_recurrent_weights_have_limits_of_their_own(arch):
    layer = built(arch, recurrent_regularizer="l2", recurrent_constraint="max_norm")
    limited = [w.path.split("/")[-1] for w in layer.trainable_weights if w.regularizer is not None]
    assert limited and all("recurrent" in name for name in limited)


@pytest.mark.parametrize("arch", NO_RECURRENT)
def test_limits_of_weights_that_a_layer_does_not_have_are_refused(arch):
    with pytest.raises(ValueError, match="recurrent_regularizer"):
        recurrent(arch, 2, recurrent_regularizer="l2")


def test_the_bound_of_indrnn_is_its_constraint_and_a_regulariser_of_its_recurrent_weights_counts():
    with pytest.raises(ValueError, match="recurrent_bound"):
        recurrent("indrnn", 2, recurrent_constraint="max_norm")
    layer = built("indrnn", recurrent_regularizer=keras.regularizers.L2(1.0))
    np.testing.assert_allclose(
        float(sum(layer.losses)), float(ops.sum(ops.square(layer.cell.recurrent_vector))), rtol=1e-5
    )


@pytest.mark.parametrize("arch", [arch for arch in checked_here() if arch not in ("lstm", "gru", "elman")])
@pytest.mark.parametrize("option", ["activation", "recurrent_dropout"])
def test_an_option_of_keras_alone_is_refused_with_those_that_are_possible(arch, option):
    with pytest.raises(ValueError, match=f"`{option}` is not an option of {ARCHITECTURES[arch][1]}. Its options are"):
        recurrent(arch, 2, **{option: 0.1})


@pytest.mark.parametrize("arch", UNLIMITED)
def test_layers_without_recurrence_refuse_limits_by_name(arch):
    with pytest.raises(ValueError, match="`kernel_regularizer` is not an option"):
        recurrent(arch, 2, kernel_regularizer="l2")
