"""Every setting of the app, and the recipes measured in its README."""

import dataclasses
import difflib
import shlex
from dataclasses import dataclass

from tyro.conf import Positional

from shared import InputError
from shared.layers import SEQUENCE_ARCHITECTURES

from .tasks import BUILTIN, TASKS

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
SUITED = SEQUENCE_ARCHITECTURES


@dataclass(frozen=True)
class Config:
    """What is remembered, by which network, and how it is trained."""

    # the task: adding, copy, sequential_digits or permuted_digits; builtin = adding
    data: str = BUILTIN
    # steps: of the whole sequence (adding, digits: 64 pixels, then blanks), between message and answer (copy)
    length: int = 100
    # copy: train on short lags first, and double them until they are --length half way through the epochs
    curriculum: bool = False
    # recurrent architecture: elman, lstm, gru, mingru, ...
    arch: str = "gru"
    # parameters of the whole network; its width is solved for, so that architectures meet on equal terms
    params: int = 20_000
    # width of the layer (ReLU) that reads each step alone before the recurrent ones; 0 = none
    reader: int = 32
    # how many recurrent layers
    layers: int = 1
    # sequences in a batch
    batch_size: int = 32
    # batches of fresh sequences in an epoch, after which validation is measured; digits: one pass over them
    steps: int = 100
    # at most so many epochs; training stops when validation is solved
    epochs: int = 30
    # Adam's learning rate at the start; it falls along a cosine to zero in the last epoch
    learning_rate: float = 1e-2
    # largest norm of the whole gradient
    clip_norm: float = 1.0
    # epochs without a better validation figure before training ends; 0 = never
    patience: int = 0
    # seed of initial weights and of all made sequences
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        if self.data == "builtin":  # one name for one thing: the run's folder is made of it
            object.__setattr__(self, "data", BUILTIN)
        if self.data not in TASKS:
            near = difflib.get_close_matches(self.data, TASKS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(f"--data: expected builtin, {', '.join(TASKS)}; received {self.data!r}{hint}")
        if self.arch not in SUITED:
            raise InputError(f"--arch: expected one of {', '.join(SUITED)}; received {self.arch!r}")
        if self.length < (shortest := TASKS[self.data].shortest):
            raise InputError(f"--length: expected at least {shortest} for {self.data}; received {self.length}")
        if self.curriculum and self.data != "copy":
            raise InputError(f"--curriculum: expected with --data copy only; received with {self.data}")
        for name in ("params", "layers", "batch_size", "steps", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected at least 1; received {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise InputError(f"{_flag(name)}: expected more than 0; received {getattr(self, name)}")
        for name in ("reader", "patience", "seed"):
            if getattr(self, name) < 0:
                raise InputError(f"{_flag(name)}: expected 0 or more; received {getattr(self, name)}")


def _flag(name: str, value: object = "") -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}".rstrip()


DEFAULT = Config()
SMOKE = Config(length=10, params=5_000, steps=40, epochs=2)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other flag changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "adding": DEFAULT,
    "copy": Config(data="copy", length=10, curriculum=True, batch_size=64, epochs=40),
    "sequential_digits": Config(data="sequential_digits", length=64, epochs=60),
    "permuted_digits": Config(data="permuted_digits", length=64, epochs=60),
}


@dataclass(frozen=True)
class Train:
    """Train a network, say whether it solves the task, and save it. The same command again continues."""

    config: Config = DEFAULT
    # name of the run's folder; by default made from the settings
    run: str | None = None
    # start from the settings of this recipe: builtin, smoke, adding, copy, ...; by default that of --data
    recipe: str | None = None
    # start over where a run of that name exists
    fresh: bool = False
    # how many runs, with the seeds seed, seed + 1, ...
    seeds: int = 1


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run on its test sequences again, beside the simple baseline."""

    # the run's name; by default the newest
    run: str | None = None
    # write the figure to the app's results.json and README
    record: bool = False


@dataclass(frozen=True)
class Predict:
    """Ask a trained run: about a sequence of your own, or a new one."""

    # copy: ten letters from a to h; digits: a row of the test part, or a text file of 64 numbers from 0 to 16
    input: Positional[str] = ""
    # adding: numbers from 0 to 1 with commas between
    values: str = ""
    # adding: the two positions, counted from 0, whose values are to be added, with a comma between
    markers: str = ""
    # copy: steps between message and answer; by default as trained
    lag: int | None = None
    # where nothing of your own is given: makes a new sequence, by default another each time
    seed: int | None = None
    # the run's name; by default the newest
    run: str | None = None


@dataclass(frozen=True)
class Reach:
    """Show how many steps back a trained run's answer depends on the input, and its states and gates, as pictures."""

    # the run's name; by default the newest
    run: str | None = None


@dataclass(frozen=True)
class Sweep:
    """Train every architecture at every length with an equal number of parameters. What is done is not done again."""

    config: Config = DEFAULT
    # architectures to compare; by default all that suit
    archs: tuple[str, ...] = SUITED
    # lengths to try; by default those of the task
    lengths: tuple[int, ...] = ()
    # runs of each, with the seeds seed, seed + 1, ...; more than one give a standard deviation
    seeds: int = 1
    # start from the settings of this recipe; by default that of --data
    recipe: str | None = None
    # write the figures to the app's results.json and README
    record: bool = False


def command(config: Config) -> str:
    """The command line that trains with these settings: the task's recipe, and a flag for each difference."""
    return " ".join([f"python -m {__package__} train", *flags(config)])


def flags(config: Config, left_out: tuple[str, ...] = ()) -> list[str]:
    """--data and a flag for each other setting that differs from the recipe of that name."""
    start = dataclasses.asdict(recipe(None, config.data))
    changed = {name: value for name, value in dataclasses.asdict(config).items() if value != start[name]}
    return [
        f"--data {shlex.quote(config.data)}",
        *(_flag(name, value) for name, value in changed.items() if name not in ("data", *left_out)),
    ]


def recipe(name: str | None, data: str) -> Config:
    """The settings that the flags start from: those of `name`, else those of the data, else the default's."""
    if name is not None and name not in RECIPES:
        raise InputError(f"--recipe: expected one of {', '.join(RECIPES)}; received {name!r}")
    return RECIPES[name] if name else RECIPES.get(data, DEFAULT)
