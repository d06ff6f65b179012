"""One contestant of a benchmark, in a process of its own: answers each line on stdin with the seconds of one turn.

python -m tests.benchmarks.contestants CONTEST CONTESTANT
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared.layers import ARCHITECTURES, IMAGE_ARCHITECTURES

VOCABULARY, EMBEDDING = 65, 66
STREAMED, FRAMES = 512, 16  # characters in a turn, frames in one
PRODUCTS, SIDE = 4, 2048  # matrix products in a turn, and their width
IMAGE = (32, 32, 8)  # rows, columns, channels


@dataclass(frozen=True)
class Contest:
    """A network of `layers` x `units` over `time` characters; batch 1 and time 1 mean generation.

    With a `budget` the units are those at which one layer has so many parameters; `masked` sequences end early, each
    at a length of its own, and the padding is masked.
    """

    arch: str
    layers: int
    units: int
    batch: int
    time: int
    budget: int = 0
    masked: bool = False


CONTESTS = {
    "lstm 2 x 512": Contest("lstm", 2, 512, 64, 100),
    "gru 2 x 512": Contest("gru", 2, 512, 64, 100),
    "elman 2 x 512": Contest("elman", 2, 512, 64, 100),
    "lstm 1 x 128": Contest("lstm", 1, 128, 64, 100),
    "gru 1 x 128": Contest("gru", 1, 128, 64, 100),
    "elman 1 x 128": Contest("elman", 1, 128, 64, 100),
    **{f"{arch} 1 x 128, masked": Contest(arch, 1, 128, 64, 100, masked=True) for arch in ("lstm", "gru", "elman")},
    "mingru 1 x 256, T 256": Contest("mingru", 1, 256, 32, 256),
    "mingru 1 x 256, T 1024": Contest("mingru", 1, 256, 32, 1024),
    "lstm 1 x 256, T 1000": Contest("lstm", 1, 256, 16, 1000),
    "convlstm 1 x 32, images of 32 x 32": Contest("convlstm", 1, 32, 8, 10),
    "generation 2 x 512": Contest("lstm", 2, 512, 1, 1),
}
# Budgets that every architecture meets within 1 %.
CELL_BUDGET, IMAGE_BUDGET = 253_000, 54_500
for _arch in ARCHITECTURES:
    sizes = (8, 10, IMAGE_BUDGET) if _arch in IMAGE_ARCHITECTURES else (32, 128, CELL_BUDGET)
    CONTESTS[f"cell {_arch}"] = Contest(_arch, 1, 0, *sizes)
    CONTESTS[f"stream {_arch}"] = Contest(_arch, 1, 0, 1, 1, sizes[-1])
# Stock Keras and PyTorch have no minGRU: there the contest is against their LSTM of the same width.
NATIVE = {"lstm": "LSTM", "gru": "GRU", "elman": "SimpleRNN", "mingru": "LSTM", "convlstm": "ConvLSTM2D"}
TORCH = {"lstm": "LSTM", "gru": "GRU", "elman": "RNN", "mingru": "LSTM"}


def units(contest: Contest) -> int:
    """The width of the layers."""
    if not contest.budget:
        return contest.units
    from shared.layers.budget import units_for

    return units_for(contest.arch, contest.budget, IMAGE[-1] if contest.arch in IMAGE_ARCHITECTURES else EMBEDDING)


def steps(contest: Contest, contestant: str) -> int:
    """Steps in a turn: one of training, or so many characters or frames."""
    if contest.time > 1:
        return 1
    if contest.arch in IMAGE_ARCHITECTURES:
        return FRAMES
    return 16 if contestant == "keras predict" else STREAMED


def batch(contest: Contest) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    read = random.integers(0, VOCABULARY, (contest.batch, contest.time + 1), dtype=np.int32)
    if contest.masked:
        lengths = random.integers(1, contest.time + 1, (contest.batch, 1))
        read = np.where(np.arange(contest.time + 1) < lengths, 1 + read % (VOCABULARY - 1), 0)
    return read[:, :-1], read[:, 1:]


def keras_training(contest: Contest, ours: bool, recompute: int = 0) -> Callable[[], None]:
    """One AdamW step of a character model."""
    import keras

    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(VOCABULARY, EMBEDDING, mask_zero=contest.masked)(tokens)
    for _ in range(contest.layers):
        x = keras_layer(contest, ours, recompute)(x)
    return keras_steps(keras.Model(tokens, keras.layers.Dense(VOCABULARY)(x)), *batch(contest))


def image_training(contest: Contest, ours: bool) -> Callable[[], None]:
    """One step of a network that colours in the next image."""
    import keras

    frames = keras.Input((None, *IMAGE))
    x = keras_layer(contest, ours, kernel_size=3)(frames)
    return keras_steps(keras.Model(frames, keras.layers.Dense(VOCABULARY)(x)), *image_batch(contest))


def image_batch(contest: Contest) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    shape = (contest.batch, contest.time, *IMAGE)
    return random.normal(size=shape).astype("float32"), random.integers(0, VOCABULARY, shape[:-1])


def keras_steps(model, inputs: np.ndarray, targets: np.ndarray) -> Callable[[], None]:
    import keras

    model.compile(
        optimizer=keras.optimizers.AdamW(1e-3, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # the faster way for both: ours brings compiled layers
    )
    return lambda: model.train_on_batch(inputs, targets)


def keras_layer(contest: Contest, ours: bool, recompute: int = 0, **options):
    import keras

    if ours:
        from shared.layers import recurrent

        options |= {"recompute": recompute} if recompute else {}
        return recurrent(contest.arch, units(contest), return_sequences=True, **options)
    options |= {"padding": "same"} if contest.arch == "convlstm" else {}
    return getattr(keras.layers, NATIVE[contest.arch])(units(contest), return_sequences=True, **options)


def torch_training(contest: Contest) -> Callable[[], None]:
    """The same network and step in native PyTorch."""
    sys.path.append(os.environ.get("BENCH_PACKAGES", ""))
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(VOCABULARY, EMBEDDING)
            kind = getattr(torch.nn, TORCH[contest.arch])
            width = units(contest)
            self.recurrent = kind(EMBEDDING, width, num_layers=contest.layers, batch_first=True)
            self.head = torch.nn.Linear(width, VOCABULARY)

        def forward(self, tokens):
            return self.head(self.recurrent(self.embedding(tokens))[0])

    inputs, targets = (torch.from_numpy(ids).long() for ids in batch(contest))
    return torch_steps(Network(), inputs, targets)


def torch_image_training(contest: Contest) -> Callable[[], None]:
    """The same for images: PyTorch has no ConvLSTM, so one of its convolutions, that of the inputs for all frames."""
    sys.path.append(os.environ.get("BENCH_PACKAGES", ""))
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.width = units(contest)
            self.read = torch.nn.Conv2d(IMAGE[-1], 4 * self.width, 3, padding=1)
            self.recur = torch.nn.Conv2d(self.width, 4 * self.width, 3, padding=1, bias=False)
            self.head = torch.nn.Linear(self.width, VOCABULARY)

        def forward(self, frames):  # (batch, time, rows, columns, channels)
            # Permuted, they lie in memory with the channels last, which PyTorch's convolutions keep.
            read = self.read(frames.flatten(0, 1).permute(0, 3, 1, 2)).unflatten(0, frames.shape[:2])
            h = c = torch.zeros(len(frames), self.width, *frames.shape[2:4]).to(memory_format=torch.channels_last)
            outputs = []
            for t in range(frames.shape[1]):
                i, f, g, o = (read[:, t] + self.recur(h)).chunk(4, dim=1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                outputs.append(h)
            return self.head(torch.stack(outputs, dim=1).permute(0, 1, 3, 4, 2))

    inputs, targets = image_batch(contest)
    network = Network().to(memory_format=torch.channels_last)
    return torch_steps(network, torch.from_numpy(inputs), torch.from_numpy(targets))


def torch_steps(network, inputs, targets) -> Callable[[], None]:
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)

    def step() -> None:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(inputs).flatten(0, -2), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        loss.item()

    return step


def gallery_generation(contest: Contest) -> Callable[[], None]:
    """Sampling with shared.decoding from the text app's own network."""
    from apps.text_generation.config import Config
    from apps.text_generation.model import build, step, zero_states
    from shared.decoding import Decoder

    config = Config(arch=contest.arch, units=units(contest), layers=contest.layers, embedding=EMBEDDING)
    model = build(config, {"vocabulary": ["?"] * VOCABULARY})
    decoder = Decoder(step(model), model.variables, VOCABULARY)
    logits, states = decoder.read(np.zeros((1, 1), np.int32), zero_states(model))
    return lambda: list(decoder.sample(logits, states, STREAMED, seed=1))


def streamed_characters(contest: Contest) -> Callable[[], None]:
    """One layer between an embedding and a softmax, step by step in one compiled loop."""
    import keras

    from shared.decoding import Decoder

    embedding, layer = keras.layers.Embedding(VOCABULARY, EMBEDDING), keras_layer(contest, ours=True)
    head = keras.layers.Dense(VOCABULARY)
    first = np.zeros((1, 1), np.int32)
    head(layer(embedding(first)))

    def step(tokens, states):
        x, states = layer.step(embedding(tokens), states)
        return head(x), states

    variables = [variable for part in (embedding, layer, head) for variable in part.variables]
    decoder = Decoder(step, variables, VOCABULARY)
    logits, states = decoder.read(first, layer.get_initial_state(1))
    return lambda: list(decoder.sample(logits, states, STREAMED, seed=1))


def streamed_frames(contest: Contest) -> Callable[[], None]:
    """One convolutional layer, a call for each frame, as a camera would have it."""
    import tensorflow as tf

    layer = keras_layer(contest, ours=True, kernel_size=3)
    layer.build((1, None, *IMAGE))
    step = tf.function(layer.step, autograph=False)
    frame = tf.random.normal((1, *IMAGE))

    def turn() -> None:
        states = layer.get_initial_state(1)
        for _ in range(FRAMES):
            output, states = step(frame, states)
        output.numpy()

    return turn


def keras_network(contest: Contest, stateful: bool):
    import keras

    tokens = keras.Input((1,), batch_size=1, dtype="int32")
    x = keras.layers.Embedding(VOCABULARY, EMBEDDING)(tokens)
    for _ in range(contest.layers):
        kind = getattr(keras.layers, NATIVE[contest.arch])
        x = kind(units(contest), return_sequences=True, stateful=stateful)(x)
    return keras.Model(tokens, keras.layers.Dense(VOCABULARY)(x))


def predict_generation(contest: Contest) -> Callable[[], None]:
    """What Keras's tutorials do: `model.predict` for each character."""
    model = keras_network(contest, stateful=True)
    random = np.random.default_rng(0)

    def write() -> None:
        token = np.zeros((1, 1), np.int32)
        for _ in range(steps(contest, "keras predict")):
            logits = model.predict(token, verbose=0)[0, 0].astype(float)
            chances = np.exp(logits - logits.max())
            token[0, 0] = random.choice(VOCABULARY, p=chances / chances.sum())

    return write


def cells_generation(contest: Contest) -> Callable[[], None]:
    """A plain loop over Keras's cells, compiled by XLA as a whole."""
    import keras
    import tensorflow as tf

    model = keras_network(contest, stateful=False)
    embedding, *layers, head = [layer for layer in model.layers if layer.weights]

    @tf.function(jit_compile=True)
    def write(seed):
        def body(index, token, states, written):
            x, after = embedding(token), []
            for layer, state in zip(layers, states, strict=True):
                x, state = layer.cell(x, state)
                after.append(list(state))
            uniform = tf.random.stateless_uniform((1, VOCABULARY), seed=tf.stack([seed, index]))
            token = tf.argmax(head(x) - tf.math.log(-tf.math.log(uniform)), axis=-1, output_type=tf.int32)
            return index + 1, token, after, tf.tensor_scatter_nd_update(written, [[index]], token)

        count = STREAMED
        zeros = [[tf.zeros((1, layer.units))] * len(layer.state_size) for layer in layers]
        start = (0, tf.zeros((1,), tf.int32), zeros, tf.zeros((count,), tf.int32))
        return tf.while_loop(lambda index, *_: index < count, body, start)[3]

    return lambda: keras.ops.convert_to_numpy(write(tf.constant(1)))


def matrix_products(contest: Contest) -> Callable[[], None]:
    """The machine's best: square float32 products, on as many threads as TensorFlow takes."""
    del contest
    import tensorflow as tf

    left, right = (tf.random.normal((SIDE, SIDE)) for _ in range(2))
    return lambda: [tf.matmul(left, right).numpy() for _ in range(PRODUCTS)]


def make(contest: Contest, contestant: str) -> Callable[[], None]:
    """One turn of the contestant, ready to be timed."""
    if contestant == "matrix product":
        return matrix_products(contest)
    if contestant.startswith("torch"):
        return (torch_image_training if contest.arch in IMAGE_ARCHITECTURES else torch_training)(contest)
    if contest.time == 1 and contest.budget:
        return streamed_frames(contest) if contest.arch in IMAGE_ARCHITECTURES else streamed_characters(contest)
    if contest.time == 1:
        kinds = {"keras predict": predict_generation, "keras cells": cells_generation}
        return kinds.get(contestant, gallery_generation)(contest)
    if contestant == "keras, our settings":
        import shared.layers.backend  # noqa: F401  importing it makes the process keep its memory
    if contest.arch in IMAGE_ARCHITECTURES:
        return image_training(contest, ours=contestant == "gallery")
    recompute = int(contestant.split("recompute ")[1]) if "recompute" in contestant else 0
    return keras_training(contest, contestant.startswith("gallery"), recompute)


def main(contest: str, contestant: str) -> None:
    """Two turns to warm up, then one for each line; the last line printed is the peak memory in MiB."""
    turn = make(CONTESTS[contest], contestant)
    turn()
    turn()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        turn()
        print(time.perf_counter() - start, flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
