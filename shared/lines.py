"""Inputs of a command: a text, a file of lines, a column of a table or standard input, with one answer for each."""

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np

from shared import InputError
from shared.data import tables
from shared.data.text import names_file, read_text

Encoded = TypeVar("Encoded")
Answer = TypeVar("Answer")
TEXTS = (".txt", ".text")


@dataclasses.dataclass(frozen=True)
class Line:
    """One input, and where it stands for messages about it; "" if it was typed as the command's argument."""

    text: str
    where: str


def read(argument: str, column: str = "") -> list[Line]:
    r"""The inputs that a command's argument is or names, empty lines among them: as many answers as lines are due.

    Args:
        argument: a text, the path of a text file or of a table (CSV, TSV, JSONL), or - for standard input.
        column: the table's column; "": tables are read as plain lines.

    Raises:
        InputError: all are blank, a file cannot be read, or it is a folder.
    """
    refuse_folder(argument)
    suffixes = (*TEXTS, *tables.SUFFIXES) if column else TEXTS
    if argument == "-":
        found = list(_standard_input())
    elif not names_file(argument, suffixes):
        found = [Line(argument, "")]
    elif column and Path(argument).suffix.lower() in tables.SUFFIXES:
        found = [Line(text, where) for text, where in tables.column(Path(argument), column)]
    else:
        found = [Line(text, f"{argument}, line {n}") for n, text in enumerate(_split(read_text(argument)), 1)]
    if not any(line.text.strip() for line in found):
        raise InputError("Expected a text, the path of a file, or - for standard input. Received an empty text.")
    return found


def refuse_folder(argument: str) -> None:
    """InputError if a command's argument, which may be a text, is an existing folder's path."""
    if os.path.isdir(argument):
        raise InputError(f"Expected a text, the path of a file, or - for standard input. {argument} is a folder.")


def _split(text: str) -> list[str]:
    r"""At "\n" alone: str.splitlines also splits at characters that stand inside of lines, such as U+2028."""
    return text.removesuffix("\n").split("\n")


def standard_input() -> TextIO:
    r"""Standard input, whose lines end at "\n" alone; a broken character must not end the answers."""
    sys.stdin.reconfigure(errors="replace", newline="\n")  # type: ignore[union-attr]
    return sys.stdin


def _standard_input() -> Iterator[Line]:
    """Each line as soon as it is there."""
    for number, line in enumerate(standard_input(), 1):
        yield Line(line.rstrip("\r\n"), f"Standard input, line {number}")


def answered(
    found: Sequence[Line], encode: Callable[[str], Encoded], answer: Callable[[list[Encoded]], Sequence[Answer]]
) -> list[tuple[Line, Answer | None]]:
    """An answer to each line, all asked for at once; None to one that is blank or cannot be encoded.

    What is wrong with such a line is said on stderr, with its place.

    Args:
        encode: one text -> what the network reads. Raises InputError if it cannot.
        answer: all that could be encoded -> an answer to each.

    Raises:
        InputError: of `encode`, if there is one line only and it was typed as the argument.
    """
    encoded: dict[int, Encoded] = {}
    for number, line in enumerate(found):
        try:
            if line.text.strip() or not line.where:
                encoded[number] = encode(line.text)
        except InputError as error:
            if not line.where:
                raise
            print(f"{line.where}: {error}", file=sys.stderr)
    answers = dict(zip(encoded, answer(list(encoded.values())), strict=True)) if encoded else {}
    return [(line, answers.get(number)) for number, line in enumerate(found)]


def stream(answer: Callable[[str], str], what: str = "a text") -> None:
    """Answers each line of standard input at once; at the end p50 and p99 of the time that an answer took, on stderr.

    A blank line, or one that raises InputError, which stderr then tells, gets an empty answer.
    """
    print(f"Ready: enter {what} on each line; Ctrl-D ends.", file=sys.stderr, flush=True)
    took = []
    for line in _standard_input():
        said = ""
        if line.text.strip():
            started = time.perf_counter()
            try:
                said = answer(line.text)
                took.append(1000 * (time.perf_counter() - started))
            except InputError as error:
                print(f"{line.where}: {error}", file=sys.stderr, flush=True)
        print(said, flush=True)
    if took:
        p50, p99 = percentiles(took)
        print(f"{len(took):,} answered: p50 {p50:.1f} ms, p99 {p99:.1f} ms", file=sys.stderr)


def percentiles(milliseconds: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 99th percentile."""
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return float(p50), float(p99)


def timed(ask: Callable[[Any], Any], questions: Sequence[Any]) -> tuple[float, float]:
    """p50 and p99 in milliseconds of asking one question after the other; what must be compiled was compiled before."""
    took = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        took.append(1000 * (time.perf_counter() - started))
    return percentiles(took)


def shown(text: str, width: int = 60) -> str:
    """The text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."
