"""Plans a comparison: which trainings it consists of, and which learning rate each architecture is trained with."""

import dataclasses
import importlib
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared import InputError, MissingFileError, cli, paired
from shared.fingerprint import fingerprint
from shared.layers import ARCHITECTURES

from . import measured
from .gallery import gallery
from .options import Compare
from .trial import Trial

OWN = ("--data", "--params", "--arch", "--seed", "--seeds", "--folds", "--run")  # options that --more must not contain
SIZES = {"": 1, "k": 1_000, "m": 1_000_000}
COUNTED = "non_embedding"  # what --params counts, so that runs of another meaning are not taken for the same training
FACTOR = 3  # between the learning rates that are tried


@dataclasses.dataclass(frozen=True)
class Cell:
    """One architecture in one app. `refused` says why the app does not have it; `rates` has the recipe's rate first."""

    app: str
    arch: str
    words: tuple[str, ...]
    seeds: int
    rates: tuple[float, ...] = ()
    refused: str = ""

    def trial(self, seed: int, rate: float = 0.0) -> Trial:
        """Returns the training with this seed and learning rate; 0: the recipe's, without a search."""
        changed = ["--learning-rate", str(rate)] if rate and rate != self.rates[0] else []
        words = ["train", *self.words, *changed, "--arch", self.arch, "--seed", str(seed)]
        name = f"compare-{self.arch}-{fingerprint([*words, COUNTED])[:8]}"
        return Trial(self.app, self.arch, seed, name, (*words, "--run", name), rate)

    def search(self) -> list[Trial]:
        """Returns the trainings of the search for the learning rate, with one seed each; [] if there is none."""
        return [] if self.refused else [self.trial(1, rate) for rate in self.rates]

    def rate(self) -> float | None:
        """Returns the rate with the best validation figure, the recipe's in a tie; None if none could be trained."""
        found = measured.validations(self.search())
        rates = {trial.rate: paired.goodness(value, direction) for trial, value, direction in found}
        return max(rates, key=lambda rate: rates[rate], default=None)

    def trials(self) -> list[Trial]:
        """Returns the trainings that are compared, one for each seed; [] if there is none, or no learning rate."""
        rate = self.rate() if self.rates else 0.0
        if self.refused or rate is None:
            return []
        return [self.trial(seed, rate) for seed in range(1, self.seeds + 1)]

    def count(self) -> int:
        """Returns the number of trainings in all. The search's best one is also that of the first seed."""
        return 0 if self.refused else self.seeds + max(0, len(self.rates) - 1)


def plan(options: Compare) -> list[Cell]:
    """Plans all trainings; raises InputError if any option is invalid, or an app's train command rejects it."""
    known = [name for name, _ in gallery()]
    apps = known if options.app == ("all",) else chosen("--app", options.app, known)
    archs = chosen("--arch", options.arch, list(ARCHITECTURES))
    size = parameters(options.params) if options.params else 0
    if ("/" in options.data or Path(options.data).suffix) and not (":" in options.data or Path(options.data).exists()):
        raise MissingFileError(
            f"--data: expected a data set of the app, a file or a folder. There is no {options.data}"
        )
    words = [*(["--data", options.data] if options.data else []), *(["--params", str(size)] if size else [])]
    words += further(options.more)
    return [cell for app in apps for cell in cells(app, archs, words, options)]


def cells(app: str, archs: Sequence[str], words: Sequence[str], options: Compare) -> list[Cell]:
    """Plans an app's trainings. Raises InputError if `train` rejects the words with every architecture.

    It is asked before a backend is loaded. An architecture unknown to the app is not an error: the table says so.
    """
    try:
        parsed, error = train_options(app, words), None
    except InputError as refusal:  # perhaps only with the app's default architecture
        parsed, error = None, refusal
    planned = []
    for arch in archs:
        base = Cell(app, arch, tuple(words), options.seeds)
        try:
            rate = (
                with_arch(parsed, arch) if parsed else train_options(app, [*words, "--arch", arch])
            ).config.learning_rate
        except InputError as refusal:
            planned.append(dataclasses.replace(base, refused=str(refusal)))
        else:
            planned.append(dataclasses.replace(base, rates=candidates(rate, options.tune) if options.tune > 1 else ()))
    if error and all(cell.refused for cell in planned):
        raise error
    return planned


def train_options(app: str, words: Sequence[str]) -> Any:
    """Returns the options of `train` with these words. Raises InputError if it rejects them."""
    line = ["train", *words]
    return checked(cli.parse(f"apps.{app}", importlib.import_module(f"apps.{app}.options").verbs(line), line))


def with_arch(parsed: Any, arch: str) -> Any:
    """Returns the options with another architecture, as if it had been typed, which takes much longer to parse."""
    return checked(dataclasses.replace(parsed, config=dataclasses.replace(parsed.config, arch=arch)))


def checked(parsed: Any) -> Any:
    """Returns the options. Raises InputError if the app rejects them."""
    if check := getattr(parsed, "check", None):
        check()
    return parsed


def candidates(rate: float, count: int) -> tuple[float, ...]:
    """Returns the learning rates to try: the recipe's, then those nearest to it on a grid with steps of `FACTOR`.

    >>> candidates(0.003, 3)
    (0.003, 0.001, 0.009)
    """
    exponents = sorted(range(-(count // 2), count // 2 + 1), key=lambda each: (abs(each), each))[:count]
    return tuple(float(f"{rate * float(FACTOR) ** each:.3g}") if each else rate for each in exponents)


def chosen(option: str, names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Removes duplicate names. Raises InputError if there are none, or one is unknown."""
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        every = ", or all" if option == "--app" else ""
        received = repr(wrong[0]) if wrong else "none"
        raise InputError(f"{option}: expected one or more of {', '.join(known)}{every}; received {received}")
    return list(dict.fromkeys(names))


def further(more: str) -> list[str]:
    """Splits --more into words. Raises InputError if it cannot be parsed, or contains options set by this command."""
    try:
        words = shlex.split(more)
    except ValueError as error:
        raise InputError(f"--more: expected options as they are typed; received {more!r}: {error}") from error
    if taken := [word for word in words if word.partition("=")[0] in OWN]:
        raise InputError(f"--more: expected other options than {', '.join(OWN)}; received {taken[0]}")
    return words


def parameters(text: str) -> int:
    """Parses a number of parameters such as 200000, 200k or 1.5M."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmM]?)", text)
    size = round(float(match[1]) * SIZES[match[2].lower()]) if match else 0
    if not size:
        raise InputError(f"--params: expected a number such as 200000, 200k or 1.5M; received {text!r}")
    return size
