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
from shared.settings import Whole, chosen, one_of
from shared.trials import Seeds

from . import sources
from .config import DEFAULT, RECIPES, Config

MOST = 1000  # frames to predict: beyond, nothing of the clip is left, and a request would block a server
Ahead = Annotated[int, Ge(0), Le(MOST)]  # number of frames to predict; 0 = as in training


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with the baselines, and save it. Repeat the command to resume."""

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
    """Evaluate a trained run, on its test sequences or on other clips, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # other clips to evaluate on: a video file, a folder of them or of frames; by default the run's test sequences
    data: str | None = None
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
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
        sources.known(self.config.data)


@dataclass(frozen=True)
class Predict(OfRun):
    """Predict the next frames of clips; writes a GIF and an mp4 of input, prediction, truth and error side by side."""

    # video files (mp4, gif, avi, ...), or folders of frames
    clips: Positional[tuple[str, ...]] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # number of frames to predict; by default as in training
    frames: Ahead = 0
    # predict the frames after this one, counted from 1; by default the latest one that leaves true frames to compare
    at: Whole = 0
    # predict repeatedly, from the beginning of the clip to its end
    all: bool = False
    # scale frames to a shorter side of this many pixels; 0 = as in training for clips, otherwise unscaled
    side: Whole = 0
    # output folder; by default that of the run
    out: str | None = None
    # frames per second of the output; by default as in the clip
    fps: Annotated[float, Ge(0.1), Le(1000)] | None = None
    # print the frames after the end of each clip as one JSON object, and write no videos
    json: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)
        if self.clips is not MISSING and not self.clips:
            raise InputError("CLIPS: expected at least one video file or folder of frames; received none")
        if self.all and self.at:
            raise InputError("--all: expected without --at, since it predicts from every part of the clip")
        if self.json and (self.at or self.all or self.side or self.out or self.fps):
            raise InputError("--json: expected without --at, --all, --side, --out and --fps, since no video is written")


@dataclass(frozen=True)
class Stream(OfRun):
    """Predict frame by frame while the video comes in; prints the error of past predictions."""

    # a folder of frames, a video file, or - for raw frames with 8 bits per channel on standard input
    feed: Positional[str] = "-"
    # the run's name; by default the newest
    run: str | None = None
    # number of frames to predict ahead; by default as in training
    frames: Ahead = 0
    # height of the raw frames on standard input; by default as in training
    rows: Whole = 0
    # width of the raw frames on standard input; by default as in training
    columns: Whole = 0
    # wait for new frames in the folder, until Ctrl-C
    follow: bool = False
    # PNG file with the newest frame and its predicted successors, rewritten after each frame
    picture: str | None = None
    # file to save the state in at the end, and to resume from if it exists
    state: str | None = None
    # stop after this many frames; 0 = at the end of the input
    most: Whole = 0

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)

    def check(self) -> None:
        """Raises InputError if the run does not exist, or an output file cannot be written."""
        super().check()
        if self.picture:
            files.check_picture(self.picture, "--picture", (".png",))
        if self.state:
            files.check_output(self.state, "--state")


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""

    # number of frames to predict, unless a request says otherwise; by default as in training
    frames: Ahead = 0


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=chosen(RECIPES, words)), "check_data:check_data"),
        "predict": (Predict(), "predict:predict"),
        "stream": (Stream(), "live:stream"),
        "serve": (Serve(), "serve:serve"),
    }
