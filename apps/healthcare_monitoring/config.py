"""Every setting of the app, and the recipes measured in its README."""

import dataclasses
import shlex
from dataclasses import dataclass

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError
from shared.layers import VECTOR_ARCHITECTURES

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
# What a summary may say of a variable: of its values until now the last, mean, lowest, highest, log(1 + their count),
# and a mean in which old ones fade.
SUMMARIES = ("last", "mean", "low", "high", "count", "recent")
SHORT = SUMMARIES[:5]


@dataclass(frozen=True)
class Config:
    """What is foretold, from which records, by which network, and how it is trained."""

    # builtin, physionet2012, pbc2, or the path of a CSV file: patient, time, variable, value
    data: str = "builtin"
    # of your own data: the CSV file patient, outcome (0 = none, 1, 2, ...) and, if patients were followed up, time
    outcomes: str = ""
    # width of one step in the data's unit of time; 0 = one step for each visit
    step: float = 1.0
    # what was measured after this time is not read; 0 = all is
    window: float = 24.0
    # what is foretold: the outcome in this many intervals of time from each step on; 1 where no times are known
    intervals: int = 1
    # width of one such interval in the data's unit of time
    interval: float = 0.0
    # of the patients, in this many stratified parts ...
    folds: int = 5
    # ... the one of this number, from 0, is the test
    fold: int = 0
    # share of the other patients that validates: it ends the training and sets the line of the alarm
    valid_fraction: float = 0.15
    # grud elman lstm gru peephole_lstm layernorm_lstm indrnn sru mingru minlstm lru rglru slstm tcn attention
    arch: str = "gru"
    # width of each recurrent layer
    units: int = 32
    # how many recurrent layers
    layers: int = 1
    # networks trained side by side, whose probabilities are averaged
    members: int = 2
    # width of the layer that reads the summary of all seen so far, beside the recurrent one; 0 = none
    summary: int = 16
    # what that says of each variable: last mean low high count recent
    summaries: tuple[str, ...] = SHORT
    # its values, in standard deviations, at which a risk straight from it may bend; without any there is no such risk
    knots: tuple[float, ...] = ()
    # penalty on the squared weights of that risk
    penalty: float = 0.04
    # share of features dropped of the summary, and before the answer
    dropout: float = 0.3
    # share of the loss that is due to the steps before the last; they teach the network to answer early
    earlier: float = 0.3
    # patients in a batch
    batch_size: int = 64
    # passes over the training patients, at most
    epochs: int = 20
    # epochs without a better validation loss before training ends; 0 = never
    patience: int = 5
    # highest learning rate; it falls along a cosine to zero
    learning_rate: float = 3e-3
    # AdamW's decay of the weights, as a share of the learning rate
    weight_decay: float = 0.1
    # largest norm of the whole gradient
    clip_norm: float = 1.0
    # share of validation patients without the outcome that may be alarmed; it sets the line of the alarm
    false_alarms: float = 0.1
    # seed of initial weights, dropout, order of the patients and, builtin, of the patients themselves
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        for name in ("summaries", "knots"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # JSON gives a list back
        if not self.summaries or not set(self.summaries) <= set(SUMMARIES):
            received = " ".join(self.summaries) or "none"
            raise InputError(f"--summaries: expected some of {' '.join(SUMMARIES)}; received {received}")
        if self.arch not in VECTOR_ARCHITECTURES:
            raise InputError(f"--arch: expected one of {', '.join(VECTOR_ARCHITECTURES)}; received {self.arch!r}")
        for name in ("intervals", "units", "layers", "members", "batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected at least 1; received {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise InputError(f"{_flag(name)}: expected more than 0; received {getattr(self, name)}")
        for name in ("step", "window", "interval", "summary", "penalty", "patience", "weight_decay", "seed"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{_flag(name)}: expected 0 or more; received {getattr(self, name)}")
        for name in ("dropout", "earlier"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected 0 <= share < 1; received {getattr(self, name)}")
        for name in ("valid_fraction", "false_alarms"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected 0 < share < 1; received {getattr(self, name)}")
        if self.folds < 3 or not 0 <= self.fold < self.folds:
            raise InputError(
                f"--folds, --fold: expected at least 3 and a number below it; received {self.folds} and {self.fold}"
            )


def _flag(name: str, value: object = "") -> str:
    words = map(str, value if isinstance(value, tuple) else (value,))
    return f"--{name.replace('_', '-')} {' '.join(words)}".rstrip()


DEFAULT = Config()
SMOKE = Config(units=8, members=1, epochs=2, step=2.0)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other flag changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "physionet2012": Config(
        data="physionet2012",
        step=2.0,
        window=48.0,
        units=16,
        members=3,
        summaries=SUMMARIES,
        knots=(-1.0, 0.0, 1.0),
        dropout=0.5,
        earlier=0.1,
        epochs=12,
        patience=0,  # the figure jumps until the learning rate has fallen
        learning_rate=4e-3,
    ),
    # times in weeks
    "pbc2": Config(
        data="pbc2",
        step=0.0,
        window=0.0,
        intervals=12,
        interval=52.0,
        members=4,
        earlier=0.9,
    ),
}


@dataclass(frozen=True)
class Train:
    """Train a network, say how good it is beside simple methods, and save it. The same command again continues."""

    config: Config = DEFAULT
    # name of the run's folder; by default made from the settings
    run: str | None = None
    # start from the settings of this recipe: builtin, smoke, physionet2012, pbc2; by default that of --data
    recipe: str | None = None
    # start over where a run of that name exists
    fresh: bool = False
    # train all folds, one run each, and give the mean over them
    all_folds: bool = False


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run on its test patients again, beside simple methods; and the mean if all folds are there."""

    # the run's name; by default the newest
    run: str | None = None
    # write the figures to the app's results.json and README
    record: bool = False


@dataclass(frozen=True)
class Predict:
    """The risk of one patient or several, and which variable raised it at what time."""

    # CSV file with the columns time, variable, value, and patient if there are several
    records: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # how many variables are named
    reasons: int = 5


@dataclass(frozen=True)
class Monitor:
    """The risk after each measurement of one patient, with an alarm."""

    # CSV file with the columns time, variable, value; - reads lines from standard input
    feed: Positional[str] = "-"
    # the run's name; by default the newest
    run: str | None = None
    # go on reading what is appended to the file, until Ctrl-C
    follow: bool = False
    # risk from which on there is an alarm; by default the line chosen on validation patients
    alarm: float | None = None


def command(config: Config, *more: str) -> str:
    """The command line that trains with these settings: the data's recipe, and a flag for each difference."""
    start = dataclasses.asdict(recipe(None, config.data))
    changed = {name: value for name, value in dataclasses.asdict(config).items() if value != start[name]}
    words = [f"python -m {__package__} train --data {shlex.quote(config.data)}"]
    quoted = {name: value if isinstance(value, tuple) else shlex.quote(str(value)) for name, value in changed.items()}
    words += [_flag(name, value) for name, value in quoted.items() if name != "data"]
    return " ".join([*words, *more])


def recipe(name: str | None, data: str) -> Config:
    """The settings that the flags start from: those of `name`, else those of the data, else the default's."""
    if name is not None and name not in RECIPES:
        raise InputError(f"--recipe: expected one of {', '.join(RECIPES)}; received {name!r}")
    return RECIPES[name] if name else RECIPES.get(data, DEFAULT)
