"""Every setting of the app, and the recipes."""

import dataclasses
import shlex
from dataclasses import dataclass

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError
from shared.layers import SEQUENCE_ARCHITECTURES

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
ATTENTIONS = ("luong", "bahdanau")
LEVELS = ("subwords", "words")


@dataclass(frozen=True)
class Config:
    """What is translated, by which network, and how it is trained."""

    # builtin, multi30k, tfds:ted_hrlr_translate/de_to_en, the path of a TSV file, or of the source sentences
    data: str = "builtin"
    # the file of the target sentences, if --data is one of source sentences, line by line
    target_file: str = ""
    # language to translate from, e.g. en; of builtin any locale that babel knows
    source: str = "en"
    # language to translate into
    target: str = "de"
    # what a token is: subwords (byte-pair encoding) or words
    level: str = "subwords"
    # tokens kept, of both languages together, most frequent first
    vocabulary: int = 1400
    # rarer characters (or words, of --level words) are not learned, and copied from the source
    min_count: int = 2
    # longer sentences are left out of training, and refused later
    max_tokens: int = 64
    # share of the pairs kept for validation, where the source has no such part
    valid_fraction: float = 0.1
    # share of the pairs kept for the test, where the source has no such part
    test_fraction: float = 0.1
    # of the encoder: elman, lstm, gru, peephole_lstm, layernorm_lstm, indrnn, sru, mingru, minlstm, lru, rglru, slstm,
    # tcn, attention
    arch: str = "gru"
    # width of each encoder layer in each direction, and of the decoder
    units: int = 128
    # how many encoder layers
    layers: int = 1
    # width of the token vectors, which both languages and the output share
    embedding: int = 96
    # how the decoder scores the source: luong (product) or bahdanau (sum)
    attention: str = "luong"
    # share of features dropped after the token vectors, one mask per sentence
    embedding_dropout: float = 0.0
    # share of features dropped after each encoder layer, one mask per sentence, and before the output
    dropout: float = 0.0
    # share of the probability that training spreads over all tokens
    label_smoothing: float = 0.0
    # momentum of the weights' moving average, which is what is used; 0 = the last weights
    averaging: float = 0.98
    # pairs in a batch
    batch_size: int = 48
    # lengths that pairs are padded to; each is compiled once
    buckets: int = 2
    # passes over the training pairs
    epochs: int = 11
    # highest learning rate; it rises over the first 5 % of the steps and falls along a cosine to zero
    learning_rate: float = 4e-3
    # AdamW's decay of the weights, as a share of the learning rate
    weight_decay: float = 0.0
    # largest norm of the whole gradient
    clip_norm: float = 1.0
    # epochs without a better validation BLEU before training ends; 0 = never
    patience: int = 0
    # seed of initial weights, dropout and the order of the pairs
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        known = {"arch": SEQUENCE_ARCHITECTURES, "attention": ATTENTIONS, "level": LEVELS}
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise InputError(f"--{name}: expected one of {', '.join(values)}; received {getattr(self, name)!r}")
        if self.source.lower() == self.target.lower():
            raise InputError(f"--source, --target: expected two languages; received {self.source!r} for both")
        if self.vocabulary < 100:
            raise InputError(f"--vocabulary: expected at least 100; received {self.vocabulary}")
        for name in ("min_count", "units", "layers", "embedding", "batch_size", "buckets", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected at least 1; received {getattr(self, name)}")
        if self.max_tokens < 8:
            raise InputError(f"--max-tokens: expected at least 8; received {self.max_tokens}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise InputError(f"{_flag(name)}: expected more than 0; received {getattr(self, name)}")
        for name in ("weight_decay", "patience", "seed"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{_flag(name)}: expected 0 or more; received {getattr(self, name)}")
        for name in ("embedding_dropout", "dropout", "label_smoothing", "averaging"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected 0 <= share < 1; received {getattr(self, name)}")
        if min(self.valid_fraction, self.test_fraction) <= 0 or self.valid_fraction + self.test_fraction >= 1:
            raise InputError(
                "--valid-fraction, --test-fraction: expected both above 0 and together below 1; "
                f"received {self.valid_fraction} and {self.test_fraction}"
            )


def _flag(name: str, value: object = "") -> str:
    return f"--{name.replace('_', '-')} {shlex.quote(str(value)) if value != '' else ''}".rstrip()


DEFAULT = Config()
SMOKE = Config(units=16, embedding=16, vocabulary=400, batch_size=128, buckets=1, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other flag changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    "multi30k": Config(
        data="multi30k",
        vocabulary=5000,
        min_count=5,
        units=320,
        embedding=256,
        embedding_dropout=0.3,
        dropout=0.4,
        label_smoothing=0.1,
        averaging=0.99,
        batch_size=80,
        buckets=4,
        epochs=20,
        learning_rate=2e-3,
        weight_decay=0.02,
    ),
}


@dataclass(frozen=True)
class Train:
    """Train a network, say how good it is beside simple methods, and save it. The same command again continues."""

    config: Config = DEFAULT
    # name of the run's folder; by default made from the settings
    run: str | None = None
    # start from the settings of this recipe: builtin, smoke, multi30k; by default that of --data
    recipe: str | None = None
    # start over where a run of that name exists
    fresh: bool = False
    # how many runs, with the seeds seed, seed + 1, ...
    seeds: int = 1


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run on its test sentences, beside the simple methods, with beams of several widths."""

    # the run's name; by default the newest
    run: str | None = None
    # widths of the beam; the first one's figures are the run's
    beams: tuple[int, ...] = (5, 1, 2, 10)
    # write the figures to the app's results.json and README
    record: bool = False


@dataclass(frozen=True)
class Search:
    """How a translation is looked for."""

    # translations kept while searching; 1 takes the likeliest token each time
    beam: int = 5
    # 0 = the likeliest translation, which is often too short; 1 = about the likeliest by the token
    length_penalty: float = 1.0
    # how much source tokens that were not attended to count against a translation
    coverage_penalty: float = 0.0
    # no run of so many tokens twice in a translation; 0 = no such rule
    block_ngrams: int = 0

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        if not 1 <= self.beam <= 100:
            raise InputError(f"--beam: expected 1 to 100; received {self.beam}")
        for name in ("length_penalty", "coverage_penalty", "block_ngrams"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{_flag(name)}: expected 0 or more; received {getattr(self, name)}")


@dataclass(frozen=True)
class Translate:
    """Translate a sentence, a file of them, or what you type."""

    # the sentence itself, the path of a text file with one on each line, or - for standard input; by default you type
    text: Positional[str] = ""
    # the run's name; by default the newest
    run: str | None = None
    # how a translation is looked for
    search: Search = Search()
    # print so many translations of each sentence, the best first, with their scores
    nbest: int = 1
    # draw where the decoder looked, for the first sentence, into this file (.png or .svg), for more numbered ones
    picture: str = ""


@dataclass(frozen=True)
class Score:
    """Rate given translations: the log-probability of each token."""

    # the source sentence, or the path of a TSV file of pairs
    text: Positional[str] = MISSING
    # its translation; not with a file
    translation: Positional[str] = ""
    # the run's name; by default the newest
    run: str | None = None


@dataclass(frozen=True)
class ServeLines:
    """Answer each line of standard input with its translation at once, and say at the end how long that took."""

    # the run's name; by default the newest
    run: str | None = None
    # how a translation is looked for
    search: Search = Search()


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
