"""The inputs of predict: the user's own sequence or a generated one, with its target."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError
from shared.lines import shown
from shared.settings import changed

from .data import NEW, adding, adding_inputs, copy, copy_inputs, digits, pixel_inputs, split
from .options import Predict
from .tasks import ALPHABET, MESSAGE, PIXELS

MOST_DIGITS = 9  # maximum digits of a position; Python refuses to parse several thousand
SHADES = " .:-=+*#%@"
# Options supported by each task, for the error message about the others.
GIVEN = ("input", "values", "markers", "lag", "seed")  # the options of predict that make a question
NUMBERS = re.compile(r"[\d.]+(?:[\s,]+[\d.]+)+")
OPTIONS = {
    "adding": ("values", "markers"),
    "copy": ("input", "lag"),
    "sequential_digits": ("input",),
    "permuted_digits": ("input",),
}


@dataclass(frozen=True)
class Question:
    """Inputs (1, time, features), the expected answer or None if unknown, and a description of the input."""

    inputs: np.ndarray
    expected: Any
    text: str


def read(options: Predict, config: dict[str, Any], order: list[int] | None, seed: int) -> Question:
    """Returns the question that the options define.

    Args:
        config: the run's settings. order: of the pixels, as in training.
        seed: for a generated sequence, if the options give none.

    Raises:
        InputError: an option does not fit the run's task, or is invalid.
    """
    task, length = config["data"], config["length"]
    for name in ("input", "values", "markers", "lag"):
        if getattr(options, name) not in ("", None) and name not in OPTIONS[task]:
            fitting = ", ".join("an input" if known == "input" else f"--{known}" for known in OPTIONS[task])
            given = "an input" if name == "input" else f"--{name}"
            raise InputError(f"Expected {fitting} or --seed: the run was trained on {task}. Received: {given}")
    random = np.random.default_rng([seed, NEW])
    if task == "adding":
        return sum_of_two(options, length, random)
    if task == "copy":
        return message(options, length, random)
    return digit(options, length, order, random)


def asked(given: Mapping[str, Any], config: dict[str, Any], order: list[int] | None) -> Question:
    """Returns the question that a program gives: options of predict by name; lists of numbers may be lists.

    Raises:
        InputError: an option is none of `GIVEN`, does not fit the run's task, or is invalid.
    """
    if unknown := sorted(set(given) - set(GIVEN)):
        raise InputError(f"Expected some of {', '.join(GIVEN)}. Received: {', '.join(map(repr, unknown))}")
    texts = {name: ",".join(map(str, each)) if isinstance(each, list | tuple) else each for name, each in given.items()}
    options = changed(Predict(), texts)
    return read(options, config, order, secrets.randbits(32) if options.seed is None else options.seed)


def sum_of_two(options: Predict, length: int, random: np.random.Generator) -> Question:
    """Returns a question of values, two of which are marked."""
    if options.values or options.markers:
        values = read_numbers(options.values, "--values", 0, 1)
        if len(values) < 2:
            raise InputError(f"--values: expected at least 2 numbers separated by commas; received {len(values)}")
        inputs, sums = adding_inputs(values[None], read_markers(options.markers, len(values))[None])
    else:
        inputs, sums = adding(random, 1, length)
    terms = [f"{inputs[0, step, 0]:.4f} at step {step}" for step in np.flatnonzero(inputs[0, :, 1])]
    steps = inputs.shape[1]
    return Question(inputs, float(sums[0, 0, 0]), f"{steps} steps{unlike(steps, length)}, marked: {', '.join(terms)}")


def message(options: Predict, length: int, random: np.random.Generator) -> Question:
    """Returns a question of ten letters and the lag after which to repeat them."""
    lag = options.lag or length
    symbols = read_message(options.input)[None] if options.input else copy(random, 1, lag)[1]
    return Question(copy_inputs(symbols, lag), symbols[0], f"a lag of {lag}{unlike(lag, length)}")


def unlike(length: int, trained: int) -> str:
    """Returns a note if the question's length differs from that in training."""
    return "" if length == trained else f" (the run was trained for {trained})"


def digit(options: Predict, length: int, order: list[int] | None, random: np.random.Generator) -> Question:
    """Returns a digit of the test set, or the user's own, whose class is unknown."""
    images, labels = digits()
    test = split(labels)["test"]
    if options.input and not options.input.isdecimal():
        pixels, expected, name = read_digit(options.input), None, shown(options.input)
    else:
        if len(options.input) > MOST_DIGITS or int(options.input or 0) >= len(test):
            raise InputError(f"Expected a row of the test part, 0 to {len(test) - 1}. Received: {shown(options.input)}")
        row = int(options.input) if options.input else int(random.integers(len(test)))
        pixels, expected, name = images[test[row]], int(labels[test[row]]), f"test digit {row}"
    rows = np.round(pixels.reshape(8, 8) * (len(SHADES) - 1)).astype(int)
    drawn = "\n".join("".join(SHADES[shade] * 2 for shade in line) for line in rows)
    return Question(pixel_inputs(pixels[None], order, length), expected, f"{name}, read in {length} steps\n{drawn}")


def read_numbers(text: str, what: str, least: float, most: float) -> np.ndarray:
    """Parses numbers separated by commas or blanks as (numbers,) float32. Raises InputError for an invalid one."""
    words = re.split(r"[,\s]+", text.strip(", \t\r\n"))
    numbers = []
    for word in words if words != [""] else []:
        try:
            numbers.append(float(word))
        except ValueError:
            raise InputError(f"{what}: expected numbers; received {shown(word)!r}") from None
        if not least <= numbers[-1] <= most:
            raise InputError(f"{what}: expected numbers from {least} to {most}; received {shown(word)}")
    return np.array(numbers, np.float32)


def read_markers(text: str, length: int) -> np.ndarray:
    """Parses two different positions below `length`, such as "3,17", as (2,)."""
    words = [word.strip() for word in text.split(",")]
    counted = all(word.isdecimal() and len(word) <= MOST_DIGITS for word in words)
    if len(words) != 2 or not counted or int(words[0]) == int(words[1]):
        raise InputError(f"--markers: expected two different positions, such as 3,17; received {shown(text)!r}")
    positions = np.array([int(word) for word in words])
    if positions.max() >= length:
        raise InputError(
            f"--markers: expected positions from 0 to {length - 1}, as there are {length} values; "
            f"received {positions.max()}"
        )
    return positions


def read_message(text: str) -> np.ndarray:
    """Converts ten letters to ids (10,) int32."""
    wrong = sorted(set(text) - set(ALPHABET))
    if wrong or len(text) != MESSAGE:
        received = f"{len(text)} letters" if not wrong else ", ".join(map(repr, wrong))
        raise InputError(f"Expected {MESSAGE} letters out of {ALPHABET}. Received: {received}")
    return np.array([ALPHABET.index(letter) for letter in text], np.int32)


def read_digit(name: str) -> np.ndarray:
    """Reads 64 numbers from 0 (paper) to 16 (ink), row by row, or a text file of them, as pixels (64,) in [0, 1]."""
    given = NUMBERS.fullmatch(name.strip())
    try:
        text = name if given else Path(name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"Expected a text file of {PIXELS} numbers. {name} is not text.") from None
    where = "The input" if given else name
    numbers = read_numbers(text, where, 0, 16)
    if len(numbers) != PIXELS:
        raise InputError(f"{where}: expected {PIXELS} numbers, 8 rows of 8 pixels; received {len(numbers)}")
    return numbers / 16
