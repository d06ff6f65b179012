"""How people vary a request: politeness, synonyms, missing apostrophes and slips of the keyboard.

A request is a list of pieces (text, slot), where the slot of text outside of all slots is "". Only such text and the
free text of notes and tasks is varied.
"""

import re

import numpy as np

Random = np.random.Generator
Pieces = list[tuple[str, str]]

POLITE = 0.35  # probability of one of BEFORE, and of one of AFTER
SWAPPED = 0.3  # probability of replacing a phrase by a synonym
MISTYPED = 0.12  # probability of a slip in a request
BARE = 0.3  # probability of leaving out the apostrophes of a request that has any
SHORTEST = 4  # letters of words with slips
FREE = ("", "note", "task")  # slots whose words may have slips

BEFORE = str.split(
    "please|hey ,|can you|could you please|ok ,|assistant ,|and now|so|hi ,|well ,|could you|would you|can you please|"
    "would you please|i want you to|i'd like you to|please can you|would you mind and|be so kind and|quick ,|now|ok so|"
    "will you|hey assistant|um ,|hey can you|i need you to|let's see ,|right ,|hello ,",
    "|",
)
AFTER = str.split(
    "please|thanks|for me|now|if you can|, please|thank you|right now|would you|will you|, thanks|, thank you|quickly|"
    "if possible|if you don't mind|ok|, would you please",
    "|",
)
# Phrases that mean the same in all patterns.
SYNONYMS = (
    ("what is", "what's", "what is"),
    ("what are", "what're", "which are"),
    ("how much is", "how much's", "what is"),
    ("delete", "remove", "erase", "clear", "wipe", "throw out", "trash", "get rid of"),
    ("cancel", "stop", "delete", "call off", "end"),
    ("turn off", "switch off", "shut off"),
    ("show", "list", "display", "read", "give"),
    ("show me", "let me see", "let me hear", "give me", "read out"),
    ("set a", "start a", "make a", "create a", "put on a", "set up a"),
    ("set an", "make an", "create an", "put on an", "set up an"),
    ("any more", "anymore", "any longer"),
    ("i want to", "i would like to", "i'd like to", "i wanna"),
    ("i have to", "i've got to", "i need to", "i gotta", "i should"),
    ("i need", "i want", "i'd like", "give me"),
    ("can you", "could you", "would you", "will you"),
    ("all my", "all of my", "all the"),
    ("shopping list", "grocery list", "list of groceries", "to do list", "todo list"),
    ("my list", "the list", "my shopping list", "my lists"),
    ("write down", "note down", "take down", "jot down"),
    ("remember that", "please remember that", "keep in mind that", "don't forget that"),
    ("calculate", "compute", "work out", "figure out"),
    ("convert", "change", "turn"),
    ("tell me", "can you tell me", "let me know"),
    ("roll", "throw"),
    ("about", "on", "regarding"),
    ("hello", "hi", "hey", "hiya"),
    ("a note", "a new note", "a quick note", "a memo"),
)
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEXT_KEYS = {
    key: row[max(0, place - 1) : place] + row[place + 1 : place + 2] for row in _KEYS for place, key in enumerate(row)
}
_WORD = re.compile(rf"(?<![^\W_])[a-z]{{{SHORTEST},}}(?![^\W_])")
_PHRASES = {phrase: group for group in reversed(SYNONYMS) for phrase in reversed(group)}
_PHRASE = re.compile(
    r"(?<![\w'])(?:" + "|".join(map(re.escape, sorted(_PHRASES, key=len, reverse=True))) + r")(?![\w'])"
)


def politely(pieces: Pieces, random: Random) -> Pieces:
    """Adds words before and after a request."""
    if random.random() < POLITE:
        pieces = [(str(random.choice(BEFORE)), ""), *pieces]
    return [*pieces, (str(random.choice(AFTER)), "")] if random.random() < POLITE else pieces


def reworded(pieces: Pieces, random: Random) -> Pieces:
    """Replaces phrases outside of slots by synonyms, each with the probability SWAPPED."""

    def other(found: re.Match) -> str:
        return str(random.choice(_PHRASES[found[0]])) if random.random() < SWAPPED else found[0]

    return [(text if slot else _PHRASE.sub(other, text), slot) for text, slot in pieces]


def mistyped(pieces: Pieces, random: Random) -> Pieces:
    """Leaves out apostrophes, and misspells one word, each with its probability."""
    if random.random() < BARE:
        pieces = [(text.replace("'", "") if not slot else text, slot) for text, slot in pieces]
    if random.random() >= MISTYPED:
        return pieces
    words = [(n, found) for n, (text, slot) in enumerate(pieces) if slot in FREE for found in _WORD.finditer(text)]
    if not words:
        return pieces
    number, found = words[int(random.integers(len(words)))]
    text, slot = pieces[number]
    changed = text[: found.start()] + slip(found[0], random) + text[found.end() :]
    return [*pieces[:number], (changed, slot), *pieces[number + 1 :]]


def slip(word: str, random: Random) -> str:
    """Misspells a word after its first letter: two letters swapped, one left out, doubled, or replaced by a neighbour.

    >>> slip("timer", np.random.default_rng(0))
    'timeer'
    """
    place = int(random.integers(1, len(word) - 1))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    near = str(random.choice(list(_NEXT_KEYS[letter])))
    return before + str(random.choice([after[0] + letter + after[1:], after, 2 * letter + after, near + after]))
