"""What may stand in a pattern's slots. Of listed values every part of the data has its own; numbers are drawn anew."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from .skills import clock
from .skills.numerals import SMALL

Random = np.random.Generator
NUMERALS = [word for word in SMALL if word != "zero"]
UNITS = tuple(
    line.split("|")
    for line in (
        "mile|miles|kilometre|kilometres|kilometers|km|metre|metres|meters|foot|feet|yards",
        "inch|inches|centimetres|cm|millimetres|feet",
        "pound|pounds|kilograms|kg|grams|ounces|kilos|stones|lbs",
        "litre|litres|liters|gallon|gallons|pints|cups|millilitres|ml|fluid ounces|tablespoons",
        "celsius|fahrenheit|kelvin|degrees celsius|degrees fahrenheit",
        "miles per hour|kilometres per hour|mph|knots|meters per second",
        "second|seconds|minutes|hours|days|weeks",
        "acres|hectares|square meters|square feet",
        "bytes|kilobytes|megabytes|gigabytes",
        "joules|calories|kilowatt hours",
    )
)
TASKS = str.split(
    "call anna|water the plants|buy milk|pay the rent|feed the cat|take out the rubbish|book the flight|"
    "answer the letter|pick up the parcel|wash the car|see the dentist|clean the windows|write to uncle bob|"
    "charge the phone|lock the back door|buy a birthday present for tom|take my pills|order new glasses|"
    "practise the piano|iron the blue shirt|check the oven|walk the dog|send the invoice to mr miller|"
    "renew my passport|get the bread from the bakery|go for a run|bring back the library books|"
    "prepare the talk about bees|ring the plumber|cancel the newspaper|sign the contract|meet sarah at the station|"
    "empty the dishwasher|fix the bicycle|return the shoes|call the bank about the loan",
    "|",
)
NOTES = str.split(
    "the key is under the mat|my locker is number 81|eggs , flour and sugar|the wifi password has changed|"
    "paul likes green tea|the meeting moved to room 4|we are out of soap|the red wire goes left|"
    "maria's birthday is in june|the train leaves from platform 3|ask about the discount|the code is 4471|"
    "garlic , lemons and rice|the second chapter is too long|size 42 fits|the bins go out on thursday|"
    "lisa is allergic to nuts|park near the church|buy stamps|the gym closes at ten|try the soup at gino's|"
    "an idea for the title|this battery lasts two days|the old number does not work|light bulbs for the hall|"
    "the plumber wants 80 euros|bring cash|the bakery opens at six|oranges and bread|spare tyre is in the shed|"
    "call before visiting|the printer needs paper|tea , coffee , biscuits|the cat sleeps in the attic",
    "|",
)
NAMES = str.split(
    "pasta|tea|egg|laundry|pizza|workout|cake|rice|meeting|nap|oven|coffee|bread|reading|potato|break", "|"
)
PARTS = ("train", "valid", "test")


def own(listed: Sequence[str], part: str) -> list[str]:
    """The part's values of a list: of every six train has four, valid and test one; of a short list each has all."""
    if len(listed) < 6:
        return list(listed)
    turn = {"train": (0, 1, 2, 3), "valid": (4,), "test": (5,)}[part]
    return [value for number, value in enumerate(listed) if number % 6 in turn]


def amount(random: Random) -> str:
    """A number in digits or words."""
    kind = random.integers(6)
    if kind < 2:
        return str(random.integers(1, 100))
    if kind == 2:
        return str(random.integers(100, 10_000))
    if kind == 3:
        return f"{random.integers(0, 100)}.{random.integers(1, 10)}"
    if kind == 4:
        return str(random.choice(NUMERALS))
    return str(random.choice(["a", "an", "half a", "two hundred", "a dozen", "twenty five", "a hundred"]))


def expression(random: Random) -> str:
    """Arithmetic with signs or words, two to four terms."""
    spoken = random.random() < 0.5
    terms = ("plus", "minus", "times", "divided by", "over", "multiplied by") if spoken else ("+", "-", "*", "/", "**")
    kind = random.integers(12)
    if kind == 0:
        return f"the square root of {_term(random, False)}"
    if kind == 1:
        return f"{random.integers(1, 100)} percent of {random.integers(10, 5000)}"
    if kind == 2:
        return f"{random.integers(1, 100)}% of {random.integers(10, 5000)}"
    if kind == 3:
        return (
            f"{_term(random, spoken)} {random.choice(['squared', 'to the power of 3', 'to the power of ten', 'cubed'])}"
        )
    if kind == 4:
        return f"({_term(random, False)} + {_term(random, False)}) * {_term(random, False)}"
    text = _term(random, spoken)
    gap = "" if not spoken and random.random() < 0.3 else " "
    for _ in range(random.integers(1, 4)):
        text += f"{gap}{random.choice(terms)}{gap}{_term(random, spoken)}"
    return text


def _term(random: Random, spoken: bool) -> str:
    if spoken and random.random() < 0.4:
        return str(random.choice(NUMERALS))
    return str(random.integers(1, 10 ** random.integers(1, 4))) + (".5" if random.random() < 0.1 else "")


def duration(random: Random) -> str:
    """Such as: ten minutes, 1 hour and 30 minutes, half an hour."""
    kind = random.integers(5)
    count = str(random.integers(2, 60)) if random.random() < 0.6 else str(random.choice(NUMERALS[1:]))
    unit = str(random.choice(["seconds", "minutes", "minutes", "minute", "hours", "days"]))
    if kind == 0:
        return str(random.choice(["half an hour", "an hour", "a minute", "one hour", "an hour and a half", "a week"]))
    if kind == 1:
        return f"{random.integers(1, 5)} hours and {count} minutes"
    return f"{count} {unit}"


def moment(random: Random) -> str:
    """Such as: tomorrow at 9, on friday, in two hours, at half past five."""
    days = ["tomorrow", "on monday", "on friday", "today", "on sunday", "next tuesday", "on wednesday", "this saturday"]
    parts = ["tonight", "tomorrow morning", "this evening", "tomorrow afternoon", "at noon", "on thursday evening"]
    hour = random.integers(1, 13)
    clock_times = [
        f"at {hour}",
        f"at {hour} pm",
        f"at {hour}:{random.integers(10, 60)}",
        f"at {hour}am",
        f"at {hour} o'clock",
    ]
    clock_times += [f"at half past {random.choice(NUMERALS[:12])}", f"at quarter to {hour}", f"at {NUMERALS[hour - 1]}"]
    kind = random.integers(5)
    if kind == 0:
        return f"in {duration(random)}"
    if kind == 1:
        return str(random.choice(parts))
    if kind == 2:
        return str(random.choice(clock_times))
    if kind == 3:
        return str(random.choice(days))
    return f"{random.choice(days)} {random.choice(clock_times)}"


def units(random: Random) -> dict[str, str]:
    """A unit and another of the same kind."""
    source, target = random.choice(UNITS[int(random.integers(len(UNITS)))], 2, replace=False)
    return {"unit": str(source), "target": str(target)}


DRAWN: dict[str, Callable[[Random], str]] = {
    "amount": amount,
    "expression": expression,
    "duration": duration,
    "moment": moment,
    "count": lambda random: str(random.integers(1, 21)) if random.random() < 0.6 else str(random.choice(NUMERALS[:12])),
    "sides": lambda random: str(random.choice([4, 6, 8, 10, 12, 20, 30, 100, "six", "eight", "twelve", "twenty"])),
}


@functools.cache
def listed() -> dict[str, list[str]]:
    """The slots whose values are listed, and their values."""
    return {"city": sorted(clock.places()), "task": list(TASKS), "note": list(NOTES), "name": list(NAMES)}
