"""The options of each verb."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le
from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, settings
from shared.cli import Verbs
from shared.runs import OfRun
from shared.settings import Count, NotNegative, Top, Whole, chosen, one_of
from shared.trials import Seeds

from . import sources
from .config import DEFAULT, RECIPES, Config

Bars = Annotated[int, Ge(1), Le(200)]
Tempo = Annotated[int, Ge(20), Le(400)]
Meter = Annotated[int, Ge(1), Le(12)]


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with Markov chains, save it, and compose. The same command again continues."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()

    def check(self) -> None:
        """Refuses data that is not there, before a backend starts."""
        sources.known(self.config.data)


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Measure a trained run again, on its own pieces or on others, and compare its own music with the corpus."""

    # the run's name; by default the newest
    run: str | None = None
    # another file or folder of music to measure it on; no pieces are composed then
    data: str | None = None
    # how many pieces are composed to be compared with the corpus
    pieces: Count = 20
    # how many test melodies are harmonised; 0 = all
    melodies: Whole = 0
    # write the figures, averaged over all runs that differ in seed alone, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Refuses values that cannot work."""
        settings.check(self)
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own test part")


@dataclass(frozen=True)
class Predict(OfRun):
    """Write a new piece: MIDI, MusicXML, WAV, a picture, and the score as text."""

    # the run's name; by default the newest
    run: str | None = None
    # how many bars
    bars: Bars = 16
    # the key, such as "G major" or "E minor"; by default one that the training pieces have, drawn by the seed
    key: str = ""
    # quarter notes in a bar
    meter: Meter = 4
    # below 1 more conservative, above 1 more surprising; 0 = always the most probable token
    temperature: NotNegative = 1.0
    # nucleus sampling: draw from the most probable tokens that together have this probability
    top_p: Top = 0.92
    # the same seed gives the same piece; by default a new one each time
    seed: Whole | None = None
    # quarter notes a minute
    tempo: Tempo = 84
    # let the voices leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # the files' path without suffix; by default in the run's folder
    out: str = ""

    def __post_init__(self) -> None:
        """Refuses values that cannot work."""
        settings.check(self)


@dataclass(frozen=True)
class Harmonise(OfRun):
    """Write alto, tenor and bass to a given melody."""

    # the melody: a MusicXML, MIDI or ABC file; its highest voice is kept
    melody: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # width of the beam search; 1 = draw by temperature instead
    beam: Count = 8
    # below 1 more conservative, above 1 more surprising; without a beam only
    temperature: NotNegative = 0.7
    # nucleus sampling: draw from the most probable tokens that together have this probability
    top_p: Top = 0.9
    # the same seed gives the same piece; by default a new one each time
    seed: Whole | None = None
    # quarter notes a minute
    tempo: Tempo = 84
    # the key, such as "G major"; by default estimated from the melody
    key: str = ""
    # let the voices leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # the files' path without suffix; by default in the run's folder
    out: str = ""

    def __post_init__(self) -> None:
        """Refuses values that cannot work."""
        settings.check(self)


@dataclass(frozen=True)
class Continue(OfRun):
    """Continue a given piece from its beginning."""

    # the piece: a MusicXML, MIDI or ABC file
    primer: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # bars of it that are kept
    keep: Count = 4
    # bars written after them
    bars: Bars = 12
    # below 1 more conservative, above 1 more surprising; 0 = always the most probable token
    temperature: NotNegative = 1.0
    # nucleus sampling: draw from the most probable tokens that together have this probability
    top_p: Top = 0.92
    # the same seed gives the same piece; by default a new one each time
    seed: Whole | None = None
    # quarter notes a minute
    tempo: Tempo = 84
    # let the voices leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # the files' path without suffix; by default in the run's folder
    out: str = ""

    def __post_init__(self) -> None:
        """Refuses values that cannot work."""
        settings.check(self)


@dataclass(frozen=True)
class Score(OfRun):
    """How surprised the network is by a piece, bar by bar, and a picture of it."""

    # the piece: a MusicXML, MIDI or ABC file, or the number of a chorale, such as bwv66.6
    piece: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None


def verbs(words: Sequence[str]) -> Verbs:
    """Each verb with its default options and the function that does it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "predict": (Predict(), "compose:compose", "compose"),
        "harmonise": (Harmonise(), "compose:harmonise"),
        "continue": (Continue(), "compose:go_on"),
        "score": (Score(), "surprise:score"),
    }
