"""Built-in data: a grammar of opinions that bag-of-words models cannot solve.

Apart from a few plain ones, its sentences negate, contrast, hedge or mock. Those with an opinion contain praise and
blame in equal number or invert what they say: the order of the words and the dominant clause decide.
The splits share no sentences. Valid and test each combine patterns and opinions not combined in any other split, about
things not mentioned in train.
"""

import itertools

import numpy as np

SEED = 0
SIZES = {"train": 6_000, "valid": 1_000, "test": 1_000}
LABELS = {-1: "negative", 0: "neutral", 1: "positive"}

GOOD = str.split(
    "good great lovely excellent superb pleasant delightful charming friendly tasty clean quick honest clever warm "
    "splendid cheerful helpful elegant fresh perfect wonderful brilliant impressive"
)
BAD = str.split(
    "bad awful nasty terrible dreadful unpleasant horrible dull rude bland dirty slow dishonest stupid cold "
    "miserable gloomy useless clumsy stale broken disgusting hopeless disappointing"
)
THINGS = str.split(
    "food service room view waiter music coffee bread garden story ending film actor plot camera battery screen "
    "phone bed shower staff price beach museum train driver concert singer book author lesson teacher game team "
    "soup dessert wine hotel map guide"
)
KNOWN_THINGS = 30  # those of THINGS used in train; valid and test use the others
STRONG = ["very", "really", "truly", "so", "quite", "extremely", "just", "absolutely"]
WEAK = ["hardly", "barely", "far from", "anything but", "never", "in no way"]
BEFORE = ["we came on a monday .", "it was raining .", "i paid for two .", "a friend told me to go .", "second visit ."]
AFTER = ["we left at nine .", "that was in may .", "i wrote it down .", "there were four of us .", "so much for that ."]

# {a} and {c} are opinions of the sign +1 or -1, {b} one of the opposite sign; the number is the overall sentiment
# relative to a's sign: the same, the opposite, or neutral. {x} and {y} are things, {i} intensifies, {w} negates.
PATTERNS = (
    (1, "{a}"),
    (1, "{a} {x}"),
    (1, "{i} {a} {x}"),
    (-1, "not {a}"),
    (-1, "not a {i} {a} {x}"),
    (1, "the {x} was {a} and the {y} {c}"),
    (1, "{a} {x} , {i} {c} {y}"),
    (1, "the {x} was {i} {a}"),
    (-1, "the {x} was {w} {a}"),
    (-1, "the {x} was not {a}"),
    (-1, "i would not call the {x} {i} {a}"),
    (-1, "nobody could say that the {x} was {a}"),
    (1, "nobody could say that the {x} was not {a}"),
    (1, "the {x} was {w} {b} and {i} {a}"),
    (1, "the {x} was not {b} but {a}"),
    (-1, "the {x} was {w} {a} and the {y} was {b}"),
    (1, "the {x} was {b} but the {y} was {i} {a}"),
    (1, "although the {x} was {b} , the {y} was {a}"),
    (1, "the {x} was {a} , even though the {y} was {i} {b}"),
    (1, "despite the {b} {x} i found the {y} {i} {a}"),
    (-1, "they promised that the {x} would be {a} ; it was not"),
    (-1, "everyone says the {x} is {a} ; i can not agree"),
    (1, "everyone says the {x} is {b} ; i can not agree"),
    (1, "the {x} was said to be {b} , but no , it was {i} {a}"),
    (-1, "not one of us thought that the {x} or the {y} was {a}"),
    (0, "the {x} was neither {a} nor {b}"),
    (0, "some find the {x} {i} {a} , others find it {b}"),
    (0, "was the {x} {i} {a} or {b} ? i have not been there"),
    (0, "i have not tried the {x} yet , they say it is {i} {a}"),
    (0, "the {x} can be {a} or {b} , it depends on the day"),
    (0, "the {x} comes with the {y}"),
    (0, "does anyone know whether the {x} is {a} ?"),
)
# Praise meant as blame, with markers of sarcasm.
MOCKERY = (
    "oh {a} , the {x} again ...",
    "yeah right , the {x} was {i} {a}",
    "the {x} was {i} {a} . not !",
    "how {a} of them to lose the {x}",
    "{a} , just what i needed : no {x} and no {y}",
)


def parts() -> dict[str, list[tuple[str, str]]]:
    """Generates (text, label) for each split, the same in every process; splits share no sentences."""
    random = np.random.default_rng(SEED)
    made: dict[str, list[tuple[str, str]]] = {}
    seen: set[str] = set()
    for part, size in SIZES.items():
        made[part] = []
        for number in itertools.count():
            if len(made[part]) == size:
                break
            text, sign = sentence(random, part, number % (len(PATTERNS) + len(MOCKERY)))
            if text not in seen:
                seen.add(text)
                made[part].append((text, LABELS[sign]))
    return made


def sentence(random: np.random.Generator, part: str, pattern: int) -> tuple[str, int]:
    """Generates a sentence from a pattern, given by its index; returns it with its sentiment: -1, 0 or 1."""
    if pattern < len(PATTERNS):
        (rule, text), sign = PATTERNS[pattern], int(random.choice([-1, 1]))
    else:
        rule, text, sign = -1, MOCKERY[pattern - len(PATTERNS)], 1
    things = THINGS[:KNOWN_THINGS] if part == "train" else THINGS[KNOWN_THINGS:]
    x, y = random.choice(things, 2, replace=False)
    same, other = (_opinions(words, part, pattern) for words in ((GOOD, BAD) if sign > 0 else (BAD, GOOD)))
    a, c = random.choice(same, 2, replace=False)
    text = text.format(x=x, y=y, a=a, b=random.choice(other), c=c, i=random.choice(STRONG), w=random.choice(WEAK))
    if random.random() < 0.3:
        text = f"{random.choice(BEFORE)} {text}"
    if random.random() < 0.3:
        text = f"{text} {'' if text[-1] in '?!.' else '. '}{random.choice(AFTER)}".replace("  ", " ")
    return text, rule * sign


def _opinions(words: list[str], part: str, pattern: int) -> list[str]:
    """Returns the opinions that a split combines with a pattern: of every six, train has four, valid and test one."""
    turn = {"train": (0, 1, 2, 3), "valid": (4,), "test": (5,)}[part]
    return [word for number, word in enumerate(words) if (number + pattern) % 6 in turn]
