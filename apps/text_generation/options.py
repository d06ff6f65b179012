"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, settings
from shared.cli import Verbs
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import Count, NotNegative, Seed, Top, Whole, chosen, one_of
from shared.trials import Seeds

from . import data
from .config import DEFAULT, RECIPES, Config


@dataclass(frozen=True)
class Train:
    """Train a network, compare it with an n-gram model, and save it. Repeat the command to resume."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None
    # which runs are trained
    trials: Seeds = Seeds()

    def check(self) -> None:
        """Raises InputError if the data set is not available, before a backend is loaded."""
        data.known(self.config.data)


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run, on its own text or on another, and compare it with an n-gram model."""

    # the run's name; by default the newest
    run: str | None = None
    # another text file, or folder of them, to evaluate on
    data: str | None = None
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects options that cannot be combined."""
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own text")


@dataclass(frozen=True)
class CheckData(Report):
    """Say what is wrong with the data before training, and draw it; exit status 1 if results on it would mislead."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None

    def check(self) -> None:
        """Raises InputError if the data set is not available or the picture cannot be written."""
        super().check()
        data.known(self.config.data)


@dataclass(frozen=True)
class Sampling:
    """How the next tokens are sampled."""

    # number of tokens (characters or words) to generate
    length: Whole = 500
    # sampling temperature: lower is more conservative; 0 = always the most probable token
    temperature: NotNegative = 0.8
    # sample from the K most probable tokens only; 0 = from all
    top_k: Whole = 0
    # nucleus sampling: sample from the fewest tokens that together have this probability
    top_p: Top = 1.0
    # random seed, for reproducible output; by default a new one each time. Each of several texts has random numbers of
    # its own, which depend on the seed and on its line
    seed: Seed | None = None

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)

    def of(self, number: int) -> "Sampling":
        """Returns the settings for one of several texts, counted from 0, with a seed of its own."""
        return replace(self, seed=settings.seed_of(self.seed, number))


@dataclass(frozen=True)
class Predict(OfRun):
    """Continue a text in the style of the training text."""

    # the text to continue, by default the start of a line; or a text file, or - for standard input, each line of which
    # is continued on one line
    text: Positional[str] = ""
    # the run's name; by default the newest
    run: str | None = None
    # how the next tokens are sampled
    sampling: Sampling = Sampling()
    # show the most probable next tokens at each step and let the user choose
    interactive: bool = False
    # number of tokens to choose from
    offers: Count = 5
    # print JSON, one object on each line
    json: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)
        if self.json and self.interactive:
            raise InputError("--json: expected without --interactive, which is a conversation")


@dataclass(frozen=True)
class Stream(OfRun):
    """Continue each line of standard input as it comes, on one line; print response times at the end."""

    # the run's name; by default the newest
    run: str | None = None
    # how the next tokens are sampled
    sampling: Sampling = Sampling(length=80)


@dataclass(frozen=True)
class Score(OfRun):
    """Print the bits per character of a text and plot how surprising each character is."""

    # the text itself, the path of a text file, or - for standard input
    text: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # print JSON, one object with the bits of each token; no picture is drawn
    json: bool = False


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""

    # how the next tokens are sampled, unless a request says otherwise
    sampling: Sampling = Sampling(length=80)


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=chosen(RECIPES, words)), "check_data:check_data"),
        "predict": (Predict(), "predict:predict", "generate"),
        "stream": (Stream(), "predict:stream"),
        "score": (Score(), "score:score"),
        "serve": (Serve(), "serve:serve"),
    }
