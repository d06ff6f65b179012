"""The app's settings and recipes."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from shared import InputError, settings
from shared.layers import IMAGE_ARCHITECTURES
from shared.settings import Count, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
PATCH = 4  # side of the square patches that become channels, in pixels; frames are padded to a multiple of it

Unit = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, moving_mnist, tfds:NAME, or a video file (mp4, gif, avi, ...), a folder of them, or a folder of frames
    data: str = "builtin"
    # height and width of the training frames, in pixels; a multiple of 4
    size: Annotated[int, Ge(16), Le(512)] = 32
    # colour channels: 1 (grey) or 3 (red, green, blue)
    channels: Annotated[int, *one_of((1, 3))] = 1
    # number of input frames
    past: Annotated[int, Ge(2)] = 5
    # number of frames to predict
    future: Count = 5
    # number of digits in a frame, for builtin and moving_mnist
    digits: Count = 1
    # use at most this many sequences for an epoch, for validation and for test; 0 = the numbers below
    max_examples: Whole = 0
    # sequences in an epoch; builtin and moving_mnist generate new ones for each epoch
    sequences: Count = 1000
    # sequences to validate on
    valid_sequences: Count = 200
    # sequences to test on; builtin and moving_mnist generate them once, from a separate seed
    test_sequences: Count = 500
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(IMAGE_ARCHITECTURES)] = "convgru"
    # channels of each recurrent layer and of the convolution before them
    units: Count = 32
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Annotated[int, Ge(1), Le(8)] = 2
    # kernel size of the convolutions, in patches
    kernel: Annotated[int, *one_of((1, 3, 5, 7))] = 3
    # number of shifted copies of the previous frame (by up to 4 pixels) that a prediction is composed of; 0 = none
    motions: Annotated[int, Ge(0), Le(8)] = 1
    # also compose a prediction of the unshifted previous frame
    residual: bool = False
    # initial output bias of the generated pixels, as a logit: -4 starts black
    start: float = -4.0
    # share of the epochs, at the start, trained on the binary cross-entropy alone: it learns faster, but blurs
    first: Unit = 0.0
    # weight of the mean squared error in the loss
    mse: NotNegative = 5.0
    # weight of the mean absolute error in the loss
    l1: NotNegative = 0.5
    # weight of the binary cross-entropy in the loss, with pixels as probabilities
    bce: NotNegative = 0.0
    # weight of 1 - SSIM in the loss
    ssim: NotNegative = 0.1
    # weight in the loss of the frames predicted while reading the input frames
    past_weight: Unit = 0.2
    # scheduled sampling: initial probability that a true frame replaces the network's own prediction ...
    teacher: Unit = 0.5
    # ... which falls to zero within this share of the training
    teacher_until: Unit = 0.2
    # sequences in a batch
    batch_size: Count = 4
    # number of epochs, of --sequences each
    epochs: Count = 8
    # early stopping: epochs without a better validation loss before training ends; 0 = off
    patience: Whole = 0
    # peak learning rate: linear warm-up over the first 5 % of the steps, then cosine decay to zero
    learning_rate: Positive = 3e-3
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # momentum of the EMA of the weights, which is evaluated and saved; 0 = no EMA
    ema_momentum: Share = 0.98
    # seed of initial weights, of the training sequences and of scheduled sampling
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if self.size % PATCH:
            raise InputError(f"--size: expected a multiple of {PATCH}; received {self.size}")
        if not self.mse + self.l1 + self.bce + self.ssim:
            raise InputError("--mse, --l1, --bce, --ssim: expected a weight above 0 for one of them; received none")
        if self.data == "moving_mnist" and self.size < 32:
            raise InputError(f"--size: expected at least 32, since the digits have 28 pixels; received {self.size}")

    def count(self, wanted: int) -> int:
        """Limits a number of sequences to `max_examples`, if set."""
        return min(wanted, self.max_examples) if self.max_examples else wanted


DEFAULT = Config()
SMOKE = Config(max_examples=8, past=3, future=2, units=4, layers=1, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "moving_mnist": Config(
        data="moving_mnist",
        size=64,
        past=10,
        future=10,
        digits=2,
        test_sequences=1000,
        units=48,
        motions=2,
        first=0.5,
        l1=0.0,  # absolute error is lowest for the median, which is black almost everywhere
        epochs=16,
        learning_rate=2e-3,
        ema_momentum=0.99,
    ),
}
