"""Built-in data: requests from the skills' patterns, short follow-ups, and sentences that no skill handles.

Of every six patterns of a skill, train has four, valid and test one each; likewise for cities, tasks, notes and names.
The splits share no sentences, unless the patterns are too few.
"""

import functools
import re

import numpy as np

from . import tags, tokens, values
from .skills import SLOT, Skill, known, places

SEED = 0
SIZES = {"train": 7_000, "valid": 1_000, "test": 1_000}
OUT_OF_SCOPE, FOLLOW_UP = "out_of_scope", "follow_up"
SHARES = {OUT_OF_SCOPE: 0.22, FOLLOW_UP: 0.1}  # the rest is distributed over the skills
MADE = 0.65  # share of out-of-scope sentences generated from OTHERS; the rest is prose
BEFORE = ("please", "hey ,", "can you", "could you please", "ok ,", "assistant ,", "and now", "so", "hi ,", "well ,")
AFTER = ("please", "thanks", "for me", "now", "if you can", ", please", "thank you", "right now")
POLITE = 0.25  # probability of one of BEFORE, and of one of AFTER
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
# Requests that no skill handles, both similar and dissimilar to those of skills.
OTHERS = (
    "how are you",
    "i am {feeling} today",
    "do you like {thing}",
    "what do you think of {thing}",
    "tell me something about {thing}",
    "tell me about {thing}",
    "my {person} is {feeling}",
    "who invented {thing}",
    "why is {thing} so expensive",
    "i have never liked {thing}",
    "tell me more about {thing}",
    "how do you feel",
    "play some {thing} music",
    "book a table in {city}",
    "what is the weather in {city}",
    "what do you know about {thing}",
    "will it rain in {city} tomorrow",
    "how is the weather in {city}",
    "i was in {city} last year with my {person}",
    "how far is it to {city}",
    "book a hotel in {city}",
    "find me a flight to {city}",
    "let us speak about {thing}",
    "find a good restaurant in {city}",
    "what is the capital of {city}",
    "is {city} worth a visit",
    "order {thing} for two people",
    "i love you",
    "are you a robot",
    "how many people live in {city}",
    "what's your name",
    "tell me a joke",
    "sing a song about {thing}",
    "tell me a story about {thing}",
    "where can i buy {thing}",
    "book a flight to {city}",
    "call my {person}",
    "send a message to my {person}",
    "do you know a joke",
    "turn on the lights",
    "how are you today",
    "turn off the lights",
    "i think that {thing} is better than {thing}",
    "what do you think about {thing}",
    "did you see the game with my {person}",
    "we had {thing} for dinner",
    "tell me a joke about {thing}",
    "my {person} wants to learn about {thing}",
    "can you recommend a film about {thing}",
    "do you have a {person}",
    "what shall i wear in {city}",
    "translate {thing} into french",
    "who are you",
    "i do not want to talk about {thing}",
    "that is not what i meant",
    "you are {feeling}",
    "play a song about {thing}",
    "what happened in {city} yesterday",
    "let us talk about {thing}",
    "how old is your {person}",
    "it is cold and i am {feeling}",
    "where is {city}",
    "are you {feeling}",
    "why are you {feeling}",
    "show me pictures of {city}",
    "do you want to go to {city} with me",
    "i would like to buy {thing}",
    "let us go to {city}",
    "what should i eat with {thing}",
    "how much is a ticket to {city}",
    "how much does {thing} cost",
    "set the heating to {feeling}",
    "remember me",
    "i have a {feeling} {person}",
    "what is {thing}",
    "what is the best {thing}",
    "who won the game in {city}",
    "open the window",
    # Requests to other assistants, with names, numbers and times that resemble a skill's slots.
    "add {title} to my {thing} playlist",
    "play the new album of {title}",
    "give this book {count} stars",
    "book a table for {count} in {city} {moment}",
    "will there be a storm in {city} {moment}",
    "which films are on {moment}",
    "find the series called {title}",
    "play something by {title}",
    "the novel {title} gets {count} points from me",
    "we need a restaurant in {city} for {count} people {moment}",
    "how cold will it be in {city} {moment}",
    "what time does the film {title} start",
    "where can i watch {title}",
    "put this song on my list of {thing}",
    "i give {title} {count} points out of {sides}",
    "make a reservation for my {person} and me {moment}",
    "is it windy in {city}",
    "is {title} on at the cinema in {city}",
    "i am looking for a game called {title}",
    "i want to hear {title}",
    "rate the last chapter {count} out of {sides}",
    "reserve a room with {thing} for {count} people",
    "i need the weather for {moment}",
    "show the programme of the theatre in {city}",
    "show me the painting {title}",
    "skip this song",
    "add this artist to {title}",
    "buy two tickets for {title} {moment}",
    "order a taxi for {moment}",
    "who wrote {title}",
    "send {amount} euros to my {person}",
    "next track please",
    "read me the news about {thing}",
    "text my {person} that i am {feeling}",
    "how long is the drive to {city}",
    "who sings {title}",
    "set the lights to {count} percent",
    "play {title} by {title}",
    "when did {title} come out",
    "what is the score of the {title} game",
    "find a recipe for {thing}",
    "how do you spell {title}",
    "what is the price of {title}",
    "turn the music down to {count}",
    "email my {person} about {thing}",
    "i want to eat {thing} somewhere in {city} {moment}",
    "search for {title}",
    "can i get the film {title}",
    "which flights go from {city} to {city} {moment}",
    "when does the next train to {city} leave",
    "what does a ticket from {city} to {city} cost",
    "show me the trains that leave {city} {moment}",
    "which airlines fly to {city}",
    "i need a flight to {city} that leaves {moment}",
)
THINGS = str.split(
    "jazz|football|chess|history|rain|coffee|the moon|spicy food|old films|physics|summer|poetry|bicycles|tulips|"
    "politics|whales|sushi|mathematics|the sea|paintings|detective stories|snow|country life|opera|computers|onions|"
    "gardening|silk|horses|trains|the telephone|apples|winter sports|magic|dinosaurs|tennis|chocolate|stars|bread",
    "|",
)
PEOPLE = str.split("brother sister mother father uncle neighbour boss friend cousin teacher wife husband")
FEELINGS = str.split("happy tired sad angry bored hungry excited lonely ill proud nervous busy")

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
    filled = fill(str(random.choice(values.own(patterns, part))), random, part, more)
    if intent != FOLLOW_UP:
        filled = _politely(filled, random)
    return *_ended(filled, random), intent


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
            pieces.append((values.DRAWN[piece](random), piece))
        else:
            raise ValueError(
                f"Expected values for the slot {{{piece}}} of the pattern {pattern!r}: give them in values="
            )
    return pieces


def _politely(pieces: list[tuple[str, str]], random: np.random.Generator) -> list[tuple[str, str]]:
    if random.random() < POLITE:
        pieces = [(str(random.choice(BEFORE)), ""), *pieces]
    return [*pieces, (str(random.choice(AFTER)), "")] if random.random() < POLITE else pieces


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
        return *_ended(_politely(pieces, random), random), OUT_OF_SCOPE
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
