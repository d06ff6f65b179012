"""The app's settings and recipes."""

from dataclasses import dataclass
from typing import Annotated

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Positive, Seed, Whole, one_of

from .tasks import BUILTIN, TASKS

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
FEWEST_DIGITS = 20  # minimum per split; spread evenly, they include all ten classes


@dataclass(frozen=True)
class Config:
    """Settings of the task, the network and its training."""

    # the task; builtin is adding
    data: Annotated[str, *one_of(("builtin", *TASKS))] = BUILTIN
    # time steps: of the whole sequence (adding; digits: 64 pixels, then blanks), between message and answer (copy)
    length: Count = 100
    # use at most this many sequences for validation and test (digits: also for training), spread evenly; 0 = all
    max_examples: Whole = 0
    # copy: train on short lags first, and double them until they reach --length half way through the epochs
    curriculum: bool = False
    # recurrent architecture
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # parameters of the network, embedding tables not counted, from which the width of the recurrent layers is computed
    params: Count = 20_000
    # width of the recurrent layers; 0 = computed from --params
    units: Whole = 0
    # width of the dense layer (ReLU) applied to each step before the recurrent layers; 0 = none
    input_units: Whole = 32
    # number of recurrent layers
    layers: Count = 1
    # sequences in a batch
    batch_size: Count = 32
    # batches in an epoch, each of new sequences; digits: ignored, an epoch is one pass over the training digits
    steps_per_epoch: Count = 100
    # largest number of epochs; training stops once the task is solved on validation
    epochs: Count = 30
    # initial learning rate of Adam, with cosine decay to zero over all epochs
    learning_rate: Positive = 1e-2
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # early stopping: epochs without a better validation metric before training ends; 0 = off
    patience: Whole = 0
    # seed of initial weights and of all generated sequences
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if self.data == "builtin":  # a unique name, since runs and records are named after it
            object.__setattr__(self, "data", BUILTIN)
        if self.length < (shortest := TASKS[self.data].shortest):
            raise InputError(f"--length: expected at least {shortest} for {self.data}; received {self.length}")
        if self.curriculum and self.data != "copy":
            raise InputError(f"--curriculum: expected with --data copy only; received with {self.data}")
        fewest = max(self.batch_size, FEWEST_DIGITS)
        if self.data.endswith("digits") and 0 < self.max_examples < fewest:
            raise InputError(
                f"--max-examples: expected at least {fewest} digits, for whole batches and every class; "
                f"received {self.max_examples}"
            )


DEFAULT = Config()
SMOKE = Config(length=10, max_examples=200, params=5_000, steps_per_epoch=40, epochs=2)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "adding": DEFAULT,
    "copy": Config(data="copy", length=10, curriculum=True, batch_size=64, epochs=40),
    "sequential_digits": Config(data="sequential_digits", length=64, epochs=60),
    "permuted_digits": Config(data="permuted_digits", length=64, epochs=60),
}
