"""Greetings, thanks, goodbyes, and what can be asked."""

from . import World, skill


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
    "howdy",
    "greetings",
    "hey",
)
def greet(slots: dict[str, str], world: World) -> str:
    """Says hello."""
    hour = world.now().hour
    return (
        f"Good {'morning' if 4 < hour < 12 else 'afternoon' if 11 < hour < 18 else 'evening'}! What can I do for you?"
    )


@skill(
    "thank you",
    "thanks",
    "thanks a lot",
    "that was helpful",
    "many thanks",
    "thank you very much",
    "perfect , thanks",
    "great , thank you",
)
def thank(slots: dict[str, str], world: World) -> str:
    """You are welcome."""
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
)
def goodbye(slots: dict[str, str], world: World) -> str:
    """Says goodbye."""
    return "Goodbye!"


@skill(
    "what can you do",
    "help",
    "help me",
    "what can i ask you",
    "how does this work",
    "what are you able to do",
    "which commands do you know",
    "show me what you can do",
)
def show_help(slots: dict[str, str], world: World) -> str:
    """Names every skill with a pattern of it."""
    lines = [f"  {each.patterns[0]}" for each in world.skills.values() if each.name != "show_help"]
    return "For example:\n" + "\n".join(lines)
