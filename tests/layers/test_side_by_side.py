"""On TensorFlow and a CPU of several cores a batch is computed in two halves that run at the same time."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.layers.compare import same
from tests.layers.test_battery import STANDING, make

if keras.backend.backend() != "tensorflow":
    pytest.skip("the halves are TensorFlow's", allow_module_level=True)

import tensorflow as tf

from shared.layers.backend import tensorflow as backend

MASK = np.arange(7) < np.array([7, 3, 0, 1, 5])[:, None]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(backend, "CORES", 2)


def outputs_and_gradients(layer, mask=None):
    """A function of the inputs: everything the layer returns, and the gradient of it all."""

    def function(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            results = layer(x, mask=mask)
            loss = sum(ops.sum(ops.sin(result)) for result in results)
        return [*results, *tape.gradient(loss, [x, *layer.trainable_variables], unconnected_gradients="zero")]

    return function


def programs(function):
    """How many programs of XLA's own the traced function calls."""
    nodes = function.get_concrete_function(tf.TensorSpec((None, None, 3))).graph.as_graph_def().node
    return sum(node.attr["f"].func.name != "" for node in nodes)


@pytest.mark.parametrize(
    "arch, rows, masked",
    [("lstm", 1, False), ("lstm", 5, True), ("mingru", 5, False)]
    + [pytest.param(arch, 5, True, marks=pytest.mark.slow) for arch in sorted({*STANDING, "elman", "gru"})],
)
def test_the_halves_give_what_the_whole_gives(arch, rows, masked):
    function = outputs_and_gradients(
        make(arch, return_sequences=True, return_state=True), MASK[:rows] if masked else None
    )
    x = tf.constant(np.random.default_rng(0).normal(size=(rows, 7, 3)).astype(np.float32))
    # The size of the batch is known only when it comes, so that a batch of one has an empty half.
    signature = [tf.TensorSpec((rows if masked else None, None, 3))]
    for found, expected in zip(tf.function(function, input_signature=signature)(x), function(x), strict=True):
        same(found, expected)


def test_there_are_two_programs_each_way_but_within_a_program_one(monkeypatch):
    function = outputs_and_gradients(make("lstm", return_sequences=True, return_state=True))
    apart = programs(tf.function(function, autograph=False))
    within_xla = programs(tf.function(function, autograph=False, jit_compile=True))
    monkeypatch.setattr(backend, "CORES", 1)
    one_core = programs(tf.function(function, autograph=False))
    assert (apart, within_xla, one_core) == (4, 2, 2)


def test_what_a_program_was_given_it_does_not_give_back():
    a, b = tf.constant([2.0, 3.0]), tf.constant([5.0, 7.0])
    program = backend._without_copies(lambda a, b: ([a * b], [b, None, a + b, a]), jit=True)
    for _ in range(2):  # traced, then as it was
        (product,), (same_b, nothing, total, same_a) = program(a, b)
        same(product, [10, 21])
        same(total, [7, 10])
        assert same_b is b and same_a is a and nothing is None
