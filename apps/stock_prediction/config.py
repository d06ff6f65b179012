"""The app's settings and recipes."""

import datetime
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
HORIZONS = (1, 5, 22)  # forecast horizons of the mean variance in trading days: a day, a week, a month
WARNING = "Not investment advice: for study and demonstration, never for decisions about money."


@dataclass(frozen=True)
class Config:
    """Settings of the data and its split in time, the network and its training."""

    # builtin, djia, or the path of a CSV file or of a folder of them, with the columns date, open, high, low, close,
    # optionally volume, and name if a file has several tickers
    data: str = "builtin"
    # use only the last N days; 0 = all
    max_examples: Whole = 0
    # first day of the test part, YYYY-MM-DD; by default the last --test-share of the days
    test_from: str = ""
    # share of the days in the test part, if --test-from is not given
    test_share: Fraction = 0.25
    # length in days of the blocks that the days before each test period are split into, for training or validation
    block_days: Annotated[int, Ge(2 * HORIZONS[-1])] = 84
    # every N-th of these blocks is for validation, the others for training
    valid_every: Annotated[int, Ge(2)] = 5
    # days before each test period on which the calibration factors of all methods are fitted
    calibration_days: Annotated[int, Ge(2 * HORIZONS[-1])] = 504
    # days from one refit to the next in the test part
    refit_days: Count = 504
    # days left out on both sides of a validation block, in addition to those that overlap because of the horizons
    embargo: Whole = 5
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # width of each recurrent layer of each network in the ensemble
    units: Count = 16
    # parameters of the whole ensemble, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Count = 1
    # number of networks trained in parallel, whose log variances are averaged
    ensemble_size: Count = 2
    # start from the pooled linear model on the same inputs, so that the network learns its residual
    skip: bool = True
    # dropout rate of the recurrent output, before the heads
    dropout: Share = 0.3
    # weight in the loss of the likelihood of the next return; the QLIKE of each horizon has weight 1
    return_weight: NotNegative = 0.1
    # weight in the loss of the cross-entropy of the next day's direction
    direction_weight: NotNegative = 0.1
    # length of a training sequence in days, each of them a training example
    chunk_days: Count = 63
    # days before it that the network reads first, to warm up its state
    context_days: Whole = 22
    # sequences in a batch
    batch_size: Count = 8
    # passes over the training days in each refit
    epochs: Count = 30
    # early stopping: epochs without a better validation QLIKE before training ends; 0 = off
    patience: Whole = 6
    # peak learning rate, followed by cosine decay to zero
    learning_rate: Positive = 3e-3
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.05
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # seed of initial weights, dropout and the order of the sequences
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if self.test_from:
            try:
                datetime.date.fromisoformat(self.test_from)
            except ValueError:
                raise InputError(f"--test-from: expected a day as YYYY-MM-DD; received {self.test_from!r}") from None


DEFAULT = Config()
SMOKE = Config(
    max_examples=1000,
    block_days=44,
    refit_days=150,
    units=4,
    ensemble_size=1,
    epochs=2,
    patience=0,
)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "djia": Config(
        data="djia",
        test_from="2015-01-01",
        refit_days=252,
        units=32,
        ensemble_size=4,
        chunk_days=126,
        batch_size=16,
        epochs=40,
        patience=8,
        learning_rate=1e-3,
    ),
}
