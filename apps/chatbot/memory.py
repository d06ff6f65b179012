"""Persistent memory of the assistant: notes, reminders and timers, in one JSON file.

A moment is kept as what the clock on the wall shows then and where: {"at": "2027-03-05T09:00:00+01:00", "zone":
"Europe/Berlin"}. Of an entry without a zone, as of older files, the offset counts.
"""

import contextlib
import datetime
import threading
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from shared import InputError, files, locks, runs

from .tokens import composed

KINDS = ("notes", "reminders", "timers")
DUE = ("reminders", "timers")  # kinds that are over when their time has come
MOST = 1_000  # entries of a kind


class Memory:
    """Entries (text, moment) of each kind; every change is written at once, whole or not at all.

    Several chats may have one file: what another has changed is read first, and only one of them writes at a time.

    Args:
        path: the JSON file; None keeps everything in the process alone.

    Raises:
        InputError: the file is damaged; it is left as it is.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()  # a timer rings from a thread of its own
        self._kept: dict[str, list[tuple[str, datetime.datetime]]] = {kind: [] for kind in KINDS}
        self._state: tuple[int, ...] = ()  # of the file when it was read or written
        self._refresh()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """All entries as they are now; what the block makes of them is written before another chat goes on."""
        with self._lock, contextlib.ExitStack() as held:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(locks.waited(self.path.with_name(f".{self.path.name}.lock")))
            self._refresh()
            yield
            self._write()

    def _refresh(self) -> None:
        if self.path is None or not self.path.exists() or (state := _state(self.path)) == self._state:
            return
        self._read(self.path)
        self._state = state

    def _read(self, path: Path) -> None:
        try:
            kept = runs.read_json(path, dict)
            for kind in KINDS:
                entries = [(str(entry["text"]), read_moment(entry)) for entry in kept.get(kind, [])]
                self._kept[kind] = sorted(entries, key=_time)
        except (InputError, TypeError, KeyError, ValueError) as error:
            raise InputError(
                f"Expected notes, reminders and timers in {path}, which is damaged ({type(error).__name__}). "
                "It is left as it is: move it away, or name another file with --memory."
            ) from error

    def add(self, kind: str, text: str, at: datetime.datetime) -> None:
        """Keeps an entry; of too many the oldest goes."""
        with self._changing():
            self._kept[kind] = sorted([*self._kept[kind], (text, at)], key=_time)[-MOST:]

    def entries(self, kind: str) -> list[tuple[str, datetime.datetime]]:
        """All entries of the kind, in the order of their moments."""
        with self._lock:
            self._refresh()
            return list(self._kept[kind])

    def remove(self, kind: str, text: str = "") -> int:
        """Deletes the entries with this text (in any case and spelling of its accents), or all; returns how many."""
        with self._changing():
            wanted = composed(text).lower()
            left = [entry for entry in self._kept[kind] if text and composed(entry[0]).lower() != wanted]
            count = len(self._kept[kind]) - len(left)
            self._kept[kind] = left
        return count

    def due(self, now: datetime.datetime) -> list[tuple[str, str]]:
        """(kind, text) of what is over by now, taken out."""
        time = now.timestamp()
        if all(_time(entry) > time for kind in DUE for entry in self.entries(kind)):
            return []
        with self._changing():
            over = [(kind, entry[0]) for kind in DUE for entry in self._kept[kind] if _time(entry) <= time]
            for kind in DUE:
                self._kept[kind] = [entry for entry in self._kept[kind] if _time(entry) > time]
        return over

    def _write(self) -> None:
        if self.path is None:
            return
        kept = {kind: [{"text": text} | written_moment(at) for text, at in self._kept[kind]] for kind in KINDS}
        files.write_json(self.path, kept)
        self._state = _state(self.path)


def _state(path: Path) -> tuple[int, ...]:
    """What changes with the file: each write makes another one."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def written_moment(at: datetime.datetime) -> dict[str, str]:
    """A moment as JSON has it."""
    zone = getattr(at.tzinfo, "key", "")
    return {"at": at.isoformat()} | ({"zone": zone} if zone else {})


def read_moment(entry: dict) -> datetime.datetime:
    """The moment of an entry: what the clocks of its zone show, by the rules that the zone has now.

    The offset tells only which one is meant of an hour that comes twice, when clocks go back.

    Raises:
        ValueError, KeyError, TypeError: it is damaged.
    """
    at = datetime.datetime.fromisoformat(entry["at"])
    if at.tzinfo is None:
        raise ValueError("a moment without an offset from UTC")
    if "zone" not in entry:
        return at
    found = at.replace(tzinfo=zoneinfo.ZoneInfo(entry["zone"]), fold=0)
    again = found.replace(fold=1)
    return again if again.utcoffset() == at.utcoffset() != found.utcoffset() else found


def _time(entry: tuple[str, datetime.datetime]) -> float:
    """Seconds since 1970: moments in one zone would be compared by what the clock shows, which may come twice."""
    return entry[1].timestamp()
