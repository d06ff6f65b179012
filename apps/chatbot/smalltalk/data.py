"""Dialogues as pairs of context and reply, as ids; the dialogues of valid and test are not in train."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import regex

from shared import InputError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE
from shared.data.sequences import BucketBatches, bucket_lengths, pad, spread
from shared.data.text import BEGIN, END, SPECIALS, Vocabulary, read_text
from shared.data.wording import sized
from shared.fingerprint import fingerprint
from shared.trials import same_for_every_seed

from ..tokens import composed, cut
from .config import TalkConfig

TURN_END = "__eou__"
PAD_ID, UNKNOWN_ID, BEGIN_ID, END_ID = range(len(SPECIALS))
SPLIT_SEED, TENTH = 0, 0.1
FEWEST = 20  # minimum number of dialogues in your own data
_TIGHT = regex.compile(r" ([.,!?;:%)]|'\w+)")
_I = regex.compile(r"\bi\b")
_APART = regex.compile(r"\s*'\s*(?=(?:s|t|m|re|ve|ll|d)\b)")


@dataclasses.dataclass(frozen=True)
class Part:
    """Contexts (the words of their last turn, for retrieval) and replies, as words, and both as ids."""

    said: list[list[str]]
    replies: list[list[str]]
    ids: list[tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """The splits, and statistics of train: `info` fits JSON (source, fingerprint, split, words, ...)."""

    train: Part
    valid: Part
    test: Part
    info: dict[str, Any]


@same_for_every_seed
def load(config: TalkConfig) -> Data:
    """Reads the dialogues of `config.data`. Raises InputError if there are none, or too few."""
    return arranged(read(config.data), config)


def arranged(read_parts: dict[str, list[list[list[str]]]], config: TalkConfig) -> Data:
    """Turns the dialogues that `read` returned into pairs of ids."""
    some_of = {name: [some[i] for i in spread(len(some), config.max_examples)] for name, some in read_parts.items()}
    parts = distinct(some_of)
    pairs = {name: [pair for dialogue in some for pair in replies(dialogue, config)] for name, some in parts.items()}
    words = Vocabulary.fit(
        (word for said, reply in pairs["train"] for word in [*said[-1], *reply]), config.max_vocabulary, 2
    )
    found = {name: _part(some, words, config.max_words) for name, some in pairs.items()}
    counts = ", ".join(f"{name} {len(parts[name]):,} ({sized(len(pairs[name]), 'replies')})" for name in parts)
    lengths = [len(reply) for _, reply in found["train"].ids]
    info = {
        "source": config.data,
        "fingerprint": fingerprint(read_parts),
        "split": f"{counts}; {len(words):,} words; dialogues of valid and test are not in train",
        "words": list(words.tokens),
        "max_words": config.max_words,
        "context": config.context,
        "bucket_lengths": bucket_lengths(lengths, config.buckets, config.max_words + 1),
    }
    return Data(**found, info=info)


def read(source: str) -> dict[str, list[list[list[str]]]]:
    """Reads the dialogues by split, each a list of turns, which are lists of words."""
    if source == "dailydialog":
        entries = CATALOGUE["dailydialog"]
        texts = [fetch.fetch(entry).decode() for entry in entries]
        return {name: _dialogues(text) for name, text in zip(("train", "valid", "test"), texts, strict=True)}
    dialogues = _dialogues(read_text(Path(source)))
    if len(dialogues) < FEWEST:
        raise InputError(
            f"Expected at least {FEWEST} dialogues of two or more turns, one a line, a turn ending in {TURN_END}. "
            f"{source} has {len(dialogues)}."
        )
    order = np.random.default_rng(SPLIT_SEED).permutation(len(dialogues)).tolist()
    tenth = max(1, round(len(order) * TENTH))
    chosen = {"test": order[:tenth], "valid": order[tenth : 2 * tenth], "train": order[2 * tenth :]}
    return {name: [dialogues[i] for i in chosen[name]] for name in ("train", "valid", "test")}


def _dialogues(text: str) -> list[list[list[str]]]:
    found = [[words(turn) for turn in line.split(TURN_END) if turn.strip()] for line in text.split("\n")]
    return [dialogue for dialogue in found if len(dialogue) > 1]


def words(turn: str) -> list[str]:
    """Splits a turn into lower-case words and punctuation; apostrophes are attached to the following letters.

    >>> words("Let ' s go , I don \u2019 t mind.")
    ['let', "'s", 'go', ',', 'i', 'don', "'t", 'mind', '.']
    """
    return cut(_APART.sub("'", composed(turn.lower()))).tokens


def sentence(tokens: list[str]) -> str:
    """Joins words into a sentence with normal spacing and capitals."""
    text = _I.sub("I", _TIGHT.sub(r"\1", " ".join(tokens)))
    return regex.sub(r"(?:^|[.!?] )[a-z]", lambda match: match[0].upper(), text)


def key(dialogue: list[list[str]]) -> str:
    """Returns what makes two dialogues the same: their letters and digits."""
    return "".join(sign for turn in dialogue for word in turn for sign in word if sign.isalnum())


def distinct(parts: dict[str, list]) -> dict[str, list]:
    """Removes training dialogues that also occur in valid or test, and validation dialogues that occur in test."""
    seen = {key(dialogue) for dialogue in parts["test"]}
    kept = {"test": parts["test"]}
    for name in ("valid", "train"):
        kept[name] = [dialogue for dialogue in parts[name] if key(dialogue) not in seen]
        seen |= {key(dialogue) for dialogue in kept[name]}
    return {name: kept[name] for name in ("train", "valid", "test")}


def replies(dialogue: list[list[str]], config: TalkConfig) -> list[tuple[list[list[str]], list[str]]]:
    """Returns pairs of the preceding turns and a turn, for all turns after the first."""
    return [(dialogue[max(0, i - config.context) : i], dialogue[i]) for i in range(1, len(dialogue)) if dialogue[i]]


def message_ids(turns: list[list[str]], words: Vocabulary, most: int) -> np.ndarray:
    """Encodes a context as ids (time,): a start token, then the last `most` words, with an end token between turns."""
    joined = [word for turn in turns for word in (*turn, END)][:-1]
    return words.encode([BEGIN, *joined[-most:]])


def _part(pairs: list, words: Vocabulary, most: int) -> Part:
    ids = [
        (message_ids(said, words, most), words.encode([*reply, END][: most + 1]).astype(np.int32))
        for said, reply in pairs
    ]
    return Part([said[-1] for said, _ in pairs], [reply for _, reply in pairs], ids)


class PairBatches(BucketBatches):
    """Batches ((written (batch, time), said (batch, max_words + 1)), targets (batch, time), weights (batch, time)).

    All are ids: `said` is the context, the targets are the words of the reply, `written` is the reply shifted by one.
    `silence` is the share of training examples whose context is reduced to the start token.
    """

    def __init__(self, part: Part, info: dict, batch_size: int, seed: int, silence: float = 0.0) -> None:
        targets = [reply for _, reply in part.ids]
        written = [np.concatenate([[BEGIN_ID], reply[:-1]]).astype(np.int32) for reply in targets]
        super().__init__(written, targets, batch_size, seed, info["bucket_lengths"])
        self.said, _ = pad([said for said, _ in part.ids], info["max_words"] + 1)
        self.silence = silence

    def batch(self, epoch: int, step: int) -> tuple:
        """See the class docstring."""
        (written, _), targets, weights = super().batch(epoch, step)
        said = self.said[self.rows(epoch, step)]
        if self.silence:
            random = np.random.default_rng([self.seed, epoch, step])
            said[random.random(len(said)) < self.silence, 1:] = PAD_ID
        return (written, said), targets, weights
