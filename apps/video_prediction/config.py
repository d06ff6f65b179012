"""Every setting of the app, and the recipes."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from shared import InputError, settings
from shared.layers import IMAGE_ARCHITECTURES
from shared.settings import Count, NotNegative, Positive, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
PATCH = 4  # pixels on a side of the patches that become channels; frames are padded to a multiple of it

Unit = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True)
class Config:
    """Which videos are predicted, by which network, and how it is trained."""

    # builtin, moving_mnist, tfds:NAME, or a video file (mp4, gif, avi, ...), a folder of them, or a folder of frames
    data: str = "builtin"
    # rows and columns of the frames that are trained on, in pixels; a multiple of 4
    size: Annotated[int, Ge(16), Le(512)] = 32
    # colour channels: 1 (grey) or 3 (red, green, blue)
    channels: Annotated[int, *one_of((1, 3))] = 1
    # frames that the network sees
    past: Annotated[int, Ge(2)] = 5
    # frames that it predicts
    future: Count = 5
    # digits in a frame, of builtin and moving_mnist
    digits: Count = 1
    # at most so many sequences in an epoch, in validation and in test; 0 = as many as below
    max_examples: Whole = 0
    # sequences in an epoch; builtin and moving_mnist make new ones for each
    sequences: Count = 1000
    # sequences to validate on
    valid_sequences: Count = 200
    # sequences to test on; builtin and moving_mnist make them once, from a seed of their own
    test_sequences: Count = 500
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(IMAGE_ARCHITECTURES)] = "convgru"
    # channels of each recurrent layer and of the convolution before them
    units: Count = 32
    # size of the whole network in parameters, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Annotated[int, Ge(1), Le(8)] = 2
    # rows and columns of the convolutions' kernels, in patches; odd
    kernel: Annotated[int, *one_of((1, 3, 5, 7))] = 3
    # motions: shifts of the frame before, by up to 4 pixels, that a predicted frame may be composed of; 0 = none
    motions: Annotated[int, Ge(0), Le(8)] = 1
    # a predicted frame may also be composed of the unmoved frame before
    residual: bool = False
    # output bias of the drawn part of a predicted frame, as a logit: -4 starts black
    start: float = -4.0
    # weight of the mean squared error in the loss
    mse: NotNegative = 5.0
    # weight of the mean absolute error in the loss
    l1: NotNegative = 0.5
    # weight of the binary cross-entropy in the loss, which reads pixels as probabilities
    bce: NotNegative = 0.0
    # weight of 1 - SSIM in the loss
    ssim: NotNegative = 0.1
    # weight in the loss of the frames that the network predicts while it still sees the true ones
    past_weight: Unit = 0.2
    # scheduled sampling: share of the true frames that replace its own predictions when training starts, ...
    teacher: Unit = 0.5
    # ... falling to none in this share of the training
    teacher_until: Unit = 0.2
    # sequences in a batch
    batch_size: Count = 4
    # passes over so many sequences
    epochs: Count = 8
    # early stopping: epochs without a better validation loss before training ends; 0 = off
    patience: Whole = 0
    # peak learning rate, reached after a twentieth of the steps and followed by cosine decay to zero
    learning_rate: Positive = 3e-3
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # momentum of the EMA of the weights, which is evaluated and saved; 0 = no EMA
    ema_momentum: Share = 0.98
    # seed of initial weights, of the training sequences and of scheduled sampling
    seed: Whole = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        settings.check(self)
        if self.size % PATCH:
            raise InputError(f"--size: expected a multiple of {PATCH}; received {self.size}")
        if not self.mse + self.l1 + self.bce + self.ssim:
            raise InputError("--mse, --l1, --bce, --ssim: expected a weight above 0 for one of them; received none")
        if self.data == "moving_mnist" and self.size < 32:
            raise InputError(f"--size: expected at least 32, since the digits have 28 pixels; received {self.size}")

    def count(self, wanted: int) -> int:
        """So many sequences, or fewer where `max_examples` says so."""
        return min(wanted, self.max_examples) if self.max_examples else wanted


DEFAULT = Config()
SMOKE = Config(max_examples=8, past=3, future=2, units=4, layers=1, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other option changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # an hour on two cores
    "moving_mnist": Config(
        data="moving_mnist",
        size=64,
        past=10,
        future=10,
        digits=2,
        test_sequences=1000,
        units=48,
        motions=2,
        epochs=30,
        learning_rate=2e-3,
        ema_momentum=0.99,
    ),
}
