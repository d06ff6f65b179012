"""The app's settings and recipes."""

from dataclasses import dataclass
from typing import Annotated

from shared import InputError, settings
from shared.layers import SEQUENCE_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
NETWORKS = ("segments", "encoder_decoder")
HEADS = ("point", "quantiles", "student_t", "negative_binomial")
# How each window is normalised before the network; a fixed setting, since validation ranks these wrongly
NORMALISATIONS = ("last", "window", "none")
WEIGHTINGS = ("equal", "mase")


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, etth1, etth2, exchange_rate, m4_hourly, or the path of a CSV file: in long format with the columns
    # unique_id, ds, y, or in wide format with a column of dates and one column per series
    data: str = "builtin"
    # columns of your file whose future values are known, such as a price or a holiday
    known: tuple[str, ...] = ()
    # columns of your file (long format) that are constant for each series, such as its region
    static: tuple[str, ...] = ()
    # length of a season in steps; 0 = derived from the dates, such as 24 for hourly data
    season: Whole = 0
    # number of steps to forecast
    horizon: Count = 26
    # number of past steps that the network reads
    lookback: Count = 104
    # number of past steps that the linear forecast reads; several forecasts are averaged; by default --lookback
    ridge_lookbacks: tuple[Count, ...] = ()
    # share of each series, at its end, in the test part; public data has a fixed split
    test_fraction: Fraction = 0.2
    # share of each series, before the test part, in the validation part
    valid_fraction: Fraction = 0.15
    # train on at most this many windows, spread evenly; 0 = all
    max_examples: Whole = 0
    # segments: a recurrent layer reads segments of the window; encoder_decoder: reads and predicts step by step
    network: Annotated[str, *one_of(NETWORKS)] = "segments"
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(SEQUENCE_ARCHITECTURES)] = "gru"
    # width of each recurrent layer
    units: Count = 64
    # parameters of the network, embedding tables not counted, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Count = 1
    # length of a segment in steps, in the past and in the future
    segment: Count = 13
    # width of the embeddings of position and series
    embedding: Count = 16
    # give the network the hour, the weekday and the day of the year
    calendar: bool = True
    # train the network on the residual of the linear forecast; --no-skip trains the network alone
    skip: bool = True
    # normalise each window by its last value (subtracted), by its mean and standard deviation (window), or not at all
    normalise: Annotated[str, *one_of(NORMALISATIONS)] = "last"
    # how much each series counts in the fit: all alike, or as in MASE by the inverse of its seasonal naive error
    weighting: Annotated[str, *one_of(WEIGHTINGS)] = "equal"
    # output: one value, quantiles, or the parameters of a distribution (negative_binomial is for counts)
    head: Annotated[str, *one_of(HEADS)] = "quantiles"
    # weight of the absolute error in the loss of the point head; the rest is the squared error
    absolute: Annotated[float, *one_of((0.0, 0.5, 1.0))] = 1.0
    # nominal coverage of the printed intervals
    coverage: Fraction = 0.9
    # rate at which intervals adapt to their recent coverage (Gibbs and Candes 2021); 0 = no adaptation
    adapt_rate: NotNegative = 0.005
    # dropout rate before the output
    dropout: Share = 0.1
    # windows in a batch
    batch_size: Count = 256
    # passes over the training windows
    epochs: Count = 12
    # batches in an epoch, sampled anew each time; 0 = every window once
    steps_per_epoch: Whole = 0
    # early stopping: epochs without a better validation loss before training ends; 0 = off
    patience: Whole = 4
    # peak learning rate, followed by cosine decay to zero
    learning_rate: Positive = 1e-3
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.01
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # momentum of the EMA of the weights, which is evaluated and saved; 0 = no EMA
    ema_momentum: Share = 0.0
    # seed of initial weights, dropout and the order of the windows
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if self.test_fraction + self.valid_fraction >= 1:
            raise InputError(
                f"--valid-fraction: expected less than 1 together with --test-fraction {self.test_fraction:g}; "
                f"received {self.valid_fraction:g}"
            )
        if self.segment > self.lookback:
            raise InputError(f"--segment: expected at most --lookback {self.lookback}; received {self.segment}")
        if self.head == "negative_binomial" and self.normalise == "window":
            raise InputError("--normalise: expected last or none with --head negative_binomial; received window")

    @property
    def reach(self) -> int:
        """The number of past steps that the model reads, counting both the network and the linear forecast."""
        return max(self.lookback, *self.linear)

    @property
    def linear(self) -> tuple[int, ...]:
        """The lookbacks of the linear forecast."""
        return self.ridge_lookbacks or (self.lookback,)


DEFAULT = Config()
SMOKE = Config(
    horizon=8,
    lookback=24,
    segment=8,
    units=6,
    embedding=4,
    max_examples=400,
    batch_size=64,
    epochs=2,
)
_ETT = Config(
    data="etth1",
    horizon=96,
    lookback=720,
    ridge_lookbacks=(336, 512, 720),
    segment=48,
    embedding=4,
    calendar=False,
    head="point",
    absolute=0.5,
    # A year of training data is little, and the next months differ: strong regularisation, few and small steps
    dropout=0.5,
    batch_size=512,
    epochs=6,
    patience=2,
    learning_rate=5e-4,
    ema_momentum=0.99,
)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "etth1": _ETT,
    "etth2": Config(**{**vars(_ETT), "data": "etth2"}),
    "exchange_rate": Config(**{**vars(_ETT), "data": "exchange_rate", "lookback": 96, "ridge_lookbacks": ()}),
    "m4_hourly": Config(
        data="m4_hourly",
        horizon=48,
        lookback=504,
        units=128,
        segment=24,
        embedding=8,
        normalise="window",
        weighting="mase",
        calendar=False,
        dropout=0.5,
        batch_size=512,
        steps_per_epoch=200,
        epochs=8,
        patience=0,
        learning_rate=5e-4,
        ema_momentum=0.99,
    ),
}
