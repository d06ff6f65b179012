"""Dice and coins."""

from . import CannotDo, World, skill
from .numerals import number
from .reader import shortened

MOST_DICE, MOST_SIDES = 100, 1_000_000


@skill(
    "roll a die",
    "roll {count} dice",
    "throw a die",
    "roll {count} dice with {sides} sides",
    "throw {count} dice",
    "roll a {sides} sided die",
    "roll the dice",
    "throw the dice",
    "cast a die with {sides} sides",
    "roll a die with {sides} sides",
    "throw {count} dice with {sides} sides",
    "can you roll {count} dice",
    "give me a roll of {count} dice",
    "can you throw a die",
    "roll {count} {sides} sided dice",
    "cast {count} dice",
    "can you throw a die for me",
    "give me a throw of {count} dice",
    "throw a {sides} sided die",
    "i need {count} dice",
    "let me see a throw of {count} dice",
    "dice roll",
    "i need a roll of {count} dice",
    "roll a dice",
    "roll {count} dice for me",
    "roll a d{sides}",
    "roll me a die",
    "throw me {count} dice",
    "roll {count} d{sides}",
    "cast the dice",
    strict=True,
)
def roll_dice(slots: dict[str, str], world: World) -> str:
    """Rolls dice."""
    count, sides = _number(slots, "count", 1, MOST_DICE), _number(slots, "sides", 6, MOST_SIDES)
    thrown = world.random.integers(1, sides + 1, count).tolist()
    return f"{thrown[0]}." if count == 1 else f"{' + '.join(map(str, thrown))} = {sum(thrown)}."


@skill(
    "flip a coin",
    "heads or tails",
    "toss a coin",
    "throw a coin",
    "flip a coin for us",
    "can you flip a coin",
    "throw a coin for me",
    "let a coin decide",
    "can you toss a coin",
    "i need a coin toss",
    "toss a coin for us",
    "coin toss",
    "give me heads or tails",
    "i need a coin flip",
    "let us toss a coin",
    "coin flip",
    "let us flip a coin",
    "is it heads or tails",
    "flip a coin to decide",
    "can we flip a coin",
    "heads or tails for me",
    "toss a coin to decide",
    "flip a coin please",
    "do a coin flip",
    strict=True,
)
def flip_coin(slots: dict[str, str], world: World) -> str:
    """Flips a coin."""
    return "Heads." if world.random.integers(2) else "Tails."


def _number(slots: dict[str, str], slot: str, usual: int, most: int) -> int:
    if slot not in slots:
        return usual
    count = number(slots[slot], slot)
    if count != int(count) or not 1 <= count <= most:
        raise CannotDo(f"I need a whole number from 1 to {most:,}; I heard {shortened(slots[slot])!r}.")
    return int(count)
