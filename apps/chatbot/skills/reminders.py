"""Reminders: they are kept in the memory file, and `chat` says them when they are due."""

from . import World, skill
from .when import moment


@skill(
    "remind me to {task} {moment}",
    "set a reminder to {task} {moment}",
    "remind me {moment} to {task}",
    "don't let me forget to {task} {moment}",
    "i must {task} {moment} , remind me",
    "create a reminder for {moment} : {task}",
    "{moment} i have to {task} , please remind me",
    "make sure that i {task} {moment}",
    "remind me to {task}",
    "new reminder : {task} {moment}",
    "please tell me {moment} to {task}",
    "can you remind me that i have to {task} {moment}",
    "add a reminder to {task} {moment}",
    asks={"task": "Of what shall I remind you?", "moment": "When?"},
)
def set_reminder(slots: dict[str, str], world: World) -> str:
    """Keeps a reminder."""
    at = moment(slots["moment"], world.now())
    world.memory.add("reminders", slots["task"], at)
    return f"I will remind you to {slots['task']} on {at:%A}, {at.day} {at:%B}, at {at:%H:%M}."


@skill(
    "what are my reminders",
    "show my reminders",
    "what do i have to do",
    "list all reminders",
    "do i have any reminders",
    "read my reminders to me",
    "what did i ask you to remind me of",
    "which reminders are there",
)
def list_reminders(slots: dict[str, str], world: World) -> str:
    """All reminders that are still to come."""
    kept = world.memory.entries("reminders")
    return "\n".join(f"{at:%A %d %B %H:%M}: {text}" for text, at in kept) or "You have no reminders."


@skill(
    "delete my reminders",
    "clear all reminders",
    "forget my reminders",
    "remove all reminders",
    "cancel every reminder",
    "i don't need my reminders any more",
    "drop the reminders",
    "get rid of all reminders",
)
def clear_reminders(slots: dict[str, str], world: World) -> str:
    """Deletes all reminders."""
    count = world.memory.remove("reminders")
    return f"Deleted {count} reminder{'' if count == 1 else 's'}."
