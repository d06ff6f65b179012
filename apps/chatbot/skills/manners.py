"""Greetings, thanks, goodbyes, help, and taking back what was done last."""

import re

from ..memory import KINDS
from . import SLOT, Confirm, Skill, World, skill
from .entries import ONE, ask_to_delete

# Values of the slots in the examples of help; a skill of one's own has its own.
SAMPLES = {
    "city": "Tokyo",
    "expression": "12 times 7",
    "amount": "5",
    "unit": "miles",
    "target": "kilometres",
    "duration": "ten minutes",
    "moment": "tomorrow at 9",
    "task": "call Anna",
    "note": "milk",
    "name": "tea",
    "count": "two",
    "sides": "20",
}


@skill(
    "hello",
    "hi",
    "good morning",
    "hey there",
    "good evening",
    "hi there",
    "hello again",
    "good afternoon",
    "hello assistant",
    "hello there",
    "good day",
    "hey",
    "good morning assistant",
    "hi again",
    "hi assistant",
    "greetings",
    "hey , how is it going",
    "hello , nice to see you",
    "good to see you",
    "hi , are you there",
    "hello hello",
    "what's up",
    "good evening assistant",
    "hey assistant",
)
def greet(slots: dict[str, str], world: World) -> str:
    """Says hello as fits the hour."""
    hour = world.now().hour
    if not 5 <= hour < 23:
        return "Hello! What can I do for you so late?"
    part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    return f"Good {part}! What can I do for you?"


@skill(
    "thank you",
    "thanks",
    "thanks a lot",
    "that was helpful",
    "thank you very much",
    "many thanks",
    "great , thank you",
    "perfect , thanks",
    "thank you so much",
    "very helpful , thank you",
    "many thanks to you",
    "thanks , that was helpful",
    "cheers",
    "great , thanks",
    "perfect , thank you",
    "thanks so much",
    "ok thanks",
    "you have been a great help",
    "i appreciate it",
    "good job",
    "nice , thanks",
    "that was very helpful",
    "i thank you",
    "thanks very much",
    "thank you a lot",
)
def thank(slots: dict[str, str], world: World) -> str:
    """Responds to thanks."""
    return str(world.random.choice(["You are welcome.", "My pleasure.", "Any time."]))


@skill(
    "goodbye",
    "bye",
    "see you later",
    "good night",
    "bye bye",
    "see you tomorrow",
    "that's all for today",
    "talk to you later",
    "i have to go",
    "see you",
    "i am leaving now",
    "i must go now",
    "have a nice day",
    "that is all for now",
    "goodbye for now",
    "bye for now",
    "until tomorrow",
    "that is all , goodbye",
    "see you soon",
    "until later",
    "that's all , bye",
    "goodbye and good night",
    "see you , bye",
)
def goodbye(slots: dict[str, str], world: World) -> str:
    """Says goodbye."""
    return "Good night!" if not 5 <= world.now().hour < 22 else "Goodbye!"


@skill(
    "what can you do",
    "help",
    "help me",
    "what can i ask you",
    "what are you able to do",
    "how can you help me",
    "how do you work",
    "what are you good for",
    "what kind of things can you do",
    "what else can you do",
    "which commands do you know",
    "show me what you can do",
    "i need help",
    "what can i ask",
    "what do you know how to do",
    "how does this work",
    "tell me what you can do",
    "how do i use you",
    "what commands are there",
    "tell me how this works",
    "can you help me",
    "what else can i ask you",
    "which commands are there",
    "show me the commands",
    "what are your skills",
    "what things can i ask you",
    "what sort of questions can i ask",
    "please help me",
    "what are your features",
    "tell me what you are able to do",
)
def show_help(slots: dict[str, str], world: World) -> str:
    """Lists an example of every skill."""
    lines = [f"  {example(each)}" for each in world.skills.values() if each.name != "show_help"]
    return "For example:\n" + "\n".join(lines)


def example(each: Skill) -> str:
    """Returns the skill's first pattern with values in its slots, never a template."""

    def value(name: str) -> str:
        return str(next(iter(each.values.get(name, ())), "")) or SAMPLES.get(name, name)

    text = SLOT.sub(lambda match: value(match[1]), each.patterns[0])
    return text.replace("for at ", "for ").replace(" : ", ": ")


@skill(
    "cancel it",
    "delete that",
    "cancel that",
    "delete it",
    "undo that",
    "remove that",
    "forget that",
    "remove it",
    "undo",
    "take that back",
    "undo it",
    "delete that again",
    "delete the last one",
    "cancel the last one",
    "delete them",
    "scrap that",
    "erase it",
    "never mind , delete that",
    "actually cancel that",
    "stop it",
    "undo the last one",
    "delete this",
    "cancel them",
    "clear that again",
    "erase that",
    "delete what i just said",
    "remove this again",
    "cancel this",
    "forget it",
    "undo what you just did",
    strict=True,
)
def cancel_last(slots: dict[str, str], world: World) -> str | Confirm:
    """Deletes what was added or listed last, after a yes."""
    everything = re.search(r"\beverything\b", world.said, re.IGNORECASE)
    kept = [(kind, entry) for kind, entry in world.last if entry in world.memory.entries(kind)]
    if everything or not kept:
        return _stored(world)
    return ask_to_delete(world, kept[0][0], [entry for _, entry in kept])


def _stored(world: World) -> str:
    """Says how much of each kind there is, and asks what to delete."""
    counts = {kind: len(world.memory.entries(kind)) for kind in KINDS}
    listed = [f"{count} {ONE[kind] if count == 1 else kind}" for kind, count in counts.items() if count]
    if not listed:
        return "There is nothing to delete: no notes, reminders, timers or alarms."
    *most, last = listed
    some = f"{', '.join(most)} and {last}" if most else last
    example = next(kind for kind, count in counts.items() if count)
    return f"You have {some}. What shall I delete? Say, for example: delete all {example}."
