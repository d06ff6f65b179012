"""Notes, stored in the memory file."""

from . import World, skill


@skill(
    "note {note}",
    "make a note : {note}",
    "write down {note}",
    "take a note that {note}",
    "write down that {note}",
    "note down {note}",
    "please remember that {note}",
    "save this note : {note}",
    "put into my notes that {note}",
    "make a note that {note}",
    "remember that {note}",
    "jot down {note}",
    "i want to write down that {note}",
    "add a note : {note}",
    "put down that {note}",
    "take a note : {note}",
    "put in my notes that {note}",
    "new note : {note}",
    "add to my notes that {note}",
    "please note that {note}",
    "save in my notes that {note}",
    "write in my notes that {note}",
    "i want to note that {note}",
    "add this to my notes : {note}",
    asks={"note": "What shall I write down?"},
)
def add_note(slots: dict[str, str], world: World) -> str:
    """Saves a note."""
    world.memory.add("notes", slots["note"], world.now())
    return f"Noted: {slots['note']}"


@skill(
    "show my notes",
    "read my notes",
    "what did i write down",
    "list all notes",
    "what is in my notes",
    "what notes do i have",
    "what have i noted",
    "open my notes",
    "read me the notes",
    "what have i written down",
    "show me all notes",
    "tell me what is in my notes",
    "which notes are there",
    "list my notes",
    "what did i note",
    "read all notes to me",
    "show all my notes",
    "what are my notes",
)
def list_notes(slots: dict[str, str], world: World) -> str:
    """Lists all notes."""
    kept = world.memory.entries("notes")
    return "\n".join(f"{at:%d %B}: {text}" for text, at in kept) or "You have no notes."


@skill(
    "delete my notes",
    "clear all notes",
    "throw my notes away",
    "remove all notes",
    "erase the notes",
    "delete every note",
    "clear my notes",
    "i don't need my notes any more",
    "forget my notes",
    "erase all notes",
    "throw away all notes",
    "get rid of my notes",
    "remove my notes",
    "forget all notes",
    "delete all the notes",
    "remove every note",
    "erase my notes",
    "get rid of all notes",
    strict=True,
)
def clear_notes(slots: dict[str, str], world: World) -> str:
    """Deletes all notes and repeats them, so that a mistake can be undone."""
    kept = [text for text, _ in world.memory.entries("notes")]
    world.memory.remove("notes")
    if not kept:
        return "You have no notes."
    return f"Deleted {len(kept)} note{'' if len(kept) == 1 else 's'}: {'; '.join(kept)}"
