"""Streaming input: lines from standard input or a growing file, and clean interruption."""

import contextlib
import csv
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.2  # polling interval for a growing file


def lines_of(feed: str, follow: bool) -> Iterator[str]:
    """Yields the lines of a file, or of standard input if `feed` is "-", with their line ends.

    Invalid UTF-8 becomes replacement characters. With `follow`, waits at the end of the file for more, and yields a
    line only when it is complete.
    """
    if feed == "-":
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
        yield from iter(sys.stdin.readline, "")
        return
    with Path(feed).open(encoding="utf-8-sig", errors="replace") as file:
        begun = ""
        while True:
            begun += file.readline()
            if begun.endswith("\n") or (begun and not follow):
                yield begun
                begun = ""
            elif follow:
                time.sleep(POLL_S)
            else:
                return


def cells(line: str) -> list[str]:
    """Splits one line of CSV, of any length, into cells, quoted or not, and strips the whitespace around them."""
    csv.field_size_limit(max(csv.field_size_limit(), len(line)))  # an overlong line must not end the program
    return [cell.strip() for cell in next(csv.reader([line]), [])]


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Holds Ctrl-C and SIGTERM back until the block has ended, so that a state is never saved between two items."""
    came: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _: came.append(number)) for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if came:
        signal.raise_signal(came[0])


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Makes Ctrl-C and SIGTERM raise KeyboardInterrupt, since background jobs of a shell start with SIGINT ignored."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
