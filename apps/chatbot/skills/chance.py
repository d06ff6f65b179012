"""Dice and coins."""

from . import CannotDo, World, skill
from .numerals import number

MOST_DICE, MOST_SIDES = 100, 1_000_000


@skill(
    "roll a die",
    "roll {count} dice",
    "throw a dice",
    "roll {count} dice with {sides} sides",
    "throw {count} dice",
    "roll a {sides} sided die",
    "roll the dice",
    "let me see {count} dice",
    "cast a die with {sides} sides",
    "i need {count} dice rolls",
    "give me a throw of {count} dice",
    "can you throw a die for me",
    "roll {count} {sides} sided dice",
)
def roll_dice(slots: dict[str, str], world: World) -> str:
    """Throws dice."""
    count, sides = _number(slots.get("count", "1"), MOST_DICE), _number(slots.get("sides", "6"), MOST_SIDES)
    thrown = world.random.integers(1, sides + 1, count).tolist()
    return f"{thrown[0]}." if count == 1 else f"{' + '.join(map(str, thrown))} = {sum(thrown)}."


@skill(
    "flip a coin",
    "heads or tails",
    "toss a coin",
    "throw a coin for me",
    "flip a coin for us",
    "let a coin decide",
    "can you toss a coin",
    "i need a coin toss",
)
def flip_coin(slots: dict[str, str], world: World) -> str:
    """Tosses a coin."""
    return "Heads." if world.random.integers(2) else "Tails."


def _number(text: str, most: int) -> int:
    count = number(text)
    if count is None or count != int(count) or not 1 <= count <= most:
        raise CannotDo(f"Expected a whole number from 1 to {most:,}; I heard {text!r}.")
    return int(count)
