"""Timers, stored in the memory file; `chat` announces when one is over."""

from . import CannotDo, World, skill
from .durations import duration, later, spoken, until


@skill(
    "set a timer for {duration}",
    "start a {duration} timer",
    "wake me in {duration}",
    "set a {name} timer for {duration}",
    "start a timer of {duration}",
    "wake me up in {duration}",
    "set the {name} timer to {duration}",
    "timer {duration}",
    "count down {duration}",
    "start a timer for {duration} called {name}",
    "please wake me after {duration}",
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
    "count {duration} down",
    "i need a timer of {duration}",
    asks={"duration": "For how long?"},
    strict=True,
)
def set_timer(slots: dict[str, str], world: World) -> str:
    """Starts a timer."""
    seconds, name = duration(slots["duration"]), slots.get("name", "")
    over = later(world.now(), seconds)
    world.memory.add("timers", name, over)
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
)
def list_timers(slots: dict[str, str], world: World) -> str:
    """Lists the running timers."""
    running = world.memory.entries("timers")
    if not running:
        return "No timer is running."
    return "\n".join(f"The {_called(text)} rings in {spoken(until(at, world.now()))}." for text, at in running)


@skill(
    "cancel the timer",
    "stop the {name} timer",
    "cancel all timers",
    "stop my timers",
    "delete the {name} timer",
    "turn off the {name} timer",
    "stop the timer",
    "cancel my {name} timer",
    "turn off the timer",
    "delete all timers",
    "stop all timers",
    "cancel every timer",
    "i don't need the {name} timer any more",
    "remove the {name} timer",
    "end the timer",
    "forget the {name} timer",
    "i don't need the timer any more",
    "remove all timers",
    strict=True,
)
def cancel_timer(slots: dict[str, str], world: World) -> str:
    """Stops a timer by name, or all timers."""
    name = slots.get("name", "")
    count = world.memory.remove("timers", name)
    if name and not count:
        raise CannotDo(f"There is no {_called(name)}.")
    return f"Stopped {count} timer{'' if count == 1 else 's'}."


def _called(name: str) -> str:
    return f"{name} timer".strip()
