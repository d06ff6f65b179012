"""Every setting of the understanding, and the verbs' options; those of the small talk are in smalltalk/config.py."""

import dataclasses
import shlex
from dataclasses import dataclass
from typing import Any

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError
from shared.layers import SEQUENCE_ARCHITECTURES

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
TAGGERS = ("crf", "softmax")


@dataclass(frozen=True)
class Config:
    """Which requests are understood, by which network, and how it is trained."""

    # builtin, snips, atis, a JSONL file, a folder with seq.in, seq.out and label; dailydialog or a .txt: small talk
    data: str = "builtin"
    # requests of your own beside those of --data: a JSONL file or such a folder
    more: str = ""
    # a Python file with skills of your own, whose patterns join the built-in ones
    skills: str = ""
    # a file or folder of the same form to test on; by default a tenth of --data where it has no test part
    test: str = ""
    # share of the training requests kept for validation, where the source has no such part
    valid_fraction: float = 0.1
    # of a longer request only so many tokens are read
    max_words: int = 48
    # rarer words are read by their letters alone
    min_count: int = 2
    # elman, lstm, gru, peephole_lstm, layernorm_lstm, indrnn, sru, mingru, minlstm, lru, rglru, slstm, tcn, attention
    arch: str = "lstm"
    # width of each recurrent layer, in each direction
    units: int = 64
    # how many recurrent layers
    layers: int = 1
    # width of the word vectors
    embedding: int = 64
    # filters that read a word's letters, three at a time; 0 = letters are not read
    letters: int = 32
    # how tags are chosen: crf weighs whole paths, softmax each tag alone
    tags: str = "crf"
    # how much the intent counts in the loss, beside the tags of the whole request
    intent_weight: float = 1.0
    # share of words that training takes for unknown, so that letters and neighbours have to tell
    word_dropout: float = 0.1
    # share of features dropped after the word vectors, one mask per request
    embedding_dropout: float = 0.2
    # share of features dropped after each recurrent layer, one mask per request, and before the answers
    dropout: float = 0.3
    # momentum of the weights' moving average, which is what is used; 0 = the last weights
    averaging: float = 0.99
    # requests in a batch
    batch_size: int = 32
    # lengths that requests are padded to; each is compiled once
    buckets: int = 2
    # passes over the training requests
    epochs: int = 7
    # highest learning rate; it rises over the first 5 % of the steps and falls along a cosine to zero
    learning_rate: float = 3e-3
    # AdamW's decay of the weights, as a share of the learning rate
    weight_decay: float = 0.01
    # largest norm of the whole gradient
    clip_norm: float = 1.0
    # epochs without a better validation figure before training ends; 0 = never
    patience: int = 0
    # "I'm not sure" is said below the confidence above which this share of the validation requests is right
    sure: float = 0.97
    # seed of initial weights, dropout and the order of the requests
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        for name, known in (("arch", SEQUENCE_ARCHITECTURES), ("tags", TAGGERS)):
            if getattr(self, name) not in known:
                raise InputError(f"--{name}: expected one of {', '.join(known)}; received {getattr(self, name)!r}")
        at_least(self, 1, "max_words", "min_count", "units", "layers", "embedding", "batch_size", "buckets", "epochs")
        at_least(self, 0, "letters", "weight_decay", "patience", "seed")
        positive(self, "intent_weight", "learning_rate", "clip_norm")
        shares(self, "word_dropout", "embedding_dropout", "dropout", "averaging")
        for name in ("valid_fraction", "sure"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{flag(name)}: expected 0 < share < 1; received {getattr(self, name)}")


def at_least(config: Any, least: int, *names: str) -> None:
    """InputError names the first of these settings that is smaller."""
    for name in names:
        if not getattr(config, name) >= least:
            raise InputError(f"{flag(name)}: expected at least {least}; received {getattr(config, name)}")


def positive(config: Any, *names: str) -> None:
    """InputError names the first of these settings that is not above 0."""
    for name in names:
        if not getattr(config, name) > 0:
            raise InputError(f"{flag(name)}: expected more than 0; received {getattr(config, name)}")


def shares(config: Any, *names: str) -> None:
    """InputError names the first of these settings that is not in [0, 1)."""
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise InputError(f"{flag(name)}: expected 0 <= share < 1; received {getattr(config, name)}")


def flag(name: str, value: object = None) -> str:
    """The setting as a command line has it."""
    return f"--{name.replace('_', '-')}" + ("" if value is None else f" {shlex.quote(str(value))}")


DEFAULT = Config()
SMOKE = Config(units=8, embedding=16, letters=8, batch_size=128, buckets=1, epochs=1)
PUBLIC = Config(
    units=128,
    embedding=128,
    letters=64,
    word_dropout=0.1,
    embedding_dropout=0.3,
    dropout=0.4,
    averaging=0.995,
    buckets=3,
    epochs=10,
    sure=0.98,
)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other flag changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "snips": dataclasses.replace(PUBLIC, data="snips"),
    # a third of the requests of snips, three times its intents
    "atis": dataclasses.replace(
        PUBLIC,
        data="atis",
        intent_weight=3.0,
        embedding_dropout=0.2,
        dropout=0.3,
        averaging=0.99,
        learning_rate=4e-3,
        epochs=14,
    ),
}


@dataclass(frozen=True)
class Train:
    """Train a network, say how good it is beside the simple methods, and save it. The same command again continues."""

    config: Config = DEFAULT
    # name of the run's folder; by default made from the settings
    run: str | None = None
    # start from the settings of this recipe: builtin, smoke, snips, atis; by default that of --data
    recipe: str | None = None
    # start over where a run of that name exists
    fresh: bool = False
    # how many runs, with the seeds seed, seed + 1, ...
    seeds: int = 1
    # write the figures to the app's results.json and README
    record: bool = False


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run on its test requests or dialogues, beside the simple methods."""

    # the run's name; by default the newest
    run: str | None = None
    # write the figures, over all runs that differ in seed alone, to the app's results.json and README
    record: bool = False


@dataclass(frozen=True)
class Understand:
    """Say what a request means: its intent, its slots, and how sure that is. Nothing is done."""

    # the request itself, the path of a text file with a request on each line, or - for standard input
    text: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # print JSON, one object on each line
    json: bool = False


@dataclass(frozen=True)
class Chat:
    """Talk with the assistant: it understands, acts and answers, one line at a time, until the input ends."""

    # the run that understands; by default the newest
    run: str | None = None
    # the run that makes small talk; by default the newest, if there is one
    talk: str | None = None
    # show what was understood, and how long it took
    debug: bool = False
    # the file that notes, reminders and timers are kept in; by default beside the runs
    memory: str = ""
    # a Python file with skills of your own; by default that of the run
    skills: str = ""
    # seed of dice, coins and small talk; by default new ones each time
    seed: int | None = None


def command(config: Any, start: Any, seeds: int = 1) -> str:
    """The command line that trains with these settings: the data, and a flag for each difference from `start`."""
    words = [f"python -m {__package__} train {flag('data', config.data)}"]
    for name, value in dataclasses.asdict(config).items():
        if name != "data" and value != getattr(start, name):
            words.append(flag(name, value))
    return " ".join(words + ([f"--seeds {seeds}"] if seeds > 1 else []))


def recipe(name: str | None, data: str) -> Config:
    """The settings that the flags start from: those of `name`, else those of the data, else the default's."""
    if name is not None and name not in RECIPES:
        raise InputError(f"--recipe: expected one of {', '.join(RECIPES)}; received {name!r}")
    return RECIPES[name] if name else RECIPES.get(data, DEFAULT)
