"""The command-line options of each verb."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, MissingFileError, files, settings
from shared.cli import Verbs
from shared.data import catalogue
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import Count, NotNegative, Whole, chosen, one_of
from shared.trials import Folds

from .config import DEFAULT, OWN, PUBLIC, RECIPES, Config, Rate


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with the baselines, and save it. The same command again continues."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # number of trainings
    trials: Folds = Folds()

    def check(self) -> None:
        """Raises InputError if the data set is not available, before a backend is loaded."""
        catalogue.check(self.config.data, PUBLIC, OWN)


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Measure a trained run on its test set or on other recordings, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # folder of other recordings with a CSV file of transcripts; by default the run's own test set
    data: str | None = None
    # write the figures, averaged over runs that differ only in seed or fold, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects options that cannot be combined."""
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
        catalogue.check(self.config.data, PUBLIC, OWN)


@dataclass(frozen=True)
class Decoding:
    """How transcripts are searched for."""

    # width of the prefix beam search; by default that of the run; 0 = greedy decoding
    beam: Whole | None = None
    # number of transcripts of each recording, best first
    nbest: Count = 1
    # words that the search should prefer
    hot_words: tuple[str, ...] = ()
    # bonus of each hot word, in nats
    hot_bonus: NotNegative = 4.0

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)
        if self.beam == 0 and (self.nbest > 1 or self.hot_words):
            raise InputError("--beam: expected at least 1 with --nbest or --hot-words; 0 is greedy, without a search")


@dataclass(frozen=True)
class Predict(OfRun):
    """Transcribe recordings, with the time and the confidence of each word."""

    # WAV, FLAC or OGG files, or folders of them
    recordings: Positional[tuple[str, ...]] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # how transcripts are searched for
    decoding: Decoding = Decoding()
    # print one JSON object for each recording instead of text
    json: bool = False
    # also write subtitles next to each recording: my.srt for my.wav
    srt: bool = False
    # draw spectrogram, alignment and symbol probabilities to this PNG file; one recording only
    picture: str | None = None

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)
        if self.recordings is not MISSING and not self.recordings:
            raise InputError("RECORDINGS: expected at least one file or folder; received none")

    def check(self) -> None:
        """Raises InputError if the run does not exist or the picture cannot be written."""
        super().check()
        if self.picture:
            files.check_picture(self.picture, "--picture")


@dataclass(frozen=True)
class Stream(OfRun):
    """Transcribe live audio: raw 16-bit little-endian mono samples. Needs a run trained with --streaming."""

    # file of raw samples; - for standard input
    feed: Positional[str] = "-"
    # the run's name; by default the newest
    run: str | None = None
    # sample rate of the feed in Hz; by default that of the run
    rate: Rate | None = None
    # keep reading what is appended to the file, until Ctrl-C
    follow: bool = False
    # state file: read at the start if it exists, written at the end; of a file, the samples heard are skipped
    state: str | None = None

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)

    def check(self) -> None:
        """Raises InputError if the run or the feed does not exist, or the state cannot be written."""
        super().check()
        if self.feed != "-" and not os.path.isfile(self.feed):
            raise MissingFileError(
                f"{self.feed}: expected a file of raw samples, or - for standard input; there is none"
            )
        if self.state:
            files.check_output(self.state, "--state")


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""

    # how transcripts are searched for, unless a request says otherwise
    decoding: Decoding = Decoding()


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each verb, its default options and the function that runs it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=chosen(RECIPES, words)), "check_data:check_data"),
        "predict": (Predict(), "predict:predict", "transcribe"),
        "stream": (Stream(), "live:stream"),
        "serve": (Serve(), "serve:serve"),
    }
