"""What the assistant remembers between conversations: notes, reminders, timers, in one JSON file."""

import datetime
import threading
from pathlib import Path

from shared import InputError, runs

KINDS = ("notes", "reminders", "timers")
DUE = ("reminders", "timers")  # kinds that are over when their time has come
MOST = 1_000  # entries of a kind


class Memory:
    """Entries (text, moment) of each kind; every change is written at once, whole or not at all.

    Args:
        path: the JSON file; None keeps everything in the process alone.

    Raises:
        InputError: the file is damaged; it is left as it is.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()  # a timer rings from a thread of its own
        self._kept: dict[str, list[tuple[str, datetime.datetime]]] = {kind: [] for kind in KINDS}
        if path is not None and path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            kept = runs.read_json(path, dict)
            for kind in KINDS:
                self._kept[kind] = [
                    (str(entry["text"]), datetime.datetime.fromisoformat(entry["at"])) for entry in kept.get(kind, [])
                ]
        except (InputError, TypeError, KeyError, ValueError) as error:
            raise InputError(
                f"Expected notes, reminders and timers in {path}, which is damaged ({type(error).__name__}). "
                "It is left as it is: move it away, or name another file with --memory."
            ) from error

    def add(self, kind: str, text: str, at: datetime.datetime) -> None:
        """Keeps an entry; of too many the oldest goes."""
        with self._lock:
            self._kept[kind] = sorted([*self._kept[kind], (text, at)], key=lambda entry: entry[1])[-MOST:]
            self._write()

    def entries(self, kind: str) -> list[tuple[str, datetime.datetime]]:
        """All entries of the kind, in the order of their moments."""
        with self._lock:
            return list(self._kept[kind])

    def remove(self, kind: str, text: str = "") -> int:
        """Deletes the entries with this text (any case), or all; returns how many."""
        with self._lock:
            left = [entry for entry in self._kept[kind] if text and entry[0].lower() != text.lower()]
            count = len(self._kept[kind]) - len(left)
            self._kept[kind] = left
            if count:
                self._write()
            return count

    def due(self, now: datetime.datetime) -> list[tuple[str, str]]:
        """(kind, text) of what is over by now, taken out."""
        with self._lock:
            over = [(kind, text) for kind in DUE for text, at in self._kept[kind] if at <= now]
            if over:
                for kind in DUE:
                    self._kept[kind] = [entry for entry in self._kept[kind] if entry[1] > now]
                self._write()
            return over

    def _write(self) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = {kind: [{"text": text, "at": at.isoformat()} for text, at in self._kept[kind]] for kind in KINDS}
        runs.write_json(self.path, kept)
