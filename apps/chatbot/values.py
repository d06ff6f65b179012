"""The values of the patterns' slots. Listed values are divided between the splits; numbers are drawn at random."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from .skills import places
from .skills.dates import MONTHS, ORDINALS, WEEKDAYS
from .skills.numerals import SMALL

Random = np.random.Generator
NUMERALS = [word for word in SMALL if word != "zero"]
TEMPERATURES = ("celsius", "fahrenheit", "degrees celsius", "degrees fahrenheit", "C", "F")
UNITS = tuple(
    line.split("|")
    for line in (
        "mile|miles|kilometre|kilometres|kilometers|km|metre|metres|meters|foot|feet|yards",
        "inch|inches|centimetres|cm|millimetres|feet",
        "pound|pounds|kilograms|kg|grams|ounces|kilos|stones|lbs",
        "litre|litres|liters|gallon|gallons|pints|cups|millilitres|ml|fluid ounces|tablespoons",
        "celsius|fahrenheit|kelvin|degrees celsius|degrees fahrenheit|C|F|K",
        "miles per hour|kilometres per hour|mph|knots|meters per second",
        "second|seconds|minutes|hours|days|weeks",
        "acres|hectares|square meters|square feet",
        "bytes|kilobytes|megabytes|gigabytes|MB|GB",
        "joules|calories|kilowatt hours|kWh",
    )
)
TASKS = str.split(
    "call anna|water the plants|buy milk|pay the rent|feed the cat|take out the rubbish|book the flight|"
    "answer the letter|pick up the parcel|wash the car|see the dentist|clean the windows|write to uncle bob|"
    "charge the phone|lock the back door|buy a birthday present for tom|take my pills|order new glasses|"
    "practise the piano|iron the blue shirt|check the oven|walk the dog|send the invoice to mr miller|"
    "renew my passport|get the bread from the bakery|go for a run|bring back the library books|"
    "prepare the talk about bees|ring the plumber|cancel the newspaper|sign the contract|meet sarah at the station|"
    "empty the dishwasher|fix the bicycle|return the shoes|call the bank about the loan|"
    "take the cake out of the oven|pick up my sister|pay the electricity bill|do the laundry|take out the bins|"
    "call my father|buy cheese|check my email|turn off the heating|drink some water|take a break|get up and move|"
    "pick my son up from school|order the tickets|text maria back|study for the exam|put the bins outside|"
    "bring an umbrella|go to bed|finish the report|wish lena a happy birthday|change the filter|get petrol|"
    "wash my hair|submit the form|give the dog a bath|visit grandpa|check on the soup|move the car|do my homework",
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
    "call before visiting|the printer needs paper|tea , coffee , biscuits|the cat sleeps in the attic|"
    "bread|apples|orange juice|butter and cheese|two bottles of water|a new toothbrush|coffee|olive oil|onions|soap|"
    "tomatoes , pasta and basil|cat food|washing powder|bananas|a birthday card|sugar|dog biscuits|yoghurt|"
    "paper towels|carrots and potatoes|toothpaste|white wine|ice cream|chicken|salt|a dozen rolls|printer ink|jam|"
    "shampoo|frozen peas|mustard|honey and nuts|salad|a light bulb|tissues|rice|six lemons|chocolate|fish|cereal|"
    "my car is parked on the third floor|my passport is in the top drawer|the spare key hangs in the kitchen|"
    "i left my umbrella at the office|i lent the ladder to john|my glasses are in the car|we owe peter twenty euros|"
    "the suitcase is at my parents|the dog gets two pills a day|anna prefers the window seat|my tools are upstairs|"
    "i put the papers in the blue box|the shop is closed on mondays|our hotel is next to the station|"
    "the pin of the card is 8080|the neighbours are away until sunday|my shoe size is 43|grandpa does not eat fish|"
    "i must not eat peanuts|the recipe needs three eggs|ben's flight lands at nine|the tent is in the cellar",
    "|",
)
NAMES = str.split(
    "pasta|tea|egg|laundry|pizza|workout|cake|rice|meeting|nap|oven|coffee|bread|reading|potato|break|"
    "spaghetti|chicken|kitchen|parking|soup|yoga|washing machine|homework|steak|cookie",
    "|",
)
AMOUNTS = str.split("a|an|half a|two hundred|a dozen|twenty five|a hundred|twelve hundred|a hundred and ten", "|")
DURATIONS = str.split(
    "half an hour|an hour|a minute|one hour|an hour and a half|a week|two and a half hours|three quarters of an hour|"
    "a quarter of an hour|a couple of minutes|one hour thirty|1h30|ten and a half minutes|two days and a half",
    "|",
)
DAYS = str.split("tomorrow|today|tomorrow|the day after tomorrow|tomorrow morning|tomorrow evening|tonight", "|")
PARTS_OF_DAYS = str.split(
    "tonight|tomorrow morning|this evening|tomorrow afternoon|at noon|on thursday evening|in the morning|at midnight|"
    "in the evening|on friday night|a week from now|in a month",
    "|",
)
PARTS = ("train", "valid", "test")


def own(listed: Sequence[str], part: str) -> list[str]:
    """Returns a split's values of a list: of every six, train has four, valid and test one; short lists are shared."""
    if len(listed) < 6:
        return list(listed)
    turn = {"train": (0, 1, 2, 3), "valid": (4,), "test": (5,)}[part]
    return [value for number, value in enumerate(listed) if number % 6 in turn]


def amount(random: Random) -> str:
    """Generates a number in digits or words."""
    kind = random.integers(8)
    if kind < 2:
        return str(random.integers(1, 100))
    if kind == 2:
        return str(random.integers(100, 10_000))
    if kind == 3:
        return f"{random.integers(0, 100)}.{random.integers(1, 10)}"
    if kind == 4:
        return str(random.choice(NUMERALS))
    if kind == 5:
        return signed(random)
    if kind == 6:
        digit = int(random.integers(2, 10))
        return str(random.choice([f"{digit},000", f"1/{digit}", f"{NUMERALS[digit]} and a half", f"{digit}.5 million"]))
    return str(random.choice(AMOUNTS))


def signed(random: Random) -> str:
    """Generates a negative number."""
    number = str(random.choice(NUMERALS)) if random.random() < 0.3 else str(random.integers(1, 60))
    return f"{random.choice(['minus ', 'minus ', '-', '- ', 'negative '])}{number}"


def expression(random: Random) -> str:
    """Generates arithmetic in symbols or words, with one to four terms."""
    spoken = random.random() < 0.5
    terms = ("plus", "minus", "times", "divided by", "over", "multiplied by") if spoken else ("+", "-", "*", "/", "**")
    kind = random.integers(13)
    if kind == 12:
        return f"{signed(random)} {random.choice(['plus', 'times', '+', '*', 'x'])} {random.integers(1, 100)}"
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
        text += f"{gap}{random.choice(terms)}{gap}{_term(random, spoken or (gap != '' and random.random() < 0.3))}"
    return text


def _term(random: Random, spoken: bool) -> str:
    if spoken and random.random() < 0.4:
        return str(random.choice(NUMERALS))
    return str(random.integers(1, 10 ** random.integers(1, 4))) + (".5" if random.random() < 0.1 else "")


def duration(random: Random) -> str:
    """Generates a duration, such as ten minutes, 2 hours and 30 minutes, half an hour."""
    kind = random.integers(5)
    count = str(random.integers(2, 60)) if random.random() < 0.6 else str(random.choice(NUMERALS[1:]))
    unit = str(random.choice(["seconds", "minutes", "minutes", "minute", "hours", "days"]))
    if kind == 0:
        return str(random.choice(DURATIONS))
    if kind == 1:
        return f"{random.integers(1, 5)} hours and {random.integers(1, 60)} minutes"
    return f"{count} {unit}"


def moment(random: Random) -> str:
    """Generates a moment, such as tomorrow at 9, on friday, in two hours, at half past five, the 24th at 6 pm."""
    kind = random.integers(6)
    if kind == 0:
        return f"in {duration(random)}"
    if kind == 1:
        return str(random.choice(PARTS_OF_DAYS))
    if kind == 2:
        return time_of_day(random)
    if kind == 3:
        return day(random)
    return f"{day(random)} {time_of_day(random)}" if random.random() < 0.8 else f"{time_of_day(random)} {day(random)}"


def day(random: Random) -> str:
    """Generates a day, such as tomorrow, next friday, march 5, the 24th of december, 2027-12-24."""
    date, month = int(random.integers(1, 29)), str(random.choice(MONTHS))
    nth = f"{date}{'th' if 10 < date < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(date % 10, 'th')}"
    kind = random.integers(4)
    if kind < 2:
        return str(random.choice(DAYS))
    if kind == 2:
        weekday = str(random.choice(WEEKDAYS))
        return str(random.choice([f"on {weekday}", f"on {weekday}", f"next {weekday}", f"this {weekday}", weekday]))
    dates = [f"on {month} {date}", f"on the {nth}", f"the {nth}", f"on the {nth} of {month}", f"on {date} {month}"]
    dates += [f"{month} the {nth}", f"2027-{MONTHS.index(month) + 1:02}-{date:02}"]
    return str(random.choice([*dates, f"on the {random.choice(list(ORDINALS))}"]))


def time_of_day(random: Random) -> str:
    """Generates a time, such as at 9, at 18.30, at half past five, at 9 o'clock in the evening."""
    hour, minute = int(random.integers(1, 13)), int(random.integers(10, 60))
    word = NUMERALS[hour - 1]
    part = random.choice(["morning", "evening", "afternoon"])
    times = [f"at {hour}", f"at {hour} pm", f"at {hour}:{minute}", f"at {hour}am", f"at {hour} o'clock", f"at {word}"]
    times += [f"at half past {word}", f"at half past {hour}", f"at quarter to {hour}", f"at a quarter past {word}"]
    times += [f"at {hour + 11}.{minute}", f"at {hour + 11}:{minute}", f"at {word} thirty", f"at ten to {word}"]
    times += [f"at {hour} in the {part}", f"at {hour} o'clock in the {part}", f"at {word} at night", f"at {hour} p.m."]
    return str(random.choice([*times, "at noon", "at midnight"]))


def units(random: Random) -> dict[str, str]:
    """Generates a unit and another of the same kind and, for some units, a plausible amount."""
    source, target = random.choice(UNITS[int(random.integers(len(UNITS)))], 2, replace=False)
    found = {"unit": str(source), "target": str(target)}
    if found["unit"] in TEMPERATURES and random.random() < 0.4:
        return found | {"amount": signed(random)}
    if found["unit"] in ("feet", "foot") and random.random() < 0.5:  # 5 foot 11, 5'11"
        feet, inches = int(random.integers(4, 8)), int(random.integers(1, 12))
        unit = random.choice([f"foot {inches}", f"feet {inches}", f"'{inches}\"", f"feet {inches} inches"])
        target = random.choice(["cm", "centimetres", "metres", "m"])
        return {"amount": str(feet), "unit": str(unit), "target": str(target)}
    return found


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
    """Returns the slots with listed values, and the values."""
    return {"city": places.names(), "task": list(TASKS), "note": list(NOTES), "name": list(NAMES)}
