"""Notes, stored in the memory file. A list, such as a shopping list, is kept as notes too."""

from . import CannotDo, Confirm, World, skill
from .entries import WHICH, ask_to_delete, found, placed, store


@skill(
    "note {note}",
    "make a note : {note}",
    "add {note} to my notes",
    "remember that {note}",
    "write down that {note}",
    "note down {note}",
    "add {note} to my list",
    "put {note} on my list",
    "make a note that {note}",
    "put {note} on the shopping list",
    "jot down {note}",
    "can you add {note} to the list",
    "write down {note}",
    "add a note : {note}",
    "take a note that {note}",
    "please remember that {note}",
    "put down that {note}",
    "write {note} on my list",
    "note that {note}",
    "new note : {note}",
    "add to my notes that {note}",
    "note to self : {note}",
    "please note that {note}",
    "put {note} into my notes",
    "keep in mind that {note}",
    "i want to note that {note}",
    "add {note} to the shopping list",
    "don't let me forget that {note}",
    "take down {note}",
    "save a note that {note}",
    "put in my notes that {note}",
    "take a note : {note}",
    "write in my notes that {note}",
    "add {note} to my shopping list",
    "save this note : {note}",
    "add this to my notes : {note}",
    "i need {note} on my shopping list",
    "remember for me that {note}",
    "make a new note saying {note}",
    "note to myself {note}",
    "i want to write down that {note}",
    "put {note} on my to do list",
    "write something down",
    "make a note",
    "i want to add something to my list",
    "take a note",
    "add a new note",
    "write a note for me",
    asks={"note": "What shall I write down?"},
)
def add_note(slots: dict[str, str], world: World) -> str:
    """Saves a note."""
    store(world, "notes", slots["note"], world.now())
    return f"Noted: {slots['note']}"


@skill(
    "show my notes",
    "read my notes",
    "what is on my list",
    "what did i write down",
    "list all notes",
    "what is in my notes",
    "what notes do i have",
    "show me the shopping list",
    "what is on my shopping list",
    "read me the notes",
    "what have i noted",
    "open my notes",
    "what did i want you to remember",
    "read me my list",
    "tell me what is in my notes",
    "can i see my notes",
    "what have i written down",
    "show me all notes",
    "what do i need to buy",
    "read out my shopping list",
    "which notes are there",
    "list my notes",
    "what did i note",
    "what is on the list",
    "let me see my list",
    "what did you write down for me",
    "show all my notes",
    "do i have any notes",
    "read all notes to me",
    "what are my notes",
    "tell me what i wrote down",
    "what did you remember for me",
    "is there anything on my list",
    "show me what i noted",
    "go through my notes",
    "what is still on my shopping list",
)
def list_notes(slots: dict[str, str], world: World) -> str:
    """Lists all notes."""
    kept = world.memory.entries("notes")
    world.last = [("notes", entry) for entry in kept]
    return "\n".join(f"{at:%d %B}: {text}" for text, at in kept) or "You have no notes."


@skill(
    "delete my notes",
    "clear all notes",
    "throw my notes away",
    "remove all notes",
    "erase the notes",
    "delete every note",
    "clear my list",
    "clear my notes",
    "delete the shopping list",
    "i don't need my notes any more",
    "forget my notes",
    "erase all notes",
    "empty my list",
    "throw away all notes",
    "get rid of my notes",
    "remove everything from my list",
    "remove my notes",
    "forget all notes",
    "delete all my notes",
    "start my shopping list over",
    "delete all the notes",
    "i want to delete all my notes",
    "remove every note",
    "erase my notes",
    "empty the shopping list",
    "cancel all my notes",
    "get rid of all notes",
    "erase my whole list",
    "drop all my notes",
    "delete everything i wrote down",
    whole=True,
)
def clear_notes(slots: dict[str, str], world: World) -> str | Confirm:
    """Deletes all notes, after a yes."""
    return ask_to_delete(world, "notes", world.memory.entries("notes"))


@skill(
    "delete the note about {note}",
    "remove {note} from my list",
    "take {note} off my list",
    "remove {note} from my notes",
    "delete the note that {note}",
    "erase the note about {note}",
    "delete my {which} note",
    "cross {note} off my list",
    "take {note} off the shopping list",
    "delete {note} from my list",
    "remove the note that {note}",
    "clear the note about {note}",
    "remove {note} from the shopping list",
    "forget the note about {note}",
    "remove the {which} note",
    "scratch {note} off the list",
    "strike {note} off my list",
    "throw away the note about {note}",
    "i don't need the note about {note} any more",
    "get rid of the note about {note}",
    "i already have {note} , take it off the list",
    "delete the {which} note",
    "cancel the note about {note}",
    "remove my note about {note}",
    "delete a note",
    "i want to remove a note",
    "i bought {note} , remove it from my list",
    "erase the {which} note",
    "remove a note",
    "drop {note} from my list",
    "delete {note} from my notes",
    "take {note} off my notes",
    "remove {note} from the list",
    "delete the note saying {note}",
    "take {note} out of my notes",
    "delete the note called {note}",
    "erase {note} from my notes",
    "delete {note} from the shopping list",
    "i no longer need {note} on my list",
    "get rid of {note} on my list",
    "clear {note} from my notes",
    "cross {note} off",
    values={"which": WHICH},
    strict=True,
)
def remove_note(slots: dict[str, str], world: World) -> str | Confirm:
    """Deletes one note, after a yes."""
    which = slots.get("note", "") or slots.get("which", "")
    if which.lower() in WHICH:
        return ask_to_delete(world, "notes", placed(world, "notes", which))
    kept = world.memory.entries("notes")
    if len(kept) > 1 and not which:
        raise CannotDo("Which note? Say a word of it.", "note")
    return ask_to_delete(world, "notes", found(world, "notes", which, "note") if which else kept)
