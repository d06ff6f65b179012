"""Reminders, stored in the memory file; `chat` announces them when they are due."""

from . import World, skill
from .when import moment


@skill(
    "remind me to {task} {moment}",
    "set a reminder to {task} {moment}",
    "remind me {moment} to {task}",
    "don't let me forget to {task} {moment}",
    "i have to {task} {moment} , remind me",
    "remind me {moment} that i must {task}",
    "create a reminder for {moment} : {task}",
    "{moment} i have to {task} , please remind me",
    "make sure that i {task} {moment}",
    "remind me to {task}",
    "i must {task} {moment} , remind me",
    "add a reminder to {task} {moment}",
    "new reminder : {task} {moment}",
    "i must not forget to {task} {moment}",
    "can you remind me that i have to {task} {moment}",
    "tell me {moment} to {task}",
    "please tell me {moment} to {task}",
    "add a reminder for {moment} : {task}",
    "i need to {task} {moment} , please remind me",
    "set a reminder for {moment} : {task}",
    "tell me to {task} {moment}",
    "create a reminder to {task} {moment}",
    "make sure i don't forget to {task} {moment}",
    "don't let me forget {moment} to {task}",
    asks={"task": "Of what shall I remind you?", "moment": "When?"},
    strict=True,
)
def set_reminder(slots: dict[str, str], world: World) -> str:
    """Saves a reminder."""
    now = world.now()
    at = moment(slots["moment"], now)
    world.memory.add("reminders", slots["task"], at)
    year = f" {at.year}" if at.year != now.year else ""
    return f"I will remind you to {slots['task']} on {at:%A}, {at.day} {at:%B}{year}, at {at:%H:%M}."


@skill(
    "what are my reminders",
    "show my reminders",
    "what do i have to do",
    "list all reminders",
    "do i have any reminders",
    "read my reminders to me",
    "show me all reminders",
    "what reminders do i have",
    "which reminders are there",
    "what reminders are there",
    "list my reminders",
    "are there any reminders",
    "what must i not forget",
    "what do i have to do today",
    "read the reminders",
    "which reminders do i have",
    "what did you have to remind me of",
    "show all my reminders",
)
def list_reminders(slots: dict[str, str], world: World) -> str:
    """Lists all upcoming reminders."""
    kept = world.memory.entries("reminders")
    return "\n".join(f"{at:%A %d %B %Y %H:%M}: {text}" for text, at in kept) or "You have no reminders."


@skill(
    "delete my reminders",
    "clear all reminders",
    "forget my reminders",
    "remove all reminders",
    "delete every reminder",
    "cancel all reminders",
    "clear my reminders",
    "i don't need my reminders any more",
    "remove every reminder",
    "forget all reminders",
    "cancel every reminder",
    "get rid of my reminders",
    "delete all the reminders",
    "drop all reminders",
    "cancel my reminders",
    "drop my reminders",
    "i don't need the reminders any more",
    "get rid of all reminders",
    strict=True,
)
def clear_reminders(slots: dict[str, str], world: World) -> str:
    """Deletes all reminders."""
    count = world.memory.remove("reminders")
    return f"Deleted {count} reminder{'' if count == 1 else 's'}."
