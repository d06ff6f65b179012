"""One step of every architecture in NumPy, written anew from the equations of its docstring.

Each function maps (x (batch, features) or (batch, rows, columns, channels), states, weights by name) to the new
states; the first is the output.
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


def gates(total, number):
    """The parts of a vector (batch, number * units)."""
    return np.split(total, number, axis=-1)


def peephole_lstm(x, states, w):
    h, c = states
    i, f, g, o = gates(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4)
    p_i, p_f, p_o = gates(w["peephole"], 3)
    new = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g)
    return [sigmoid(o + p_o * new) * np.tanh(new), new]


def layernorm_lstm(x, states, w):
    def norm(a):
        return (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + 1e-5)

    h, c = states
    total = w["kernel_gain"] * norm(x @ w["kernel"]) + w["recurrent_gain"] * norm(h @ w["recurrent_kernel"])
    i, f, g, o = gates(total + w["bias"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(w["cell_gain"] * norm(c) + w["cell_bias"]), c]


def indrnn(x, states, w):
    return [np.maximum(0, x @ w["kernel"] + w["recurrent_vector"] * states[0] + w["bias"])]


def sru(x, states, w):
    c = states[1]
    g, f, r, *past = gates(x @ w["kernel"], w["kernel"].shape[1] // c.shape[1])
    v_f, v_r = gates(w["recurrent_vector"], 2)
    b_f, b_r = gates(w["bias"], 2)
    f, r = sigmoid(f + v_f * c + b_f), sigmoid(r + v_r * c + b_r)
    c = f * c + (1 - f) * g
    return [r * c + (1 - r) * (past[0] if past else x) * np.sqrt(3), c]


def minlstm(x, states, w):
    i, f, g = gates(x @ w["kernel"] + w["bias"], 3)
    i, f = sigmoid(i), sigmoid(f)
    return [f / (f + i) * states[0] + i / (f + i) * g]


def lru(x, states, w):
    def as_complex(both):
        re, im = np.split(both, 2, axis=-1)
        return re + 1j * im

    eigenvalues = np.exp(-np.exp(w["nu_log"]) + 1j * np.exp(w["theta_log"]))
    s = eigenvalues * as_complex(states[1]) + np.exp(w["gamma_log"]) * (x @ as_complex(w["kernel"]))
    c_re, c_im = np.split(w["output_kernel"], 2, axis=0)
    h = (s @ (c_re - 1j * c_im)).real + x @ w["skip_kernel"] + w["bias"]
    return [h, np.concatenate([s.real, s.imag], axis=-1)]


def rglru(x, states, w):
    u = x @ w["kernel"] + w["bias"]
    r, i = gates(sigmoid(u @ w["gate_kernel"] + w["gate_bias"]), 2)
    a = sigmoid(w["decay"]) ** (8 * r)
    return [a * states[0] + np.sqrt(1 - a**2) * i * u]


def slstm(x, states, w):
    h, c, n, m = states
    i, f, g, o = gates(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4)
    log_f = np.log(sigmoid(f))
    new_m = np.where(n > 0, np.maximum(log_f + m, i), i)
    i, f = np.exp(i - new_m), np.where(n > 0, np.exp(log_f + m - new_m), 0)
    c, n = f * c + i * np.tanh(g), f * n + i
    return [sigmoid(o) * c / n, c, n, new_m]


def grud(x, states, w):
    h, last = states
    values, observed, gaps = gates(x, 3)
    fade = np.exp(-np.maximum(0, w["input_decay"] * gaps + w["input_decay_bias"]))
    y = observed * values + (1 - observed) * fade * last
    p = np.exp(-np.maximum(0, gaps @ w["state_decay"] + w["state_decay_bias"])) * h
    x_z, x_r, x_g = gates(np.concatenate([y, observed], axis=-1) @ w["kernel"] + w["bias"], 3)
    p_z, p_r, p_g = gates(p @ w["recurrent_kernel"] + w["recurrent_bias"], 3)
    z, r = sigmoid(x_z + p_z), sigmoid(x_r + p_r)
    return [z * p + (1 - z) * np.tanh(x_g + r * p_g), observed * values + (1 - observed) * last]


def tcn(x, states, w):
    _, *pasts = states
    kept = []
    for level in range(len(pasts) // 2):
        y = x
        for n in (2 * level, 2 * level + 1):
            kernel = w[f"kernel_{n}"]
            taps, width, _ = kernel.shape
            seen = np.concatenate([pasts[n].reshape(len(x), -1, width), y[:, None]], axis=1)
            kept.append(seen[:, 1:].reshape(len(x), -1))
            chosen = seen[:, :: 2**level]  # oldest first, the present step last
            assert chosen.shape[1] == taps
            y = np.maximum(np.einsum("bkf,kfu->bu", chosen, kernel) + w[f"bias_{n}"], 0)
        x = np.maximum(y + (x @ w["projection"] if level == 0 and "projection" in w else x), 0)
    return [x, *kept]


def attention(x, states, w, heads=1):
    _, keys, values, there = states
    units = w["merge_bias"].shape[0]
    d = units // heads

    def dense(name, y):
        return y @ w[f"{name}_kernel"] + w[f"{name}_bias"]

    def norm(name, y):
        y = y - y.mean(-1, keepdims=True)
        return w[f"{name}_scale"] * y / np.sqrt((y**2).mean(-1, keepdims=True) + 1e-5) + w[f"{name}_shift"]

    def turn(y, position):
        """Pairs of features as complex numbers: turning is multiplying."""
        z = y[..., : d // 2] + 1j * y[..., d // 2 :]
        z = z * np.exp(1j * position[:, None, None] * 10000.0 ** (-2 * np.arange(d // 2) / d))
        return np.concatenate([z.real, z.imag], axis=-1)

    u = dense("input", x)
    q, k, v = np.split(dense("attention", norm("attention", u)), 3, axis=-1)
    keys = np.concatenate([keys.reshape(len(x), -1, units), k[:, None]], axis=1)
    values = np.concatenate([values.reshape(len(x), -1, units), v[:, None]], axis=1)
    there = np.concatenate([there, np.ones_like(x[:, :1])], axis=1)
    by_head = (len(x), -1, heads, d)
    position = np.arange(keys.shape[1])
    turned_q = turn(q.reshape(by_head), position[-1:])
    scores = np.sum(turned_q * turn(keys.reshape(by_head), position), axis=-1) / np.sqrt(d)  # (batch, steps, heads)
    share = np.where(there[..., None] > 0.5, np.exp(scores - scores.max(1, keepdims=True)), 0)
    share = share / share.sum(1, keepdims=True)
    m = np.sum(share[..., None] * values.reshape(by_head), axis=1).reshape(len(x), units)
    r = u + dense("merge", m)
    h = r + dense("narrow", np.maximum(dense("widen", norm("widen", r)), 0))
    return [h, *(kept[:, 1:].reshape(len(x), -1) for kept in (keys, values, there))]


def convolution(images, kernel):
    """(batch, rows, columns, m), kernel (p, q, m, n) -> (batch, rows, columns, n), zeros outside of the images."""
    (batch, rows, columns, _), (p, q, _, n) = images.shape, kernel.shape
    found = np.zeros((batch, rows, columns, n))
    for row, column in np.ndindex(rows, columns):
        for i, j in np.ndindex(p, q):
            r, c = row + i - p // 2, column + j - q // 2
            if 0 <= r < rows and 0 <= c < columns:
                found[:, row, column] += images[:, r, c] @ kernel[i, j]
    return found


def convelman(x, states, w):
    return [np.tanh(convolution(x, w["kernel"]) + convolution(states[0], w["recurrent_kernel"]) + w["bias"])]


def convlstm(x, states, w):
    h, c = states
    i, f, g, o = gates(convolution(x, w["kernel"]) + convolution(h, w["recurrent_kernel"]) + w["bias"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def convgru(x, states, w):
    (h,) = states
    x_z, x_r, x_g = gates(convolution(x, w["kernel"]) + w["bias"], 3)
    h_z, h_r, h_g = gates(convolution(h, w["recurrent_kernel"]) + w["recurrent_bias"], 3)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return [z * h + (1 - z) * np.tanh(x_g + r * h_g)]


def convmingru(x, states, w):
    z, g = gates(convolution(x, w["kernel"]) + w["bias"], 2)
    return [(1 - sigmoid(z)) * states[0] + sigmoid(z) * g]


ORACLES = {
    "elman": elman,
    "lstm": lstm,
    "gru": gru,
    "peephole_lstm": peephole_lstm,
    "layernorm_lstm": layernorm_lstm,
    "indrnn": indrnn,
    "sru": sru,
    "mingru": mingru,
    "minlstm": minlstm,
    "lru": lru,
    "rglru": rglru,
    "slstm": slstm,
    "grud": grud,
    "tcn": tcn,
    "attention": attention,
    "convelman": convelman,
    "convlstm": convlstm,
    "convgru": convgru,
    "convmingru": convmingru,
}


def column(mask, t, state):
    """The mask (batch, time) at step t, shaped to go with the state (batch, ...)."""
    return mask[:, t].reshape(-1, *[1] * (len(state.shape) - 1))


def sequence(arch, x, states, weights, mask=None, **options):
    """All outputs (batch, time, ...) and the last states, step by step; a masked step keeps every state."""
    outputs = []
    for t in range(x.shape[1]):
        new = ORACLES[arch](x[:, t], states, weights, **options)
        if mask is not None:
            new = [np.where(column(mask, t, n), n, s) for n, s in zip(new, states, strict=True)]
        states = new
        outputs.append(states[0])
    return np.stack(outputs, axis=1), states
