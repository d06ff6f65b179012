"""Built-in data: requests from the skills' patterns, short follow-ups, and sentences that no skill handles.

Of every six patterns of a skill, train has four, valid and test one each; likewise for cities, tasks, notes and names.
The splits share no sentences, unless the patterns are too few.
"""

import functools
import re
from collections.abc import Iterable

import numpy as np

from . import tags, tokens, values, variation
from .others import FEELINGS, OTHERS, PEOPLE, THINGS
from .skills import SLOT, Skill, known, places

SEED = 0
SIZES = {"train": 9_000, "valid": 1_000, "test": 1_000}
OUT_OF_SCOPE, FOLLOW_UP = "out_of_scope", "follow_up"
SHARES = {OUT_OF_SCOPE: 0.22, FOLLOW_UP: 0.1}  # the rest is distributed over the skills
MADE = 0.65  # share of out-of-scope sentences generated from OTHERS; the rest is prose
LACKING = 0.1  # share of the requests of a skill with questions that lack a slot it asks for, where a pattern allows
ENDS = ("", "", ".", "?", "!")

# Follow-ups that change something in the request before.
FOLLOW_UPS = (
    "and in {city}",
    "what about {city}",
    "and {city}",
    "how about {expression}",
    "and how about {city}",
    "and for {city}",
    "and {amount} {unit}",
    "what about {amount} {unit}",
    "{city}",
    "and {expression}",
    "how about {amount} {unit}",
    "and what about {city}",
    "and in {target}",
    "{duration}",
    "{moment}",
    "{amount}",
    "and into {target}",
    "and {moment}",
    "and {count} dice",
    "make it {duration}",
    "and with {sides} sides",
    "in {city}",
    "what about {duration}",
    "now with {sides} sides",
)
LINKS = ("for", "to", "that", "of", "about", ":", "at", "in", "called")  # end with the slot after them
FEWEST_LEFT = 2  # words of a pattern without its last slot

Made = tuple[list[str], list[str], str]  # tokens, tags, intent


def parts(own_skills: str = "") -> dict[str, list[Made]]:
    """Generates the requests of each split, always the same; `own_skills` is a Python file with more skills."""
    skills = known(own_skills)
    random = np.random.default_rng(SEED)
    made: dict[str, list[Made]] = {}
    seen: set[str] = set()
    for part, size in SIZES.items():
        made[part] = []
        tries = 0
        while len(made[part]) < size and tries < 50 * size:
            tries += 1
            found = request(random, part, skills)
            if (text := " ".join(found[0])) not in seen or tries > 25 * size:
                seen.add(text)
                made[part].append(found)
    return made


def request(random: np.random.Generator, part: str, skills: dict[str, Skill]) -> Made:
    """Generates one request: its tokens, tags and intent."""
    drawn = random.random()
    if drawn < SHARES[OUT_OF_SCOPE]:
        return _outside(random, part)
    if drawn < sum(SHARES.values()):
        intent, patterns, more = FOLLOW_UP, FOLLOW_UPS, {}
    else:
        intent = str(random.choice(sorted(skills)))
        patterns, more = skills[intent].patterns, skills[intent].values
    pattern = str(random.choice(values.own(patterns, part)))
    if intent != FOLLOW_UP and skills[intent].asks and random.random() < LACKING:
        pattern = lacking(pattern, skills[intent].asks) or pattern
    filled = fill(pattern, random, part, more)
    if intent != FOLLOW_UP:
        filled = variation.politely(variation.reworded(filled, random), random)
    return *_ended(variation.mistyped(filled, random), random), intent


def lacking(pattern: str, asks: Iterable[str]) -> str:
    """Returns the pattern without a slot at its end that the skill asks for; "" if hardly anything would be left.

    >>> lacking("a recipe for {dish}", ["dish"])
    'a recipe'
    """
    start, _, name = pattern.removesuffix("}").rpartition("{")
    words = start.split()
    if not pattern.endswith("}") or name not in asks or "{" in start:
        return ""
    while words and words[-1] in LINKS:
        words.pop()
    return " ".join(words) if len(words) >= FEWEST_LEFT else ""


def fill(pattern: str, random: np.random.Generator, part: str, more: dict) -> list[tuple[str, str]]:
    """Fills a pattern's slots; returns pieces (text, name of the slot or "")."""
    lists = values.listed() | {name: list(listed) for name, listed in more.items()}
    same_kind = values.units(random)
    pieces = []
    for number, piece in enumerate(SLOT.split(pattern)):
        if number % 2 == 0:
            pieces.append((piece, ""))
        elif piece in same_kind:
            pieces.append((same_kind[piece], piece))
        elif piece in lists:
            pieces.append((str(random.choice(values.own(lists[piece], part))), piece))
        elif piece in values.DRAWN:
            drawn = values.DRAWN[piece](random)
            joined = pieces[-1][0].endswith("for ")  # for six, not for at six
            pieces.append((drawn.removeprefix("at ").removeprefix("on ") if joined else drawn, piece))
        else:
            raise ValueError(
                f"Expected values for the slot {{{piece}}} of the pattern {pattern!r}: give them in values="
            )
    return pieces


def _ended(pieces: list[tuple[str, str]], random: np.random.Generator) -> tuple[list[str], list[str]]:
    """Returns the tokens and tags of the pieces, with random final punctuation."""
    words: list[str] = []
    slots: list[tags.Span] = []
    for text, name in [*pieces, (str(random.choice(ENDS)), "")]:
        found = tokens.cut(text).tokens
        if name:
            slots.append((name, len(words), len(words) + len(found)))
        words += found
    return words, tags.tagged(len(words), slots)


def _outside(random: np.random.Generator, part: str) -> Made:
    """Generates an out-of-scope sentence: small talk, a request of another kind, or an excerpt of real prose."""
    if random.random() < MADE:
        lists = {
            "thing": THINGS,
            "person": PEOPLE,
            "feeling": FEELINGS,
            "title": [title(random, part) for _ in range(2)],
        }
        pieces = fill(str(random.choice(values.own(OTHERS, part))), random, part, lists)
        # Times are tagged in all requests: tags that depend on the intent made the skills' tags worse.
        pieces = [(text, name if name in values.DRAWN else "") for text, name in pieces]
        pieces = variation.politely(variation.reworded(pieces, random), random)
        return *_ended(variation.mistyped(pieces, random), random), OUT_OF_SCOPE
    lines = values.own(prose(), part)
    words = tokens.cut(str(random.choice(lines)).lower()).tokens
    start = int(random.integers(max(1, len(words) - 3)))
    words = words[start : start + int(random.integers(2, 12))]
    return words, tags.tagged(len(words), []), OUT_OF_SCOPE


def title(random: np.random.Generator, part: str) -> str:
    """Generates a name, as of a song or a person: a few words of prose, or names of small places."""
    if random.random() < 0.5:
        names = _small_places(part)
        return " ".join(names[number] for number in random.integers(len(names), size=random.integers(1, 3)))
    words = [
        word for word in tokens.cut(str(random.choice(values.own(prose(), part))).lower()).tokens if word.isalpha()
    ]
    start = int(random.integers(max(1, len(words) - 3)))
    return " ".join(words[start : start + int(random.integers(1, 5))])


@functools.cache
def _small_places(part: str) -> list[str]:
    return values.own(places.small(), part)


@functools.cache
def prose() -> list[str]:
    """Returns sentences of the Python language reference, which is included in every Python."""
    from pydoc_data.topics import topics

    text = " ".join(" ".join(topics[name].split()) for name in sorted(topics) if len(topics[name]) > 2000)
    return [
        s
        for s in re.split(r"(?<=[a-z][.:]) ", text)
        if re.fullmatch(r"[A-Z](?:[A-Za-z]|[ ,'-](?=[A-Za-z ])){20,200}[.:]", s)
    ]
