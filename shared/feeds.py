"""Input that keeps coming: lines of standard input or of a file that grows, and an end by which nothing is lost."""

import contextlib
import csv
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.2  # between looks at a file that may grow


def lines_of(feed: str, follow: bool) -> Iterator[str]:
    """The lines of a file, with their ends; of standard input if it is "-".

    Bytes that are not UTF-8 become replacement characters. With `follow` the end of the file is waited upon, and a line
    is given when it is whole.
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
    """The cells of one line of CSV, quoted or not, without the blanks around them; a line of any length is cut."""
    csv.field_size_limit(max(csv.field_size_limit(), len(line)))  # of a feed no line may end the program
    return [cell.strip() for cell in next(csv.reader([line]), [])]


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt: a shell makes what it starts in the background ignore the first."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
