"""The command-line options of each command."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le
from tyro import MISSING
from tyro.conf import Positional

from shared import InputError, settings
from shared.cli import Verbs
from shared.data.early import read_early
from shared.inspection import Report
from shared.runs import OfRun
from shared.serve import Serving
from shared.settings import NotNegative, Whole, chosen, one_of
from shared.trials import Seeds

from . import sources
from .config import DEFAULT, RECIPES, Config

Width = Annotated[int, Ge(1), Le(100)]  # beam width; wider beams are slow and no better


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
        sources.known(self.config)
        read_early(self.config.data, lambda: sources.read(self.config))


@dataclass(frozen=True)
class Search:
    """Settings of the beam search."""

    # beam width; 1 = greedy decoding
    beam: Width = 5
    # length penalty: 0 ranks by log-probability, which favours short translations; 1 roughly by its mean over tokens
    length_penalty: NotNegative = 1.0
    # weight of the penalty for source tokens that received little attention
    coverage_penalty: NotNegative = 0.0
    # block repeated n-grams of this many tokens in a translation; 0 = off
    block_ngrams: Whole = 0

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)


@dataclass(frozen=True)
class NBest(Search):
    """Settings of the beam search, and the number of translations to print."""

    # number of translations to print for each sentence, best first, each with its score and log-probability
    nbest: Width = 1


@dataclass(frozen=True)
class Evaluate(OfRun):
    """Evaluate a trained run, on its test sentences or on others, and compare it with the baselines."""

    # the run's name; by default the newest
    run: str | None = None
    # TSV file of other pairs to evaluate on; or, with --target-file, a file of source sentences
    data: str | None = None
    # file of the target sentences, line by line, if --data is a file of source sentences
    target_file: str | None = None
    # beam widths to evaluate; the BLEU of the first one is the headline metric
    beams: tuple[Width, ...] = (Search.beam,)
    # write the metrics, averaged over all runs that differ only in the seed, to results.json and the README
    record: bool = False

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)
        if not self.beams:
            raise InputError("--beams: expected one width or more, such as 5 1; received none")
        if self.record and self.data:
            raise InputError("--record: expected without --data, since it keeps the figures of the run's own test part")
        if self.target_file and not self.data:
            raise InputError("--target-file: expected with --data, the file of the source sentences")


@dataclass(frozen=True)
class CheckData(Report):
    """Say what is wrong with the data before training, and draw it; exit status 1 if results on it would mislead."""

    config: Config = DEFAULT
    # start from the settings of this recipe; by default that of --data
    recipe: Annotated[str | None, *one_of(RECIPES)] = None

    def check(self) -> None:
        """Raises InputError if the data set is not available or the picture cannot be written."""
        super().check()
        sources.known(self.config)


@dataclass(frozen=True)
class Predict(OfRun):
    """Translate a sentence, or each line of a file or of standard input."""

    # the sentence, the path of a text file with one on each line, or - for standard input
    text: Positional[str] = MISSING
    # the run's name; by default the newest
    run: str | None = None
    # how the beam search ranks translations, and how many are printed
    search: NBest = NBest()
    # plot the attention weights to this file (.png, .svg or .pdf); for line 2 of a text file to NAME-2
    picture: str = ""
    # print a JSON object for each sentence: translation (null if not sure), confidence, how sure it is, scores
    json: bool = False


@dataclass(frozen=True)
class Score(OfRun):
    """Print the log-probability of given translations; for a single one also that of each token."""

    # the source sentence, the path of a TSV file of pairs, or - for such lines on standard input
    text: Positional[str] = MISSING
    # its translation, unless the first argument is a file
    translation: Positional[str | None] = None
    # the run's name; by default the newest
    run: str | None = None
    # print a JSON object for each pair: log-probability, perplexity, and each token with its log-probability
    json: bool = False


@dataclass(frozen=True)
class Stream(OfRun):
    """Translate each line of standard input as it comes; print response times at the end."""

    # the run's name; by default the newest
    run: str | None = None
    # how the beam search ranks translations
    search: Search = Search()
    # print a JSON object for each sentence: translation (null if not sure), confidence, how sure it is, scores
    json: bool = False


@dataclass(frozen=True)
class Serve(Serving):
    """Keep a run loaded, and answer each line of standard input as JSON or, with --http, requests of other programs."""

    # how the beam search ranks translations, unless a request says otherwise
    search: NBest = NBest()


def verbs(words: Sequence[str]) -> Verbs:
    """Returns, for each command, its default options and the function that runs it."""
    return {
        "train": (Train(config=chosen(RECIPES, words)), "train:train"),
        "evaluate": (Evaluate(), "evaluate:evaluate"),
        "check-data": (CheckData(config=chosen(RECIPES, words)), "check_data:check_data"),
        "predict": (Predict(), "predict:predict", "translate"),
        "score": (Score(), "score:score"),
        "stream": (Stream(), "predict:stream", "serve-lines"),
        "serve": (Serve(), "serve:serve"),
    }
