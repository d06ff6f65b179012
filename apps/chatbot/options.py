"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, MissingFileError, settings
from shared.cli import Verbs
from shared.data.early import read_early
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import Seed, chosen, one_of
from shared.trials import Seeds

from . import sources
from .config import DEFAULT, RECIPES, Config
from .smalltalk.config import TALK, TALK_RECIPES, TalkConfig


@dataclass(frozen=True)
class Train:
    """Train a network that understands requests, compare it with the baselines, and save it. Repeat the command to
    resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()

    def check(self) -> None:
        """Raises InputError if a file is missing, before a backend is loaded."""
        sources.there(self.config)
        read_early(self.config.data, lambda: sources.read(self.config))


@dataclass(frozen=True)
class TrainTalk:
    """Train a network that makes small talk, compare it with the baselines, and save it. Repeat the command to
    resume."""

    config: TalkConfig = TALK
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(TALK_RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()

    def check(self) -> None:
        """Raises MissingFileError if the dialogues are missing, before a backend is loaded."""
        dialogues_there(self.config)


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # requests to evaluate on instead of the run's own test part: a JSONL file, a folder as for training, snips or atis
    data: str = ""
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects options that cannot be combined."""
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own requests")


@dataclass(frozen=True)
class CheckData(Report):
    """Say what is wrong with the data before training, and draw it; exit status 1 if results on it would mislead."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None

    def check(self) -> None:
        """Raises InputError if the data set is not available or the picture cannot be written."""
        super().check()
        sources.there(self.config)


@dataclass(frozen=True)
class CheckTalkData(Report):
    """Say what is wrong with dialogues before training small talk; exit status 1 if results on them would mislead."""

    config: TalkConfig = TALK
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(TALK_RECIPES)] = None

    def check(self) -> None:
        """Raises InputError if the dialogues are missing or the picture cannot be written."""
        super().check()
        dialogues_there(self.config)


@dataclass(frozen=True)
class EvaluateTalk:
    """Evaluate a small-talk run on its test dialogues and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False


@dataclass(frozen=True)
class Predict(OfRun):
    """Print the intent and the slots of a request, with confidences, without carrying it out."""

    # the request itself, the path of a text file with a request on each line, or - for standard input
    text: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # print JSON, one object on each line
    json: bool = False


@dataclass(frozen=True)
class Stream(OfRun):
    """Print intent and slots of each line of standard input as it comes; print response times at the end."""

    # the run's name; by default the newest
    run: str | None = None
    # print JSON, one object on each line
    json: bool = False


@dataclass(frozen=True)
class Chat(OfRun):
    """Chat with the assistant, one line at a time, until the input ends."""

    # the run that recognises requests; by default the newest
    run: str | None = None
    # the run for small talk; by default the newest, if there is one
    talk: str | None = None
    # also print intent, slots and the time they took
    debug: bool = False
    # file that stores your notes, reminders, timers and alarms; by default in $GALLERY_USER, else ~/.local/share
    memory: str = ""
    # a Python file with your own skills; by default the one the run was trained with
    skills: str = ""
    # random seed of dice, coins and small talk; by default a new one each time
    seed: Seed | None = None

    def __post_init__(self) -> None:
        """Refuses invalid values, before any work starts."""
        settings.check(self)


def dialogues_there(config: TalkConfig) -> None:
    """Raises MissingFileError if a file of dialogues does not exist."""
    if config.data != "dailydialog" and not Path(config.data).exists():
        raise MissingFileError(f"--data: expected dailydialog or a text file. There is nothing at {config.data}.")


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    talk = words[:1] in (["train-talk"], ["check-talk-data"])
    config = DEFAULT if talk else chosen(RECIPES, words)
    talk_config = chosen(TALK_RECIPES, words) if talk else TALK
    return {
        "train": (Train(config=config), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=config), "check_data:check_data"),
        "predict": (Predict(), "predict:predict", "understand"),
        "stream": (Stream(), "predict:stream"),
        "chat": (Chat(), "assistant:chat"),
        "train-talk": (TrainTalk(config=talk_config), "smalltalk.train:train"),
        "evaluate-talk": (EvaluateTalk(), "smalltalk.evaluate:evaluate"),
        "check-talk-data": (CheckTalkData(config=talk_config), "smalltalk.check_data:check_data"),
        "serve": (Serve(), "serve:serve"),
    }
