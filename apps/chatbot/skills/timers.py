"""Timers, stored in the memory file; `chat` announces when one is over."""

import re

from . import CannotDo, Confirm, World, skill
from .durations import duration, later, spoken, until
from .entries import WHICH, ask_to_delete, ask_which, placed, store


@skill(
    "set a timer for {duration}",
    "start a {duration} timer",
    "set a {name} timer for {duration}",
    "{duration} timer",
    "start a timer of {duration}",
    "tell me when {duration} are over",
    "set the {name} timer to {duration}",
    "timer {duration}",
    "count down {duration}",
    "start a timer for {duration} called {name}",
    "let me know in {duration}",
    "new timer for {duration}",
    "ring in {duration}",
    "i need a timer",
    "i need a {name} timer for {duration}",
    "give me a timer for {duration}",
    "start the {name} timer , {duration}",
    "make a {name} timer of {duration}",
    "can you time {duration} for the {name}",
    "put {duration} on the clock",
    "let a timer run for {duration}",
    "set a timer",
    "put a timer on for {duration}",
    "set the timer to {duration}",
    "give me {duration}",
    "let me know when {duration} have passed",
    "count {duration} down",
    "i need a timer of {duration}",
    "{name} timer {duration}",
    "set timer {duration}",
    "timer for {duration} please",
    "{duration} countdown",
    "ring me in {duration}",
    "ring after {duration}",
    asks={"duration": "For how long?"},
    strict=True,
)
def set_timer(slots: dict[str, str], world: World) -> str:
    """Starts a timer."""
    seconds, name = duration(slots["duration"]), slots.get("name", "")
    over = later(world.now(), seconds)
    store(world, "timers", name, over)
    return f"The {_called(name)} rings in {spoken(seconds)}, at {over:%H:%M:%S}."


@skill(
    "which timers are running",
    "how much time is left on my timer",
    "show my timers",
    "what timers do i have",
    "how much time is left",
    "show me the timers",
    "list all timers",
    "are there any timers",
    "how long until the timer rings",
    "which timers do i have",
    "list my timers",
    "when does the timer ring",
    "when will my timer ring",
    "how long does the timer have left",
    "how much longer does the timer run",
    "are any timers running",
    "what timers are there",
    "how long is left on the timer",
    "is a timer running",
    "how much time do i have left",
    "what is left on the timer",
    "how long do i still have",
    "how many minutes are left",
    "how is my timer doing",
    "is the timer still running",
    "is there still time on my timer",
    "check the timer",
    "how long left on the timer",
    "how long is it until the timer rings",
    "is there a timer on",
)
def list_timers(slots: dict[str, str], world: World) -> str:
    """Lists the running timers."""
    running = world.memory.entries("timers")
    world.last = [("timers", entry) for entry in running]
    if not running:
        return "No timer is running."
    return "\n".join(f"The {_called(text)} rings in {spoken(until(at, world.now()))}." for text, at in running)


@skill(
    "cancel the timer",
    "stop the {name} timer",
    "cancel all timers",
    "turn off the timer",
    "stop my timers",
    "turn off the {name} timer",
    "delete the {name} timer",
    "stop the timer",
    "cancel my {name} timer",
    "turn the timer off",
    "delete all timers",
    "cancel every timer",
    "stop all timers",
    "i don't need the {name} timer any more",
    "clear the timer",
    "delete the timer that i set",
    "remove the {name} timer",
    "end the timer",
    "forget the {name} timer",
    "i don't need the timer any more",
    "switch off the timer",
    "kill the timer",
    "switch the {name} timer off",
    "remove all timers",
    strict=True,
)
def cancel_timer(slots: dict[str, str], world: World) -> str | Confirm:
    """Stops a timer by name, the only one, or all timers, after a yes."""
    name = re.sub(r"^(?:the|my)\s+|\s+(?:one|timer)$", "", slots.get("name", ""), flags=re.IGNORECASE)
    if name.lower() in WHICH:
        return ask_to_delete(world, "timers", placed(world, "timers", name))
    if name.lower() in ("all", "both", "all of them", "unnamed"):
        name = name.lower()
        every = world.memory.entries("timers")
        return ask_to_delete(world, "timers", [each for each in every if name != "unnamed" or not each[0]])
    timers = world.memory.called("timers", name) if name else world.memory.entries("timers")
    if name and not timers:
        raise CannotDo(f"There is no {_called(name)}.")
    return ask_to_delete(world, "timers", timers if name else ask_which(world, "timers", timers, "name"))


def _called(name: str) -> str:
    return f"{name} timer".strip()
