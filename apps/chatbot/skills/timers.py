"""Timers: they are remembered, and `chat` rings when one is over."""

import datetime

from . import CannotDo, World, skill
from .when import duration, spoken


@skill(
    "set a timer for {duration}",
    "start a {duration} timer",
    "wake me in {duration}",
    "timer {duration}",
    "set a {name} timer for {duration}",
    "count down {duration}",
    "ring in {duration}",
    "start a timer for {duration} called {name}",
    "i need a timer",
    "can you time {duration} for the {name}",
    "put {duration} on the clock",
    "give me {duration} for the {name}",
    "start the {name} timer , {duration}",
    asks={"duration": "For how long?"},
)
def set_timer(slots: dict[str, str], world: World) -> str:
    """Starts a timer."""
    seconds, name = duration(slots["duration"]), slots.get("name", "")
    over = world.now() + datetime.timedelta(seconds=seconds)
    world.memory.add("timers", name, over)
    return f"The {_called(name)} rings in {spoken(seconds)}, at {over:%H:%M:%S}."


@skill(
    "which timers are running",
    "how much time is left",
    "show my timers",
    "what timers do i have",
    "how long until the timer rings",
    "list all timers",
    "are there any timers",
    "when does my timer go off",
)
def list_timers(slots: dict[str, str], world: World) -> str:
    """The timers that are running."""
    running = world.memory.entries("timers")
    if not running:
        return "No timer is running."
    return "\n".join(
        f"The {_called(text)} rings in {spoken((at - world.now()).total_seconds())}." for text, at in running
    )


@skill(
    "cancel the timer",
    "stop the {name} timer",
    "cancel all timers",
    "turn off the {name} timer",
    "stop my timers",
    "i don't need the timer any more",
    "delete the {name} timer",
    "forget about the timer for the {name}",
)
def cancel_timer(slots: dict[str, str], world: World) -> str:
    """Stops a timer by its name, or all of them."""
    name = slots.get("name", "")
    count = world.memory.remove("timers", name)
    if name and not count:
        raise CannotDo(f"There is no {_called(name)}.")
    return f"Stopped {count} timer{'' if count == 1 else 's'}."


def _called(name: str) -> str:
    return f"{name} timer".strip()
