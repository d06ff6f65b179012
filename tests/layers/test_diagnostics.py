"""What a layer remembers, against recurrences whose memory is known by formula."""

import numpy as np
from keras import ops

from shared.layers import diagnostics, recurrent


def fading(keep):
    """h_t = keep * h_{t-1} + x_t: the Jacobian by x_{T-k} is keep ** k times the identity."""

    def function(x):
        h = x[:, 0]
        for t in range(1, x.shape[1]):
            h = keep * h + x[:, t]
        return h

    return function


X = np.random.default_rng(0).normal(size=(6, 12, 3)).astype("float32")


def test_the_gradient_of_a_fading_memory_falls_by_its_factor():
    curve = diagnostics.gradient_by_lag(fading(0.7), X)
    np.testing.assert_allclose(curve / curve[0], 0.7 ** np.arange(12), rtol=1e-4)
    # The Frobenius norm of the identity of 3, and that of 0.7 times the identity.
    norms = [diagnostics.gradient_by_lag(fading(0.7), X[:, -2:], probes=400, seed=s) for s in range(2)]
    np.testing.assert_allclose(norms, np.sqrt(3) * np.array([[1, 0.7]] * 2), rtol=0.1)


def test_the_influence_of_a_fading_memory_falls_by_its_factor():
    lags = [0, 1, 5, 11]
    found = diagnostics.influence_by_lag(fading(0.7), X, lags)
    moves = [np.sqrt(np.mean((np.roll(X[:, -1 - k], 1, axis=0) - X[:, -1 - k]) ** 2)) for k in lags]
    np.testing.assert_allclose(found, np.array(moves) * 0.7 ** np.array(lags), rtol=1e-4)


def test_reach_is_the_last_lag_with_a_hundredth_of_the_largest_value():
    assert diagnostics.reach([1.0, 0.5, 0.02, 0.001, 0.011, 0.001]) == 4


def test_an_lstm_with_an_open_forget_gate_reaches_further_than_an_elman_network():
    lstm, elman = recurrent("lstm", 8), recurrent("elman", 8)
    for layer in (lstm, elman):
        layer.build((6, None, 3))
    kernel, recurrent_kernel, bias = lstm.get_weights()
    bias[8:16] = 6.0  # sigmoid(6) = 0.998
    lstm.set_weights([kernel, recurrent_kernel, bias])
    elman.set_weights([w if w.ndim < 2 or w.shape[0] == 3 else 0.5 * w for w in elman.get_weights()])
    x = np.random.default_rng(1).normal(size=(6, 60, 3)).astype("float32")
    reaches = [diagnostics.reach(diagnostics.gradient_by_lag(layer, x)) for layer in (lstm, elman)]
    assert reaches[0] == 59 and reaches[1] < 15


def test_a_trace_holds_what_the_layer_computes():
    layer = recurrent("lstm", 4, return_sequences=True)
    layer.build((1, None, 3))
    traced = diagnostics.trace(layer, X[0])
    assert {name: rows.shape for name, rows in traced.items()} == dict.fromkeys(
        ["output", "state 1", "i", "f", "g", "o"], (12, 4)
    )
    np.testing.assert_allclose(traced["output"], ops.convert_to_numpy(layer(X[:1]))[0], atol=1e-6)
    c = traced["f"][1:] * traced["state 1"][:-1] + traced["i"][1:] * traced["g"][1:]
    np.testing.assert_allclose(traced["state 1"][1:], c, atol=1e-6)
    np.testing.assert_allclose(traced["output"], traced["o"] * np.tanh(traced["state 1"]), atol=1e-6)


def test_gru_and_linear_cells_show_their_gates_too():
    gru, mingru = recurrent("gru", 4), recurrent("mingru", 4)
    for layer in (gru, mingru):
        layer.build((1, None, 3))
    traced = diagnostics.trace(gru, X[0])
    h = np.concatenate([np.zeros((1, 4)), traced["output"][:-1]])
    np.testing.assert_allclose(traced["output"], traced["z"] * h + (1 - traced["z"]) * traced["g"], atol=1e-6)
    traced = diagnostics.trace(mingru, X[0])
    h = np.concatenate([np.zeros((1, 4)), traced["output"][:-1]])
    np.testing.assert_allclose(traced["output"], traced["a"] * h + traced["b"], atol=1e-6)
