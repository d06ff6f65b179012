"""Alarms at a time of day, stored in the memory file; `chat` announces them when they are due."""

import re

from ..memory import Entry
from . import CannotDo, Confirm, World, skill
from .entries import WHICH, ask_to_delete, ask_which, day_and_time, each_of, placed, store, stored_already, when_due
from .when import may_be, moment

_AROUND = re.compile(r"^(?:the|my|that)\s+|\s+(?:one|alarm|please)(?=\W*$)|[.!?]+$", re.IGNORECASE)


@skill(
    "set an alarm for {moment}",
    "wake me up {moment}",
    "alarm {moment}",
    "set my alarm for {moment}",
    "i have to get up {moment} , wake me",
    "wake me {moment}",
    "i want to be woken {moment}",
    "set an alarm {moment}",
    "can you wake me up {moment}",
    "i need an alarm for {moment}",
    "put an alarm on for {moment}",
    "make an alarm for {moment}",
    "set the alarm clock for {moment}",
    "i need to wake up {moment}",
    "set my alarm clock to {moment}",
    "wake up call {moment}",
    "get me up {moment}",
    "i need to get up {moment}",
    "set an alarm",
    "i need an alarm",
    "set my alarm",
    "wake me up",
    "create an alarm for {moment}",
    "let the alarm ring {moment}",
    asks={"moment": "For when?"},
    strict=True,
)
def set_alarm(slots: dict[str, str], world: World) -> str:
    """Sets an alarm."""
    now = world.now()
    at = moment(slots["moment"], now)
    if stored_already(world, "alarms", "", at):
        return f"There is already an alarm for {day_and_time(at, now)}."
    store(world, "alarms", "", at)
    return f"The alarm rings {when_due(at, now)}."


@skill(
    "when is my alarm set for",
    "what alarms do i have",
    "do i have an alarm set",
    "show my alarms",
    "is an alarm set",
    "list all alarms",
    "when does my alarm ring",
    "which alarms are set",
    "what time is my alarm",
    "did i set an alarm",
    "are there any alarms",
    "when will the alarm ring",
    "is my alarm on",
    "when do you wake me up",
    "list my alarms",
    "show me the alarms",
    "for when is the alarm set",
    "when is the alarm",
)
def list_alarms(slots: dict[str, str], world: World) -> str:
    """Lists the alarms."""
    kept = world.memory.entries("alarms")
    world.last = [("alarms", entry) for entry in kept]
    return "\n".join(f"The alarm rings on {day_and_time(at)}." for _, at in kept) or "No alarm is set."


@skill(
    "cancel the alarm",
    "turn off my alarm",
    "delete my alarm",
    "i don't need the alarm any more",
    "stop the alarm",
    "delete the alarm",
    "turn off the alarm",
    "cancel all alarms",
    "remove the alarm",
    "delete all alarms",
    "cancel my alarm",
    "switch off the alarm",
    "switch the alarm off",
    "turn my alarm off",
    "don't wake me up",
    "clear all my alarms",
    "remove all alarms",
    "disable the alarm",
    strict=True,
)
def cancel_alarm(slots: dict[str, str], world: World) -> str | Confirm:
    """Deletes an alarm, named by its time or place if there are several, or all alarms, after a yes."""
    kept, said = world.memory.entries("alarms"), slots.get("moment", "")
    if said and kept and not re.search(r"\b(?:all|both|every)\b", said, re.IGNORECASE):
        kept = _meant(said.rpartition("\n")[2], kept, world)
    return ask_to_delete(world, "alarms", ask_which(world, "alarms", kept, "moment"))


def _meant(said: str, kept: list[Entry], world: World) -> list[Entry]:
    """Returns the alarms that a time or a place may mean. Raises CannotDo if there are none."""
    while (bare := _AROUND.sub("", said).strip()) != said:
        said = bare
    if said.lower() in WHICH:
        return placed(world, "alarms", said)
    if found := [entry for entry in kept if may_be(said, entry[1], world.now())]:
        return found
    raise CannotDo(f"There is no alarm for {said}. Which one do you mean: {each_of('alarms', kept)}?", "moment")
