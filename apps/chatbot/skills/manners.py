"""Greetings, thanks, goodbyes, and help."""

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
    "hello there",
    "good day",
    "hey",
    "good morning assistant",
    "hi again",
    "hi assistant",
    "greetings",
    "good evening assistant",
    "hey assistant",
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
    "thank you very much",
    "many thanks",
    "great , thank you",
    "perfect , thanks",
    "thank you so much",
    "very helpful , thank you",
    "many thanks to you",
    "thanks , that was helpful",
    "great , thanks",
    "perfect , thank you",
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
    "see you",
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
    return "Goodbye!"


@skill(
    "what can you do",
    "help",
    "help me",
    "what can i ask you",
    "what are you able to do",
    "how can you help me",
    "how do you work",
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
    "tell me what you are able to do",
)
def show_help(slots: dict[str, str], world: World) -> str:
    """Lists an example pattern of every skill."""
    lines = [f"  {each.patterns[0]}" for each in world.skills.values() if each.name != "show_help"]
    return "For example:\n" + "\n".join(lines)
