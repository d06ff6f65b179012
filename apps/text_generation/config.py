"""Every setting of the app, and the recipes measured in its README."""

import dataclasses
import shlex
from dataclasses import dataclass

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError
from shared.layers import SEQUENCE_ARCHITECTURES

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own


@dataclass(frozen=True)
class Config:
    """What is trained, on what, and how."""

    # builtin, tinyshakespeare, ptb, tfds:NAME, or the path of a text file or of a folder of them
    data: str = "builtin"
    # what a token is: char or word
    level: str = "char"
    # largest vocabulary kept, most frequent first; 0 = all
    max_vocabulary: int = 0
    # share of the text kept for validation, where the source has no such part
    valid_fraction: float = 0.1
    # share of the text kept for a test at the very end, where the source has no such part
    test_fraction: float = 0.0
    # elman, lstm, gru, peephole_lstm, layernorm_lstm, indrnn, sru, mingru, minlstm, lru, rglru, slstm, tcn, attention
    arch: str = "lstm"
    # width of each recurrent layer
    units: int = 320
    # how many recurrent layers
    layers: int = 1
    # width of the token vectors
    embedding: int = 64
    # one matrix for the token vectors and for the output
    tied: bool = False
    # share of features dropped after the token vectors, one mask per sequence
    embedding_dropout: float = 0.0
    # share of features dropped after each recurrent layer, one mask per sequence
    dropout: float = 0.3
    # share of the recurrent weights dropped, the same ones for a whole window; not every architecture can
    weight_dropout: float = 0.0
    # tokens back-propagated through; the state is carried from window to window
    window: int = 64
    # texts read side by side
    batch_size: int = 32
    # passes over the training text
    epochs: int = 7
    # highest learning rate; it rises over the first 2 % of the steps and falls along a cosine to zero
    learning_rate: float = 1e-2
    # AdamW's decay of the weights, as a share of the learning rate
    weight_decay: float = 0.01
    # largest norm of the whole gradient
    clip_norm: float = 1.0
    # epochs without a better validation loss before training ends; 0 = never
    patience: int = 0
    # seed of initial weights, dropout and the order of the text
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        if self.arch not in SEQUENCE_ARCHITECTURES:
            raise InputError(f"--arch: expected one of {', '.join(SEQUENCE_ARCHITECTURES)}; received {self.arch!r}")
        if self.level not in ("char", "word"):
            raise InputError(f"--level: expected char or word; received {self.level!r}")
        for name in ("units", "layers", "embedding", "window", "batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected at least 1; received {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise InputError(f"{_flag(name)}: expected more than 0; received {getattr(self, name)}")
        for name in ("max_vocabulary", "weight_decay", "patience", "seed"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{_flag(name)}: expected 0 or more; received {getattr(self, name)}")
        if not 0 < self.valid_fraction < 1 - self.test_fraction <= 1:
            raise InputError(
                "--valid-fraction, --test-fraction: expected the first above 0, the second not below 0 and together "
                f"less than 1; received {self.valid_fraction} and {self.test_fraction}"
            )
        for name in ("dropout", "embedding_dropout", "weight_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected 0 <= share < 1; received {getattr(self, name)}")


def _flag(name: str, value: object = "") -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}".rstrip()


DEFAULT = Config()
SMOKE = Config(units=24, embedding=16, window=32, batch_size=16, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other flag changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # 3.5 M parameters
    "tinyshakespeare": Config(
        data="tinyshakespeare",
        units=512,
        layers=2,
        embedding=128,
        embedding_dropout=0.05,
        dropout=0.45,
        window=64,
        batch_size=64,
        epochs=13,
        learning_rate=3e-3,
        weight_decay=0.02,
    ),
    # 4.9 M parameters
    "ptb": Config(
        data="ptb",
        level="word",
        units=512,
        layers=2,
        embedding=256,
        tied=True,
        embedding_dropout=0.1,
        dropout=0.35,
        window=35,
        batch_size=32,
        epochs=10,
        learning_rate=8e-3,
        weight_decay=0.02,
    ),
}


@dataclass(frozen=True)
class Train:
    """Train a network, say how good it is beside an n-gram model, and save it. The same command again continues."""

    config: Config = DEFAULT
    # name of the run's folder; by default made from the settings
    run: str | None = None
    # start from the settings of this recipe: builtin, smoke, tinyshakespeare, ptb; by default that of --data
    recipe: str | None = None
    # start over where a run of that name exists
    fresh: bool = False
    # how many runs, with the seeds seed, seed + 1, ...
    seeds: int = 1


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run on its validation (and test) text, both ways, beside the n-gram model."""

    # the run's name; by default the newest
    run: str | None = None
    # write the figures to the app's results.json and README
    record: bool = False


@dataclass(frozen=True)
class Generate:
    """Write text in the manner of the training text."""

    # the run's name; by default the newest
    run: str | None = None
    # the text to continue; by default the start of a line
    prompt: str = ""
    # how many tokens (characters or words) to write
    length: int = 500
    # below 1 safer, above 1 wilder; 0 always takes the likeliest token
    temperature: float = 0.8
    # draw from the K likeliest tokens only; 0 = from all
    top_k: int = 0
    # draw from the likeliest tokens that together have this probability
    top_p: float = 1.0
    # the same seed writes the same text; by default a new one each time
    seed: int | None = None
    # print the text as it is written
    stream: bool = False
    # offer the likeliest next tokens at each step and let the user pick
    interactive: bool = False
    # how many tokens are offered
    offers: int = 5


@dataclass(frozen=True)
class Score:
    """Bits per character of any text, and a picture of where the network was surprised."""

    # the text itself, the path of a text file, or - for standard input
    text: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None


def command(config: Config) -> str:
    """The command line that trains with these settings: the data's recipe, and a flag for each difference."""
    start = dataclasses.asdict(recipe(None, config.data))
    words = [f"python -m {__package__} train --data {shlex.quote(config.data)}"]
    for name, value in dataclasses.asdict(config).items():
        if name != "data" and value != start[name]:
            words.append(_flag(name, value))
    return " ".join(words)


def recipe(name: str | None, data: str) -> Config:
    """The settings that the flags start from: those of `name`, else those of the data, else the default's."""
    if name is not None and name not in RECIPES:
        raise InputError(f"--recipe: expected one of {', '.join(RECIPES)}; received {name!r}")
    return RECIPES[name] if name else RECIPES.get(data, DEFAULT)
