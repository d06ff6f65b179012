"""Every setting of the app, and the recipes."""

import dataclasses
import shlex
from dataclasses import dataclass

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError
from shared.layers import SEQUENCE_ARCHITECTURES

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
POOLINGS = ("attention", "max", "both")
FOLDS = 10  # of data without a test part of their own


@dataclass(frozen=True)
class Config:
    """What is judged, by which network, and how it is trained."""

    # builtin, tweeteval, mr_polarity, tfds:NAME, or the path of a CSV, TSV or JSONL file
    data: str = "builtin"
    # keep examples with these labels only, e.g. negative positive; by default all
    labels: tuple[str, ...] = ()
    # the file's column of texts
    text_column: str = "text"
    # the file's column of labels
    label_column: str = "label"
    # a file of the same form to test on; by default a tenth of --data
    test: str = ""
    # which tenth is the test part, 0 to 9, where the source has none
    fold: int = 0
    # share of the training texts kept for validation, where the source has no such part
    valid_fraction: float = 0.1
    # of a longer text the first and the last words are read, so many together
    max_words: int = 64
    # words kept, most frequent first; 0 = all
    max_vocabulary: int = 0
    # rarer words and pieces are not learned
    min_count: int = 2
    # runs of 3 or 4 characters kept, most frequent first, by which words never seen are read too; 0 = none
    pieces: int = 0
    # file of word vectors (a word and its numbers on a line), or vader for that lexicon's valences; by default none
    vectors: str = ""
    # elman, lstm, gru, peephole_lstm, layernorm_lstm, indrnn, sru, mingru, minlstm, lru, rglru, slstm, tcn, attention
    arch: str = "gru"
    # width of each recurrent layer, in each direction
    units: int = 48
    # how many recurrent layers
    layers: int = 1
    # width of the word vectors
    embedding: int = 48
    # how the states of all words become one: attention, max or both
    pooling: str = "both"
    # share of words that training hides
    word_dropout: float = 0.1
    # share of features dropped after the word vectors, one mask per text
    embedding_dropout: float = 0.2
    # share of features dropped after each recurrent layer, one mask per text, and after the pooling
    dropout: float = 0.3
    # how much more a rare label's examples count: 0 = not, 1 = until all labels count the same
    balance: float = 1.0
    # momentum of the weights' moving average, which is what is used; 0 = the last weights
    averaging: float = 0.0
    # texts in a batch
    batch_size: int = 64
    # lengths that texts are padded to; each is compiled once
    buckets: int = 2
    # passes over the training texts
    epochs: int = 14
    # highest learning rate; it rises over the first 5 % of the steps and falls along a cosine to zero
    learning_rate: float = 3e-3
    # AdamW's decay of the weights, as a share of the learning rate
    weight_decay: float = 0.01
    # largest norm of the whole gradient
    clip_norm: float = 1.0
    # epochs without a better validation figure before training ends; 0 = never
    patience: int = 0
    # "not sure" is said below the confidence above which this share of the validation answers is right
    sure: float = 0.9
    # seed of initial weights, dropout and the order of the texts
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        object.__setattr__(self, "labels", tuple(self.labels))  # JSON gives a list back
        for name, known in (("arch", SEQUENCE_ARCHITECTURES), ("pooling", POOLINGS)):
            if getattr(self, name) not in known:
                raise InputError(f"--{name}: expected one of {', '.join(known)}; received {getattr(self, name)!r}")
        if len(set(self.labels)) == 1:
            raise InputError(f"--labels: expected two or more; received only {self.labels[0]}")
        for name in ("max_words", "min_count", "units", "layers", "embedding", "batch_size", "buckets", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected at least 1; received {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise InputError(f"{_flag(name)}: expected more than 0; received {getattr(self, name)}")
        for name in ("max_vocabulary", "pieces", "balance", "weight_decay", "patience", "seed"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{_flag(name)}: expected 0 or more; received {getattr(self, name)}")
        for name in ("word_dropout", "embedding_dropout", "dropout", "averaging"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected 0 <= share < 1; received {getattr(self, name)}")
        for name in ("valid_fraction", "sure"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected 0 < share < 1; received {getattr(self, name)}")
        if not 0 <= self.fold < FOLDS:
            raise InputError(f"--fold: expected 0 to {FOLDS - 1}; received {self.fold}")


def _flag(name: str, value: object = None) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is None:
        return flag
    return f"{flag} {shlex.join(map(str, value if isinstance(value, tuple) else (value,)))}"


DEFAULT = Config()
SMOKE = Config(units=8, embedding=16, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other flag changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # 1.8 M parameters
    "tweeteval": Config(
        data="tweeteval",
        max_words=48,
        min_count=3,
        pieces=12_000,
        vectors="vader",
        units=64,
        embedding=64,
        embedding_dropout=0.3,
        dropout=0.5,
        averaging=0.99,
        batch_size=128,
        buckets=4,
        epochs=4,
        weight_decay=0.02,
        sure=0.8,  # nine in ten would leave four tweets of five without an answer
    ),
    "mr_polarity": Config(
        data="mr_polarity",
        max_words=48,
        pieces=8_000,
        units=64,
        embedding=100,
        word_dropout=0.2,
        embedding_dropout=0.5,
        dropout=0.5,
        averaging=0.99,
        epochs=12,
        patience=3,
    ),
    # reviews are long; not measured yet
    "tfds:imdb_reviews": Config(
        data="tfds:imdb_reviews",
        max_words=256,
        max_vocabulary=30_000,
        units=64,
        embedding=64,
        embedding_dropout=0.3,
        dropout=0.5,
        averaging=0.99,
        buckets=3,
    ),
}


@dataclass(frozen=True)
class Train:
    """Train a network, say how good it is beside the simple methods, and save it. The same command again continues."""

    config: Config = DEFAULT
    # name of the run's folder; by default made from the settings
    run: str | None = None
    # start from the settings of this recipe: builtin, smoke, tweeteval, mr_polarity; by default that of --data
    recipe: str | None = None
    # start over where a run of that name exists
    fresh: bool = False
    # how many runs, with the seeds seed, seed + 1, ...
    seeds: int = 1
    # how many runs, with the folds fold, fold + 1, ...; 10 test on every text once
    folds: int = 1


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run on its validation and test texts, beside the simple methods."""

    # the run's name; by default the newest
    run: str | None = None
    # write the figures, over all runs that differ in seed or fold alone, to the app's results.json and README
    record: bool = False


@dataclass(frozen=True)
class Predict:
    """Say what a text expresses, with probabilities."""

    # the text, - for standard input, or a file: a text on each line, or CSV, TSV, JSONL with the column of the training
    text: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None


@dataclass(frozen=True)
class Explain:
    """Show which words moved the decision, as coloured text and as a picture."""

    # the text itself
    text: Positional[str] = MISSING
    # the label to explain; by default the likeliest
    label: str | None = None
    # the run's name; by default the newest
    run: str | None = None


@dataclass(frozen=True)
class Stream:
    """Answer each line of standard input as it comes, and say at the end how long the answers took."""

    # the run's name; by default the newest
    run: str | None = None


def command(config: Config, seeds: int = 1, folds: int = 1) -> str:
    """The command line that trains with these settings: the data's recipe, and a flag for each difference."""
    start = dataclasses.asdict(recipe(None, config.data))
    words = [f"python -m {__package__} train --data {shlex.quote(config.data)}"]
    for name, value in dataclasses.asdict(config).items():
        if name != "data" and value != start[name]:
            words.append(_flag(name, value))
    words += [f"--{name} {count}" for name, count in (("seeds", seeds), ("folds", folds)) if count > 1]
    return " ".join(words)


def recipe(name: str | None, data: str) -> Config:
    """The settings that the flags start from: those of `name`, else those of the data, else the default's."""
    if name is not None and name not in RECIPES:
        raise InputError(f"--recipe: expected one of {', '.join(RECIPES)}; received {name!r}")
    return RECIPES[name] if name else RECIPES.get(data, DEFAULT)
