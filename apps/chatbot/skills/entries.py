"""What skills keep in the memory: adding, finding, describing, and deleting only after a yes."""

import datetime
import re
from collections.abc import Sequence

from ..memory import MOST, Entry
from ..tokens import composed
from . import CannotDo, Confirm, World
from .reader import shortened

ONE = {"notes": "note", "reminders": "reminder", "timers": "timer", "alarms": "alarm"}
ORDINALS = str.split("first second third fourth fifth sixth seventh eighth ninth tenth")
LAST = ("last", "latest", "newest")
WHICH = (*ORDINALS, *LAST)  # values of the slot `which`
SHOWN = 5  # number of entries that a question lists
EMPTY = frozenset(
    str.split("a about an and at my of on reminder reminders note notes that the to with")
)  # words that find nothing
_SEVERAL = re.compile(r"\b(?:all|both|every|everything|them|timers|alarms)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def store(world: World, kind: str, text: str, at: datetime.datetime) -> None:
    """Adds an entry, to which "cancel it" then refers. Raises CannotDo if there are too many: none is dropped."""
    if len(world.memory.entries(kind)) >= MOST:
        raise CannotDo(f"There are already {MOST:,} {kind}. Please delete some first.")
    world.last = [(kind, world.memory.add(kind, text, at))]


def named(kind: str, entry: Entry) -> str:
    """Describes one entry: the note 'milk', the tea timer, the alarm for Friday, 27 November, at 07:00."""
    text, at = entry
    if kind == "timers":
        return f"the {text} timer" if text else "the timer"
    if kind == "alarms":
        return f"the alarm for {day_and_time(at)}"
    return f"the {ONE[kind]} '{shortened(text)}'"


def when_due(at: datetime.datetime, now: datetime.datetime) -> str:
    """Returns today, Friday, 27 November, at 07:00; on Saturday, ... if it is neither today nor tomorrow."""
    day = {0: "today,", 1: "tomorrow,"}.get((at.date() - now.date()).days, "on")
    return f"{day} {day_and_time(at, now)}"


def stored_already(world: World, kind: str, text: str, at: datetime.datetime) -> bool:
    """Returns whether there is an equal entry."""
    return any(entry[0] == text and entry[1] == at for entry in world.memory.entries(kind))


def day_and_time(at: datetime.datetime, now: datetime.datetime | None = None) -> str:
    """Returns Friday, 27 November, at 07:00; with the year if it is not that of `now`."""
    year = f" {at.year}" if now and at.year != now.year else ""
    return f"{at:%A}, {at.day} {at:%B}{year}, at {at:%H:%M}"


def ask_to_delete(world: World, kind: str, entries: Sequence[Entry]) -> str | Confirm:
    """Asks before deleting these entries; after yes exactly these are deleted, not what was added since."""
    if not entries:
        return f"You have no {kind}."
    what = named(kind, entries[0])
    if len(entries) > 1:
        what = f"{len(entries)} {kind} ({each_of(kind, entries)})"

    def delete() -> str:
        count = world.memory.drop(kind, entries)
        world.last = []
        return f"Deleted {what}." if count else "It was gone already."

    return Confirm(f"Shall I delete {what}? Yes or no?", delete)


def each_of(kind: str, entries: Sequence[Entry]) -> str:
    """Lists entries by their text or, if they have none, by their time."""
    listed = []
    for text, at in entries[:SHOWN]:
        moment = day_and_time(at) if kind == "alarms" else f"unnamed, over at {at:%H:%M:%S}"
        listed.append(shortened(text) if text else moment)
    rest = f"; and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
    return "; ".join(listed) + rest


def ask_which(world: World, kind: str, entries: Sequence[Entry], slot: str) -> Sequence[Entry]:
    """Returns the entries if they are one, or if the message names several. Raises CannotDo to ask which one."""
    if len(entries) > 1 and not _SEVERAL.search(world.said):
        raise CannotDo(f"Which {ONE[kind]} do you mean: {each_of(kind, entries)}? Or all of them?", slot)
    return entries


def found(world: World, kind: str, text: str, slot: str) -> list[Entry]:
    """Returns the entry that has the words of the text. Raises CannotDo if there is none, or asks which of several."""
    entries = kept(world, kind)
    wanted = _words(re.sub(r"^the (.+) one$", r"\1", text.strip(), flags=re.IGNORECASE))
    exact = [entry for entry in entries if _words(entry[0]) == wanted]
    fitting = exact or [entry for entry in entries if wanted and wanted <= _words(entry[0])]
    if not fitting:
        raise CannotDo(f"There is no {ONE[kind]} about {shortened(text)!r}.")
    if len({entry[0] for entry in fitting}) > 1:
        each = " or ".join(repr(shortened(entry[0])) for entry in fitting[:SHOWN])
        raise CannotDo(f"Which {ONE[kind]} do you mean, {each}?", slot)
    return fitting


def kept(world: World, kind: str) -> list[Entry]:
    """Returns the entries. Raises CannotDo if there are none."""
    if entries := world.memory.entries(kind):
        return entries
    raise CannotDo(f"You have no {kind}.")


def placed(world: World, kind: str, which: str) -> list[Entry]:
    """Returns the first, second or last entry in the order in which they are listed. Raises CannotDo without one."""
    entries = kept(world, kind)
    word = which.lower().strip()
    place = -1 if word in LAST else ORDINALS.index(word) if word in ORDINALS else len(entries)
    if not -len(entries) <= place < len(entries):
        raise CannotDo(f"There is no {shortened(which)} {ONE[kind]}: you have {len(entries)}.")
    return [entries[place]]


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(composed(text).lower())} - EMPTY
