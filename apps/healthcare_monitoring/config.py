"""The app's settings and recipes."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from shared import InputError, settings
from shared.layers import VECTOR_ARCHITECTURES
from shared.settings import Count, Fraction, NotNegative, Positive, Seed, Share, Whole, one_of

APP = str(__package__).rpartition(".")[2]  # the folder's name, so that a copied app has its own runs
# Statistics of all values of a variable so far: last, mean, lowest and highest value, log(1 + number of values), and
# an exponentially weighted mean.
SUMMARIES = ("last", "mean", "low", "high", "count", "recent")
SHORT = SUMMARIES[:5]


@dataclass(frozen=True)
class Config:
    """Settings of the data, the network and its training."""

    # builtin, physionet2012, pbc2, or the path of a CSV file with the columns patient, time, variable, value
    data: str = "builtin"
    # CSV file with the columns patient, outcome (0 = none, 1, 2, ...) and, for times to event, time; by default
    # outcomes.csv in the folder of your own --data
    outcomes: str = ""
    # CSV file with the measurements of the validation patients; by default a share of the patients in --data
    valid: str = ""
    # their outcomes; by default outcomes.csv in the folder of --valid
    valid_outcomes: str = ""
    # CSV file with the measurements of the test patients; by default a fold of the patients in --data
    test: str = ""
    # their outcomes; by default outcomes.csv in the folder of --test
    test_outcomes: str = ""
    # use at most this many patients, spread evenly over the source; 0 = all
    max_examples: Whole = 0
    # width of a time step, in the data's unit of time; 0 = one step for each visit
    step: NotNegative = 1.0
    # ignore measurements after this time, in the data's unit of time; 0 = use all
    window: NotNegative = 24.0
    # number of intervals predicted at each step; 1 if outcomes have no times
    intervals: Count = 1
    # width of a predicted interval, in the data's unit of time; 0 if outcomes have no times
    interval: NotNegative = 0.0
    # number of folds that the patients are split into, stratified by outcome
    fold_count: Annotated[int, Ge(3)] = 5
    # which fold is the test part, from 0
    fold: Whole = 0
    # share of the other patients held out for validation, for early stopping and the alarm threshold
    valid_fraction: Fraction = 0.15
    # architecture of the recurrent layers
    arch: Annotated[str, *one_of(VECTOR_ARCHITECTURES)] = "gru"
    # width of each recurrent layer of each network in the ensemble
    units: Count = 32
    # parameters of the whole ensemble, from which --units is computed; 0 = use --units
    params: Whole = 0
    # number of recurrent layers
    layers: Count = 1
    # number of networks trained in parallel, whose probabilities are averaged
    ensemble_size: Count = 2
    # width of the dense layer that reads summary statistics of the past; 0 = no such layer
    summary_units: Whole = 16
    # which statistics of each variable it reads: last mean low high count recent
    summaries: tuple[Annotated[str, *one_of(SUMMARIES)], ...] = SHORT
    # knots, in standard deviations, of piecewise linear terms from the statistics to the output; by default none
    knots: tuple[float, ...] = ()
    # L2 penalty on the weights of these terms
    knots_l2: NotNegative = 0.04
    # dropout rate before the dense layer of the summary and before the output
    dropout: Share = 0.3
    # share of a patient's loss spread over all steps before the last, to favour early prediction
    early_share: Share = 0.3
    # patients in a batch
    batch_size: Count = 64
    # passes over the training patients
    epochs: Count = 20
    # early stopping: epochs without a better validation loss before training ends; 0 = off
    patience: Whole = 5
    # peak learning rate, followed by cosine decay to zero
    learning_rate: Positive = 3e-3
    # weight decay of AdamW, multiplied by the learning rate
    weight_decay: NotNegative = 0.1
    # gradient clipping: largest global norm
    clip_norm: Positive = 1.0
    # false-alarm rate on validation patients without the outcome, at the ends of steps, which sets the alarm threshold
    false_alarm_rate: Fraction = 0.1
    # seed of initial weights, dropout and the order of the patients; with builtin data also of the patients themselves
    seed: Seed = 1

    def __post_init__(self) -> None:
        """Rejects invalid settings early."""
        settings.check(self)
        if not self.summaries:
            raise InputError(f"--summaries: expected some of {', '.join(SUMMARIES)}; received none")
        if self.fold >= self.fold_count:
            raise InputError(f"--fold: expected less than --fold-count {self.fold_count}; received {self.fold}")
        if self.fold and self.test:
            raise InputError(f"--fold: expected 0 with --test, whose patients are the test part; received {self.fold}")
        for part in ("valid", "test"):
            if getattr(self, f"{part}_outcomes") and not getattr(self, part):
                raise InputError(f"--{part}-outcomes: expected with --{part} only")
        if self.intervals > 1 and not self.interval:
            raise InputError(f"--intervals: expected 1 without --interval; received {self.intervals}")


DEFAULT = Config()
SMOKE = Config(max_examples=300, step=2.0, units=8, ensemble_size=1, epochs=2)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; other options override its settings.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # times in hours
    "physionet2012": Config(
        data="physionet2012",
        step=2.0,
        window=48.0,
        units=16,
        ensemble_size=3,
        summaries=SUMMARIES,
        knots=(-1.0, 0.0, 1.0),
        dropout=0.5,
        early_share=0.1,
        epochs=12,
        patience=0,  # the validation loss is noisy until the learning rate has decayed
        learning_rate=4e-3,
    ),
    # times in weeks
    "pbc2": Config(
        data="pbc2",
        step=0.0,
        window=0.0,
        intervals=12,
        interval=52.0,
        ensemble_size=4,
        early_share=0.9,
    ),
}
