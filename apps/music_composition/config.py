"""Every setting of the app, and the recipes measured in its README."""

import dataclasses
import shlex
from dataclasses import dataclass

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError
from shared.layers import SEQUENCE_ARCHITECTURES

from .tokens import FORMS

APP = str(__package__).rpartition(".")[2]  # the folder's name: a copy of it has runs of its own
STEPS = (1, 2, 4)


@dataclass(frozen=True)
class Config:
    """What is trained, on what, and how."""

    # builtin, jsb_chorales, nottingham, or the path of a folder of MIDI, MusicXML and ABC files, or of one of them
    data: str = "builtin"
    # how a frame is told: voices (new notes, held ones and rests of four voices) or roll (what sounds, from the top)
    form: str = "voices"
    # frames in a quarter note: 1, 2 or 4
    steps: int = 2
    # share of the pieces kept for validation, where the source has no such part
    valid_fraction: float = 0.1
    # share of the pieces kept for a test at the very end, where the source has no such part
    test_fraction: float = 0.1
    # use the first so many pieces of the source only; 0 = all
    most_pieces: int = 0
    # cut longer pieces into parts of so many frames
    longest: int = 160
    # train on each piece moved by a random number of semitones, where the voices' ranges allow
    transpose: bool = True
    # elman, lstm, gru, peephole_lstm, layernorm_lstm, indrnn, sru, mingru, minlstm, lru, rglru, slstm, tcn, attention
    arch: str = "lstm"
    # width of each recurrent layer
    units: int = 256
    # how many recurrent layers
    layers: int = 1
    # width of a frame's vector before the recurrent layers
    embedding: int = 192
    # width of the network that says each voice
    hidden: int = 256
    # share of the last frame's notes that the recurrent layers do not see
    input_dropout: float = 0.1
    # share of features dropped after each recurrent layer, one mask for the whole piece
    dropout: float = 0.3
    # share of features dropped in the network that says each voice
    head_dropout: float = 0.2
    # pieces in a batch
    batch_size: int = 16
    # passes over the training pieces
    epochs: int = 16
    # highest learning rate; it rises over the first 2 % of the steps and falls along a cosine to zero
    learning_rate: float = 4e-3
    # AdamW's decay of the weights, as a share of the learning rate
    weight_decay: float = 0.05
    # largest norm of the whole gradient
    clip_norm: float = 1.0
    # epochs without a better validation loss before training ends; 0 = never
    patience: int = 0
    # seed of initial weights, dropout, transposition and the order of the pieces
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuses values that cannot work, before any work starts."""
        for name, known in (("arch", SEQUENCE_ARCHITECTURES), ("form", FORMS), ("steps", STEPS)):
            if getattr(self, name) not in known:
                choices = ", ".join(map(str, known))
                raise InputError(f"--{name}: expected one of {choices}; received {getattr(self, name)!r}")
        for name in ("units", "layers", "embedding", "hidden", "batch_size", "epochs"):
            if getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected at least 1; received {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise InputError(f"{_flag(name)}: expected more than 0; received {getattr(self, name)}")
        for name in ("most_pieces", "weight_decay", "patience", "seed"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{_flag(name)}: expected 0 or more; received {getattr(self, name)}")
        if self.longest < 16:
            raise InputError(f"--longest: expected at least 16 frames; received {self.longest}")
        if min(self.valid_fraction, self.test_fraction) <= 0 or self.valid_fraction + self.test_fraction >= 1:
            raise InputError(
                "--valid-fraction, --test-fraction: expected both above 0 and together less than 1; "
                f"received {self.valid_fraction} and {self.test_fraction}"
            )
        for name in ("dropout", "input_dropout", "head_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{_flag(name)}: expected 0 <= share < 1; received {getattr(self, name)}")


def _flag(name: str, value: object = "") -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}".rstrip()


DEFAULT = Config()
SMOKE = Config(most_pieces=8, steps=1, units=24, embedding=24, hidden=32, batch_size=4, epochs=1)

# `--data NAME` or `--recipe NAME` starts from the recipe of that name; every other flag changes a setting of it.
RECIPES = {
    "builtin": DEFAULT,
    "smoke": SMOKE,
    # the built-in chorales for half an hour
    "builtin_long": Config(units=320, layers=2, dropout=0.5, head_dropout=0.3, epochs=60, learning_rate=3e-3),
    "jsb_chorales": Config(
        data="jsb_chorales",
        form="roll",
        steps=1,
        units=320,
        layers=2,
        embedding=256,
        hidden=320,
        dropout=0.5,
        head_dropout=0.3,
        epochs=150,
        learning_rate=3e-3,
    ),
    "nottingham": Config(data="nottingham", epochs=10),
}


@dataclass(frozen=True)
class Train:
    """Train a network, say how good it is beside Markov chains, save it, compose. The same command again continues."""

    config: Config = DEFAULT
    # name of the run's folder; by default made from the settings
    run: str | None = None
    # start from the settings of this recipe: builtin, builtin_long, smoke, jsb_chorales, nottingham
    recipe: str | None = None
    # start over where a run of that name exists
    fresh: bool = False
    # how many runs, with the seeds seed, seed + 1, ...
    seeds: int = 1


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run on its validation and test pieces beside Markov chains, and its music beside the corpus."""

    # the run's name; by default the newest
    run: str | None = None
    # how many pieces are composed to be compared with the corpus
    pieces: int = 20
    # how many test melodies are harmonised; 0 = all
    melodies: int = 0
    # write the figures to the app's results.json and README
    record: bool = False


@dataclass(frozen=True)
class Compose:
    """Write a new piece: MIDI, MusicXML, WAV, a picture, and the score as text."""

    # the run's name; by default the newest
    run: str | None = None
    # how many bars
    bars: int = 16
    # the key, such as "G major" or "E minor"; by default one that the training pieces have, drawn by the seed
    key: str = ""
    # quarter notes in a bar
    meter: int = 4
    # below 1 safer, above 1 wilder; 0 always takes the likeliest token
    temperature: float = 1.0
    # draw from the likeliest tokens that together have this probability
    top_p: float = 0.92
    # the same seed writes the same piece; by default a new one each time
    seed: int | None = None
    # quarter notes a minute
    tempo: int = 84
    # let the voices leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # the files' path without suffix; by default in the run's folder
    out: str = ""


@dataclass(frozen=True)
class Harmonise:
    """Write alto, tenor and bass to a given melody."""

    # the melody: a MusicXML, MIDI or ABC file; its highest voice is kept
    melody: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # hypotheses kept side by side; 1 draws one by temperature instead
    beam: int = 8
    # below 1 safer, above 1 wilder, where there is no beam
    temperature: float = 0.7
    # draw from the likeliest tokens that together have this probability
    top_p: float = 0.9
    # the same seed writes the same piece; by default a new one each time
    seed: int | None = None
    # quarter notes a minute
    tempo: int = 84
    # the key, such as "G major"; by default the one that the melody's notes fit best
    key: str = ""
    # let the voices leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # the files' path without suffix; by default in the run's folder
    out: str = ""


@dataclass(frozen=True)
class Continue:
    """Go on from the beginning of a given piece."""

    # the piece: a MusicXML, MIDI or ABC file
    primer: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # how many bars of it are kept
    keep: int = 4
    # how many bars are written after them
    bars: int = 12
    # below 1 safer, above 1 wilder; 0 always takes the likeliest token
    temperature: float = 1.0
    # draw from the likeliest tokens that together have this probability
    top_p: float = 0.92
    # the same seed writes the same piece; by default a new one each time
    seed: int | None = None
    # quarter notes a minute
    tempo: int = 84
    # let the voices leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # the files' path without suffix; by default in the run's folder
    out: str = ""


@dataclass(frozen=True)
class Score:
    """How surprised the network is by a piece, bar by bar, and a picture of it."""

    # the piece: a MusicXML, MIDI or ABC file, or the number of a chorale, such as bwv66.6
    piece: Positional[str] = MISSING
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
