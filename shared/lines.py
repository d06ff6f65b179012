"""Inputs of a command: a text, a file of lines, a table column or standard input, and one answer per input."""

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TextIO, TypeVar

import numpy as np

from shared import InputError
from shared.data import tables
from shared.data.text import names_file, read_text

Encoded = TypeVar("Encoded")
Answer = TypeVar("Answer")
File = TypeVar("File")
Input = TypeVar("Input")
TEXTS = (".txt", ".text")
LONGEST_ERROR = 400  # characters: a line of megabytes is not repeated in its error


@dataclasses.dataclass(frozen=True)
class Line:
    """One input and its location for messages; `where` is "" if the text is the command's argument itself."""

    text: str
    where: str


def read(argument: str, column: str = "") -> list[Line]:
    r"""Returns the inputs given by a command's argument. Empty lines are kept, since every line gets an answer.

    Args:
        argument: a text, the path of a text file or of a table (CSV, TSV, JSONL), or - for standard input.
        column: the column of the table. "": a table is read as plain lines.

    Raises:
        InputError: if all inputs are blank, the file cannot be read, or it is a folder.
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


def several(inputs: Iterable[Input], kinds: type | UnionType, what: str) -> list[Input]:
    """Returns the inputs of a predictor as a list.

    Args:
        kinds: the types that an input may have. what: what the inputs are, such as "texts".

    Raises:
        InputError: if it is one input alone, such as a text, or an input has another type.
    """
    if isinstance(inputs, str | bytes | Path | Mapping):
        raise InputError(f"Expected a list of {what}. Received one alone: write [{shown(repr(inputs))}].")
    if not isinstance(inputs, Iterable):
        raise InputError(f"Expected a list of {what}. Received: {shown(repr(inputs))}")
    found = list(inputs)
    for each in found:
        if not isinstance(each, kinds):
            raise InputError(f"Expected a list of {what}. Received in it: {shown(repr(each))}")
    return found


def refuse_folder(argument: str) -> None:
    """Raises InputError if a command's argument, which may be a text, is the path of an existing folder."""
    if os.path.isdir(argument):
        raise InputError(f"Expected a text, the path of a file, or - for standard input. {argument} is a folder.")


def _split(text: str) -> list[str]:
    r"""Splits at "\n" only: str.splitlines also splits at characters that occur within lines, such as U+2028."""
    return text.removesuffix("\n").split("\n")


def standard_input() -> TextIO:
    r"""Returns standard input with lines split at "\n" only; invalid UTF-8 is replaced instead of raising an error."""
    sys.stdin.reconfigure(errors="replace", newline="\n")  # type: ignore[union-attr]
    return sys.stdin


def _standard_input() -> Iterator[Line]:
    """Yields each line as soon as it arrives."""
    for number, line in enumerate(standard_input(), 1):
        yield Line(line.rstrip("\r\n"), f"Standard input, line {number}")


def answered(
    found: Sequence[Line], encode: Callable[[str], Encoded], answer: Callable[[list[Encoded]], Sequence[Answer]]
) -> list[tuple[Line, Answer | None]]:
    """Returns an answer for each line, computed in one call; None if a line is blank or cannot be encoded.

    Args:
        found, encode: see `encoded`, also for what is raised.
        answer: all encoded inputs -> an answer for each.
    """
    given = encoded(found, encode)
    answers = dict(zip(given, answer(list(given.values())), strict=True)) if given else {}
    return [(line, answers.get(number)) for number, line in enumerate(found)]


def encoded(found: Sequence[Line], encode: Callable[[str], Encoded]) -> dict[int, Encoded]:
    """Returns the encoded lines by their number, from 0, without those that are blank or cannot be encoded.

    The error for a line that cannot be encoded is printed on stderr, with its location.

    Args:
        found: the lines.
        encode: one text -> the network's input. Raises InputError if it cannot be encoded.

    Raises:
        InputError: the error of `encode`, if the text is the command's argument itself; or none of the lines of a file
            or of standard input can be encoded, unless all are blank.
    """
    given: dict[int, Encoded] = {}
    failed = 0
    for number, line in enumerate(found):
        try:
            if line.text.strip() or not line.where:
                given[number] = encode(line.text)
        except InputError as error:
            if not line.where:
                raise
            failed += 1
            print(f"{line.where}: {error}", file=sys.stderr)
    if failed and not given:
        raise InputError(f"Expected at least one line that can be answered. Received {failed:,}, all refused as above.")
    return given


def each(files: Sequence[File], use: Callable[[File], object]) -> None:
    """Calls `use` for each of several files; one that cannot be used is reported on stderr and left out.

    Raises:
        InputError: the error of `use`, if there is only one file; or, at the end, some of several cannot be used.
    """
    failed = 0
    for file in files:
        try:
            use(file)
        except InputError as error:
            if len(files) == 1:
                raise
            failed += 1
            print(f"left out: {error}", file=sys.stderr, flush=True)
    if failed and failed == len(files):
        raise InputError(f"Expected at least one file that can be used. Received {failed:,}, all left out as above.")
    if failed:
        raise InputError(f"Expected files that can be used. Of {len(files):,}, {failed:,} left out as above.")


def stream(answer: Callable[[str], str], what: str = "a text") -> None:
    """Answers each line of standard input immediately; at the end prints p50 and p99 of the latency on stderr.

    A blank line, or one that raises InputError or OSError (printed on stderr), gets an empty answer.
    """
    stream_numbered(lambda text, _: answer(text), what)


def stream_numbered(answer: Callable[[str, int], str], what: str = "a text") -> None:
    """As `stream`; the answer is also given the number of the line, from 0."""
    print(f"Ready: enter {what} on each line; Ctrl-D ends.", file=sys.stderr, flush=True)
    took = []
    for number, line in enumerate(_standard_input()):
        said = ""
        if line.text.strip():
            started = time.perf_counter()
            try:
                said = answer(line.text, number)
                took.append(1000 * (time.perf_counter() - started))
            except (InputError, OSError) as error:  # OSError: the line names a file that cannot be opened
                print(f"{line.where}: {shown(str(error), LONGEST_ERROR)}", file=sys.stderr, flush=True)
        print(said, flush=True)
    if took:
        p50, p99 = percentiles(took)
        print(f"{len(took):,} answered: p50 {p50:.1f} ms, p99 {p99:.1f} ms", file=sys.stderr)


def percentiles(milliseconds: Sequence[float]) -> tuple[float, float]:
    """Returns the 50th and the 99th percentile."""
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return float(p50), float(p99)


def timed(ask: Callable[[Any], Any], questions: Sequence[Any]) -> tuple[float, float]:
    """Returns p50 and p99 of the latency in milliseconds, one question at a time. Call `ask` before, to compile it."""
    took = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        took.append(1000 * (time.perf_counter() - started))
    return percentiles(took)


def shown(text: str, width: int = 60) -> str:
    """Returns the text on one line, truncated to `width` characters."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."
