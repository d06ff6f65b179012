"""Reminders, stored in the memory file; `chat` announces them when they are due."""

from . import Confirm, World, skill
from .entries import WHICH, ask_to_delete, day_and_time, found, placed, store, stored_already, when_due
from .when import moment


@skill(
    "remind me to {task} {moment}",
    "set a reminder to {task} {moment}",
    "remind me {moment} to {task}",
    "i have to {task} {moment} , remind me",
    "don't let me forget to {task} {moment}",
    "remind me {moment} that i must {task}",
    "{moment} remind me to {task}",
    "create a reminder for {moment} : {task}",
    "remind me to {task}",
    "{moment} i have to {task} , please remind me",
    "make sure that i {task} {moment}",
    "i need to {task} {moment} , can you remind me",
    "i need to be reminded to {task} {moment}",
    "give me a reminder to {task} {moment}",
    "remind me that i have to {task} {moment}",
    "add a reminder to {task} {moment}",
    "i must {task} {moment} , remind me",
    "new reminder : {task} {moment}",
    "i must not forget to {task} {moment}",
    "can you remind me that i have to {task} {moment}",
    "tell me {moment} to {task}",
    "remind me that i need to {task} {moment}",
    "please tell me {moment} to {task}",
    "add a reminder for {moment} : {task}",
    "don't forget to remind me to {task} {moment}",
    "i need to {task} {moment} , please remind me",
    "tell me to {task} {moment}",
    "remember to remind me to {task} {moment}",
    "set a reminder for {moment} : {task}",
    "create a reminder to {task} {moment}",
    "help me remember to {task} {moment}",
    "remind me about this {moment} : {task}",
    "set a reminder for {moment} to {task}",
    "i want you to remind me to {task} {moment}",
    "make sure i don't forget to {task} {moment}",
    "don't let me forget {moment} to {task}",
    "remind me",
    "set a reminder",
    "reminder to {task} {moment}",
    "remind me {moment}",
    "i need a reminder",
    "make a reminder",
    asks={"task": "Of what shall I remind you?", "moment": "When?"},
    strict=True,
)
def set_reminder(slots: dict[str, str], world: World) -> str:
    """Saves a reminder."""
    now = world.now()
    at = moment(slots["moment"], now)
    if stored_already(world, "reminders", slots["task"], at):
        return f"There is already a reminder to {slots['task']} for {day_and_time(at, now)}."
    store(world, "reminders", slots["task"], at)
    return f"I will remind you to {slots['task']} {when_due(at, now)}."


@skill(
    "what are my reminders",
    "show my reminders",
    "what do i have to do",
    "list all reminders",
    "do i have any reminders",
    "read my reminders to me",
    "any reminders",
    "show me all reminders",
    "are there reminders for today",
    "what reminders do i have",
    "which reminders are there",
    "what reminders are there",
    "list my reminders",
    "what is on my reminder list",
    "what do you have to remind me of",
    "what must i not forget",
    "are there any reminders",
    "what do i have to do today",
    "read the reminders",
    "can i see my reminders",
    "which reminders do i have",
    "what will you remind me of",
    "what did you have to remind me of",
    "show all my reminders",
    "what did i ask you to remind me about",
    "tell me my reminders",
    "do i have anything to do today",
    "what have i got to do",
    "what reminders are set",
    "which reminders are set",
)
def list_reminders(slots: dict[str, str], world: World) -> str:
    """Lists all upcoming reminders."""
    kept = world.memory.entries("reminders")
    world.last = [("reminders", entry) for entry in kept]
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
    "delete all of my reminders",
    "remove every reminder",
    "forget all reminders",
    "cancel every reminder",
    "get rid of my reminders",
    "delete all the reminders",
    "cancel my reminders",
    "stop all reminders",
    "drop all reminders",
    "erase all my reminders",
    "drop my reminders",
    "i don't need the reminders any more",
    "stop reminding me",
    "throw away my reminders",
    "get rid of all reminders",
    "stop my reminders",
    whole=True,
)
def clear_reminders(slots: dict[str, str], world: World) -> str | Confirm:
    """Deletes all reminders, after a yes."""
    return ask_to_delete(world, "reminders", world.memory.entries("reminders"))


@skill(
    "cancel the reminder to {task}",
    "delete the reminder to {task}",
    "don't remind me to {task}",
    "remove my reminder about {task}",
    "cancel my reminder to {task}",
    "forget the reminder to {task}",
    "you don't have to remind me to {task} any more",
    "i don't need the reminder to {task} any more",
    "delete my reminder to {task}",
    "stop reminding me to {task}",
    "i don't have to {task} any more",
    "clear the reminder to {task}",
    "cancel the reminder about {task}",
    "don't remind me about {task} any more",
    "remove the reminder to {task}",
    "delete the reminder that i have to {task}",
    "get rid of the reminder to {task}",
    "no need to remind me to {task}",
    "cancel a reminder",
    "delete a reminder",
    "i want to cancel a reminder",
    "remove a reminder",
    "delete one of my reminders",
    "cancel one of my reminders",
    strict=True,
    asks={"task": "Which one?"},
)
def cancel_reminder(slots: dict[str, str], world: World) -> str | Confirm:
    """Deletes one reminder, after a yes."""
    task = slots["task"]
    by_place = task.lower() in WHICH
    return ask_to_delete(
        world, "reminders", placed(world, "reminders", task) if by_place else found(world, "reminders", task, "task")
    )
