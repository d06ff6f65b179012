"""Persistent memory of the assistant: notes, reminders, timers and alarms of one user, in one JSON file.

Times are stored as local time with a zone: {"at": "2027-03-05T09:00:00+01:00", "zone": "Europe/Berlin"}. For entries
without a zone, as in older files, the UTC offset is used.
"""

import contextlib
import datetime
import os
import threading
import zoneinfo
from collections.abc import Iterable, Iterator
from pathlib import Path

from shared import InputError, files, locks, runs

from .tokens import composed

KINDS = ("notes", "reminders", "timers", "alarms")
DUE = ("reminders", "timers", "alarms")  # kinds that are removed once their time has come
MOST = 1_000  # maximum number of entries per kind
USER = "GALLERY_USER"  # environment variable: the folder of what belongs to the user and not to a run

Entry = tuple[str, datetime.datetime]


def default_path(app: str) -> Path:
    """Returns the memory file of the user: in $GALLERY_USER, else in the user's data folder."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(os.environ.get(USER) or data / "keras_rnn_gallery") / app / "memory.json"


class Memory:
    """Entries (text, time) of each kind; every change is saved immediately and atomically.

    Several chats may share a file: changes by others are read first, and a lock serialises writing.

    Args:
        path: the JSON file; None keeps everything in memory.

    Raises:
        InputError: the file is damaged; it is left unchanged.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()  # timers ring in a separate thread
        self._kept: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
        self._state: tuple[int, ...] = ()  # state of the file when last read or written
        self._refresh()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Provides up-to-date entries to change; the changes are saved before another chat can write."""
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
                f"Expected notes, reminders and timers in {path}, which is damaged. "
                "It is left as it is: move it away, or name another file with --memory."
            ) from error

    def add(self, kind: str, text: str, at: datetime.datetime) -> Entry:
        """Adds an entry and returns it."""
        with self._changing():
            self._kept[kind] = sorted([*self._kept[kind], (text, at)], key=_time)
        return text, at

    def entries(self, kind: str) -> list[Entry]:
        """Returns all entries of the kind, sorted by time."""
        with self._lock:
            self._refresh()
            return list(self._kept[kind])

    def called(self, kind: str, text: str) -> list[Entry]:
        """Returns the entries with exactly this text, ignoring case and Unicode form."""
        wanted = composed(text).lower()
        return [entry for entry in self.entries(kind) if composed(entry[0]).lower() == wanted]

    def drop(self, kind: str, entries: Iterable[Entry]) -> int:
        """Deletes these entries and no others; returns how many of them were still there."""
        gone = {(text, at.timestamp()) for text, at in entries}
        with self._changing():
            left = [entry for entry in self._kept[kind] if (entry[0], _time(entry)) not in gone]
            count = len(self._kept[kind]) - len(left)
            self._kept[kind] = left
        return count

    def due(self, now: datetime.datetime) -> list[tuple[str, Entry]]:
        """Removes the entries due by now and returns them with their kind."""
        time = now.timestamp()
        if all(_time(entry) > time for kind in DUE for entry in self.entries(kind)):
            return []
        with self._changing():
            over = [(kind, entry) for kind in DUE for entry in self._kept[kind] if _time(entry) <= time]
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
    """Returns a file state that differs after every write."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def written_moment(at: datetime.datetime) -> dict[str, str]:
    """Converts a time to JSON."""
    zone = getattr(at.tzinfo, "key", "")
    return {"at": at.isoformat()} | ({"zone": zone} if zone else {})


def read_moment(entry: dict) -> datetime.datetime:
    """Parses the time of an entry: local time in its zone, by the zone's current rules.

    The offset only disambiguates an hour that occurs twice, when clocks go back.

    Raises:
        ValueError, KeyError, TypeError: the entry is damaged.
    """
    at = datetime.datetime.fromisoformat(entry["at"])
    if at.tzinfo is None:
        raise ValueError("a moment without an offset from UTC")
    if "zone" not in entry:
        return at
    found = at.replace(tzinfo=zoneinfo.ZoneInfo(entry["zone"]), fold=0)
    again = found.replace(fold=1)
    return again if again.utcoffset() == at.utcoffset() != found.utcoffset() else found


def _time(entry: Entry) -> float:
    """Seconds since 1970: datetimes of the same zone would be compared by local time, which may occur twice."""
    return entry[1].timestamp()
