"""Notes, kept in the memory file."""

from . import World, skill


@skill(
    "note {note}",
    "make a note : {note}",
    "write down {note}",
    "take a note that {note}",
    "note down {note}",
    "please remember that {note}",
    "save this note : {note}",
    "jot down {note}",
    "i want to write down that {note}",
    "add a note : {note}",
    "put in my notes that {note}",
    "new note : {note}",
    asks={"note": "What shall I write down?"},
)
def add_note(slots: dict[str, str], world: World) -> str:
    """Keeps a note."""
    world.memory.add("notes", slots["note"], world.now())
    return f"Noted: {slots['note']}"


@skill(
    "show my notes",
    "read my notes",
    "what did i write down",
    "list all notes",
    "what notes do i have",
    "what have i noted",
    "open my notes",
    "tell me what is in my notes",
)
def list_notes(slots: dict[str, str], world: World) -> str:
    """All notes."""
    kept = world.memory.entries("notes")
    return "\n".join(f"{at:%d %B}: {text}" for text, at in kept) or "You have no notes."


@skill(
    "delete my notes",
    "clear all notes",
    "throw my notes away",
    "remove all notes",
    "erase the notes",
    "i don't need my notes any more",
    "forget what i wrote down",
    "get rid of my notes",
)
def clear_notes(slots: dict[str, str], world: World) -> str:
    """Deletes all notes."""
    count = world.memory.remove("notes")
    return f"Deleted {count} note{'' if count == 1 else 's'}."
