"""One step of every architecture in NumPy, written anew from the equations of its docstring.

Each function maps (x (batch, features), states, weights by name) to the new states; the first is the output.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def elman(x, states, w):
    (h,) = states
    return [np.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])]


def lstm(x, states, w):
    h, c = states
    units = h.shape[-1]

    def gate(number, function):
        part = slice(number * units, (number + 1) * units)
        return function(x @ w["kernel"][:, part] + h @ w["recurrent_kernel"][:, part] + w["bias"][part])

    i, f, g, o = gate(0, sigmoid), gate(1, sigmoid), gate(2, np.tanh), gate(3, sigmoid)
    c = f * c + i * g
    return [o * np.tanh(c), c]


def gru(x, states, w):
    (h,) = states
    units = h.shape[-1]

    def both(number):
        part = slice(number * units, (number + 1) * units)
        b, d = w["bias"][0, part], w["bias"][1, part]
        return x @ w["kernel"][:, part] + b, h @ w["recurrent_kernel"][:, part] + d

    (x_z, h_z), (x_r, h_r), (x_g, h_g) = both(0), both(1), both(2)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return [z * h + (1 - z) * np.tanh(x_g + r * h_g)]


def mingru(x, states, w):
    (h,) = states
    units = h.shape[-1]
    z = sigmoid(x @ w["kernel"][:, :units] + w["bias"][:units])
    g = x @ w["kernel"][:, units:] + w["bias"][units:]
    return [(1 - z) * h + z * g]


ORACLES = {"elman": elman, "lstm": lstm, "gru": gru, "mingru": mingru}


def sequence(arch, x, states, weights, mask=None):
    """All outputs (batch, time, units) and the last states, step by step; a masked step keeps every state."""
    outputs = []
    for t in range(x.shape[1]):
        new = ORACLES[arch](x[:, t], states, weights)
        if mask is not None:
            new = [np.where(mask[:, t : t + 1], n, s) for n, s in zip(new, states, strict=True)]
        states = new
        outputs.append(states[0])
    return np.stack(outputs, axis=1), states
