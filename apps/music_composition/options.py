"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le
from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, files, settings
from shared.cli import Verbs
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import Count, NotNegative, Seed, Top, Whole, chosen, one_of
from shared.trials import Seeds

from . import sources
from .config import DEFAULT, RECIPES, WRITTEN, Config

Bars = Annotated[int, Ge(1), Le(200)]
Tempo = Annotated[int, Ge(20), Le(400)]
Meter = Annotated[int, Ge(1), Le(12)]
Width = Annotated[int, Ge(1), Le(100)]  # beam width; wider beams are slow and no better


class Writing(OfRun):
    """Options of a command that writes a piece to the files named by `out`."""

    out: str

    def given(self) -> dict[str, str]:
        """Returns the files that it reads, keyed by description."""
        return {}

    def check(self) -> None:
        """Raises InputError if the run does not exist or a file cannot be written, before a backend is loaded."""
        super().check()
        if self.out:
            files.check_output(self.out, "--out")
            for suffix in WRITTEN:
                files.check_output(self.out + suffix, "--out", apart_from=self.given())


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with Markov chains, save it, and compose. Repeat the command to resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()

    def check(self) -> None:
        """Raises InputError if the data set is not available, before a backend is loaded."""
        sources.known(self.config.data)


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run, on its own pieces or on others, and compare the music it composes with the corpus."""

    # the run's name; by default the newest
    run: str | None = None
    # other music to evaluate on, a file or folder; no pieces are composed then
    data: str | None = None
    # number of pieces to compose and compare with the corpus
    pieces: Count = 20
    # number of test melodies to harmonise; 0 = all
    melodies: Whole = 0
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own test part")


@dataclass(frozen=True)
class CheckData(Report):
    """Say what is wrong with the data before training, and draw it; exit status 1 if results on it would mislead."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None

    def check(self) -> None:
        """Raises InputError if the data set is not available or the picture cannot be written."""
        super().check()
        sources.known(self.config.data)


@dataclass(frozen=True)
class Predict(Writing):
    """Compose a new piece: MIDI, MusicXML, WAV, a picture, and the score as text."""

    # the run's name; by default the newest
    run: str | None = None
    # number of bars
    bars: Bars = 16
    # the key, such as "G major" or "E minor"; by default sampled from the keys of the training pieces
    key: str = ""
    # quarter notes per bar
    meter: Meter = 4
    # sampling temperature: lower is more conservative; 0 = always the most probable token
    temperature: NotNegative = 1.0
    # nucleus sampling: sample from the fewest tokens that together have this probability
    top_p: Top = 0.92
    # random seed, for reproducible output; by default a new one each time
    seed: Seed | None = None
    # quarter notes per minute
    tempo: Tempo = 84
    # allow voices to leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # allow any last chord; by default the piece ends on the tonic chord of its key
    any_ending: bool = False
    # path of the output files, without suffix; by default in the run's folder
    out: str = ""
    # print JSON, one object with the notes; files are written with --out only
    json: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)


@dataclass(frozen=True)
class Harmonise(Writing):
    """Harmonise a given melody with alto, tenor and bass."""

    # the melody: a MusicXML, MIDI or ABC file; its highest voice is kept
    melody: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # beam width; 1 = sample with --temperature instead
    beam: Width = 8
    # sampling temperature, without beam search only: lower is more conservative
    temperature: NotNegative = 0.7
    # nucleus sampling: sample from the fewest tokens that together have this probability
    top_p: Top = 0.9
    # random seed, for reproducible output; by default a new one each time
    seed: Seed | None = None
    # quarter notes per minute
    tempo: Tempo = 84
    # the key, such as "G major"; by default estimated from the melody
    key: str = ""
    # allow voices to leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # allow any last chord; by default it is the tonic chord of the key, if that has the melody's last note
    any_ending: bool = False
    # path of the output files, without suffix; by default in the run's folder
    out: str = ""
    # print JSON, one object with the notes; files are written with --out only
    json: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)

    def given(self) -> dict[str, str]:
        """See the base class."""
        return {"the melody": self.melody}


@dataclass(frozen=True)
class Continue(Writing):
    """Continue the first bars of a given piece."""

    # the piece: a MusicXML, MIDI or ABC file
    primer: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # number of bars of the piece to keep
    keep: Count = 4
    # number of new bars
    bars: Bars = 12
    # sampling temperature: lower is more conservative; 0 = always the most probable token
    temperature: NotNegative = 1.0
    # nucleus sampling: sample from the fewest tokens that together have this probability
    top_p: Top = 0.92
    # random seed, for reproducible output; by default a new one each time
    seed: Seed | None = None
    # quarter notes per minute
    tempo: Tempo = 84
    # allow voices to leave their ranges, cross, and move in parallel fifths and octaves
    free: bool = False
    # allow any last chord; by default the piece ends on the tonic chord of its key
    any_ending: bool = False
    # path of the output files, without suffix; by default in the run's folder
    out: str = ""
    # print JSON, one object with the notes; files are written with --out only
    json: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)

    def given(self) -> dict[str, str]:
        """See the base class."""
        return {"the piece": self.primer}


@dataclass(frozen=True)
class Score(OfRun):
    """Print and plot how surprising a piece is to the network, bar by bar."""

    # the piece: a MusicXML, MIDI or ABC file, or the number of a chorale, such as bwv66.6
    piece: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=chosen(RECIPES, words)), "check_data:check_data"),
        "predict": (Predict(), "compose:compose", "compose"),
        "harmonise": (Harmonise(), "compose:harmonise"),
        "continue": (Continue(), "compose:go_on"),
        "score": (Score(), "surprise:score"),
        "serve": (Serve(), "serve:serve"),
    }
