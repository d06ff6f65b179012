"""Asks a trained run about a new sequence: what went in, what was to be remembered, what it answers."""

import re
import secrets
from pathlib import Path
from typing import Any

import numpy as np

from shared import InputError, runs

from .config import APP, Predict
from .data import NEW, adding, copy, digits, marked, read_pixels, split, spread
from .tasks import ALPHABET, MESSAGE, PIXELS

SHADES = " .:-=+*#%@"
EXAMPLES = 3
# What each task can be asked about, for the message that refuses the rest.
OPTIONS = {
    "adding": ("values", "markers"),
    "copy": ("input", "lag"),
    "sequential_digits": ("input",),
    "permuted_digits": ("input",),
}


def predict(options: Predict) -> None:
    """The predict verb."""
    run = runs.find(APP, options.run)
    answer = ask(run.load_model(), run.info(), options)
    print(f"{run.path}:\n{answer}")


def examples(run: runs.Run) -> None:
    """Prints the answers to a few new sequences and keeps them in samples.txt."""
    model, info = run.load_model(), run.info()
    text = "\n\n".join(ask(model, info, Predict(seed=seed)) for seed in range(1, EXAMPLES + 1))
    print(f"\n{text}")
    runs.write_text(run.file("samples.txt"), f"{text}\n")


def ask(model: Any, info: dict, options: Predict) -> str:
    """The question and the answer in a few lines.

    Raises:
        InputError: an option does not fit the run's task, or cannot be read.
    """
    task = info["task"]
    for name in ("input", "values", "markers", "lag"):
        if getattr(options, name) not in ("", None) and name not in OPTIONS[task]:
            fitting = " or ".join("an input" if known == "input" else f"--{known}" for known in OPTIONS[task])
            given = "the input" if name == "input" else f"--{name}"
            raise InputError(f"Expected {fitting} or --seed: the run is of {task}. Received: {given}")
    seed = secrets.randbits(32) if options.seed is None else options.seed
    if seed < 0:
        raise InputError(f"--seed: expected 0 or more; received {seed}")
    random = np.random.default_rng([seed, NEW])
    answer = {"adding": _sum, "copy": _message}.get(task, _digit)
    return answer(model, info, options, random)


def _sum(model: Any, info: dict, options: Predict, random: np.random.Generator) -> str:
    if options.values or options.markers:
        values = read_numbers(options.values, "--values", 0, 1)
        if len(values) < 2:
            raise InputError(f"--values: expected at least 2 numbers with commas between; received {len(values)}")
        inputs, sums = marked(values[None], read_markers(options.markers, len(values))[None])
    else:
        inputs, sums = adding(random, 1, info["length"])
    answer, expected = float(np.array(model(inputs))[0, 0, 0]), float(sums[0, 0, 0])
    terms = [f"{inputs[0, step, 0]:.4f} at step {step}" for step in np.flatnonzero(inputs[0, :, 1])]
    return (
        f"{inputs.shape[1]} steps{_unlike(inputs.shape[1], info)}, marked: {', '.join(terms)}\n"
        f"expected {expected:.4f}   answered {answer:.4f}   off by {abs(answer - expected):.4f}"
    )


def _message(model: Any, info: dict, options: Predict, random: np.random.Generator) -> str:
    lag = info["length"] if options.lag is None else options.lag
    if lag < 1:
        raise InputError(f"--lag: expected at least 1; received {lag}")
    symbols = read_message(options.input)[None] if options.input else copy(random, 1, lag)[1]
    answers = np.array(model(spread(symbols, lag)))[0].argmax(axis=-1)
    expected, answered = ("".join(ALPHABET[symbol] for symbol in text) for text in (symbols[0], answers))
    right = int((answers == symbols[0]).sum())
    return f"a lag of {lag}{_unlike(lag, info)}\nexpected {expected}\nanswered {answered}   {right} of {MESSAGE} right"


def _unlike(length: int, info: dict) -> str:
    """A warning where the question's length is not the one the run was trained on."""
    return "" if length == info["length"] else f" (the run was trained for {info['length']})"


def _digit(model: Any, info: dict, options: Predict, random: np.random.Generator) -> str:
    images, labels = digits()
    test = split(labels)[-1]
    if options.input and not options.input.isdecimal():
        pixels, expected, name = read_digit(options.input), "not known", options.input
    else:
        row = int(options.input) if options.input else int(random.integers(len(test)))
        if row >= len(test):
            raise InputError(f"Expected a row of the test part, 0 to {len(test) - 1}. Received: {row}")
        pixels, expected, name = images[test[row]], str(labels[test[row]]), f"test digit {row}"
    scores = np.array(model(read_pixels(pixels[None], info["order"], info["length"])), np.float64)[0, 0]
    chances = np.exp(scores - np.logaddexp.reduce(scores))
    likeliest = "  ".join(f"{digit} ({chances[digit]:.0%})" for digit in np.argsort(-chances, kind="stable")[:3])
    rows = np.round(pixels.reshape(8, 8) * (len(SHADES) - 1)).astype(int)
    drawn = "\n".join("".join(SHADES[shade] * 2 for shade in line) for line in rows)
    return f"{name}, read in {info['length']} steps\n{drawn}\nexpected {expected}   answered {likeliest}"


def read_numbers(text: str, what: str, least: float, most: float) -> np.ndarray:
    """Numbers with commas or blanks between -> (numbers,) float32; InputError names what is none or out of range."""
    words = re.split(r"[,\s]+", text.strip(", \t\r\n"))
    numbers = []
    for word in words if words != [""] else []:
        try:
            numbers.append(float(word))
        except ValueError:
            raise InputError(f"{what}: expected numbers; received {word!r}") from None
        if not least <= numbers[-1] <= most:
            raise InputError(f"{what}: expected numbers from {least} to {most}; received {word}")
    return np.array(numbers, np.float32)


def read_markers(text: str, length: int) -> np.ndarray:
    """Two different positions below `length`, e.g. "3,17" -> (2,)."""
    words = [word.strip() for word in text.split(",")]
    if len(words) != 2 or not all(word.isdecimal() for word in words) or int(words[0]) == int(words[1]):
        raise InputError(f"--markers: expected two different positions, such as 3,17; received {text!r}")
    positions = np.array([int(word) for word in words])
    if positions.max() >= length:
        raise InputError(
            f"--markers: expected positions from 0 to {length - 1}, as there are {length} values; "
            f"received {positions.max()}"
        )
    return positions


def read_message(text: str) -> np.ndarray:
    """Ten letters -> ids (10,) int32."""
    wrong = sorted(set(text) - set(ALPHABET))
    if wrong or len(text) != MESSAGE:
        received = f"{len(text)} letters" if not wrong else ", ".join(map(repr, wrong))
        raise InputError(f"Expected {MESSAGE} letters out of {ALPHABET}. Received: {received}")
    return np.array([ALPHABET.index(letter) for letter in text], np.int32)


def read_digit(name: str) -> np.ndarray:
    """A text file of 64 numbers from 0 (paper) to 16 (ink), row by row -> pixels (64,) from 0 to 1."""
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"Expected a text file of {PIXELS} numbers. {name} is not text.") from None
    numbers = read_numbers(text, name, 0, 16)
    if len(numbers) != PIXELS:
        raise InputError(f"{name}: expected {PIXELS} numbers, 8 rows of 8 pixels; received {len(numbers)}")
    return numbers / 16
