"""What is wrong with dialogues before training: those that are in two splits, replies said again and again, lengths."""

import collections
from pathlib import Path

from shared.data import doctor
from shared.data.doctor import NOTE, WARNING, Finding, Item
from shared.inspection import Amount, Inspected, effort, report
from shared.plots import Panel

from ..options import CheckTalkData
from .config import TALK_APP, TALK_RECIPES, TalkConfig
from .data import arranged, key, read, sentence

RECORDED = 2_544_637  # words, of contexts and replies, that the training recorded in results.json reads in an epoch
GENERIC = 0.02  # share of all replies from which one of them is what a network learns to say


def check_data(options: CheckTalkData) -> None:
    """Runs the check-talk-data command."""
    report(options, look)


def look(config: TalkConfig) -> Inspected:
    """Looks at the dialogues as they were given, and at the replies that are trained on."""
    given = read(config.data)
    data = arranged(given, config)
    parts = {"train": data.train, "valid": data.valid, "test": data.test}
    items = {part: [item(dialogue, part, n) for n, dialogue in enumerate(some, 1)] for part, some in given.items()}
    left_out = {"level": NOTE, "then": "training leaves them out", "among": "the training part as given"}
    steps = -(-len(data.train.ids) // config.batch_size)
    lengths = {part: [len(reply) for reply in some.replies] for part, some in parts.items()}
    amount = Amount(sum(len(said) + len(reply) for said, reply in data.train.ids), "words", RECORDED)
    findings = [
        *(doctor.duplicates(items["train"], items[part], part, "dialogues", **left_out) for part in ("valid", "test")),
        doctor.repeats(items["train"], "training dialogues"),
        generic(data.train.replies),
        doctor.enough(len(data.test.replies), "test", "replies", share=False),
        doctor.lengths(lengths["train"], "words", "training replies", config.max_words, "lose their end"),
        *doctor.characters((" ".join(turn), f"{part}, dialogue {n}") for part, some in given.items()
                           for n, dialogue in enumerate(some, 1) for turn in dialogue),
        effort(Path(__file__).parent, config, TALK_RECIPES, steps, config.epochs, amount, TALK_APP),
    ]  # fmt: skip
    turns = {part: [len(dialogue) for dialogue in some] for part, some in given.items()}
    panels = [Panel("replies", "words", lengths, config.max_words, "--max-words"), Panel("dialogues", "turns", turns)]
    return Inspected(f"{config.data}: {data.info['split']}", findings, panels)


def item(dialogue: list[list[str]], part: str, number: int) -> Item:
    """Returns a dialogue, shown by its first turn."""
    return Item(key(dialogue), sentence(dialogue[0]), f"{part}, dialogue {number}")


def generic(replies: list[list[str]]) -> Finding:
    """Names the most frequent reply, which fits everywhere."""
    reply, count = collections.Counter(map(tuple, replies)).most_common(1)[0]
    text = f"the most frequent of {len(replies):,} training replies, {sentence(list(reply))!r}, is said {count:,} times"
    return Finding(WARNING if count > GENERIC * len(replies) else NOTE, text)
