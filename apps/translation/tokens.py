"""Sentences to token ids and back: byte-pair subwords or words, in a joint vocabulary of both languages."""

import collections
import dataclasses
import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from shared.data.text import SPECIALS, UNKNOWN

PAD, UNK, BEGIN, END = range(4)  # ids of SPECIALS
SPACE = "\u2581"  # represents the space before a word, as in SentencePiece


def clean(text: str) -> str:
    """Normalises a sentence: composed characters, no spaces at either end, single spaces inside.

    Non-breaking spaces, which CLDR uses in numbers and times, become the ordinary spaces that people type.
    """
    text = unicodedata.normalize("NFC", text).replace(SPACE, "_")
    return _single_spaces("".join(" " if c in "\0\t\r\n" or unicodedata.category(c) == "Zs" else c for c in text))


def _single_spaces(text: str) -> str:
    return " ".join(word for word in text.split(" ") if word)


@dataclasses.dataclass(frozen=True)
class Encoded:
    """The ids of a sentence, ending with <eos>, and the text of each token."""

    ids: np.ndarray
    pieces: list[str]


class Tokenizer:
    """Splits sentences into tokens; learned from the training sentences only.

    Sennrich et al. (2016), "Neural machine translation of rare words with subword units", arXiv:1508.07909. Digits
    and punctuation are separate tokens, so that unseen numbers are read and written digit by digit.

    Args:
        state: as returned by `to_json`.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        import tokenizers

        self._inner = tokenizers.Tokenizer.from_str(json.dumps(state))
        self._inner.encode_special_tokens = True  # <eos> in a user's text is encoded as ordinary characters
        self._tokens = [self._inner.id_to_token(number) for number in range(self._inner.get_vocab_size())]

    @classmethod
    def fit(cls, sentences: Iterable[str], level: str, size: int, min_count: int) -> "Tokenizer":
        """Learns at most `size` tokens; characters or words that occur fewer than `min_count` times are unknown."""
        import tokenizers
        from tokenizers import models, pre_tokenizers, trainers

        sentences = list(sentences)
        specials: dict[str, Any] = {"vocab_size": size, "special_tokens": list(SPECIALS), "show_progress": False}
        if level == "words":
            model, trainer = (
                models.WordLevel(unk_token=UNKNOWN),
                trainers.WordLevelTrainer(min_frequency=min_count, **specials),
            )
        else:
            counts = collections.Counter(character for text in sentences for character in text)
            # Passed explicitly: among equally frequent characters, the trainer would fill up its limit at random.
            known = sorted({character for character in counts if counts[character] >= min_count} - {" "} | {SPACE})
            model, trainer = (
                models.BPE(unk_token=UNKNOWN),
                trainers.BpeTrainer(min_frequency=2, initial_alphabet=known, limit_alphabet=len(known), **specials),
            )
        inner = tokenizers.Tokenizer(model)
        inner.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always"),
                pre_tokenizers.Punctuation("isolated"),
                pre_tokenizers.Digits(individual_digits=True),
            ]
        )
        inner.train_from_iterator(sentences, trainer)
        return cls(json.loads(inner.to_str()))

    def __len__(self) -> int:
        return len(self._tokens)

    def to_json(self) -> dict[str, Any]:
        """Returns the learned state in JSON format."""
        return json.loads(self._inner.to_str())

    def encode(self, text: str) -> Encoded:
        """Encodes a clean sentence as ids (time,) int32, with the text of each token."""
        found = self._inner.encode(text)
        pieces = [text[start:end] if start else f" {text[:end]}" for start, end in found.offsets]
        return Encoded(np.array([*found.ids, END], np.int32), [*pieces, ""])

    def decode(self, ids: Sequence[int], copied: Sequence[str] = ()) -> str:
        """Decodes ids up to <eos>; `copied` holds the replacement for each <unk>, otherwise it is omitted."""
        written = []
        for place, number in enumerate(ids):
            if number == END:
                break
            if number == UNK:
                written.append(copied[place] if place < len(copied) else "")
            elif number >= len(SPECIALS):
                written.append(self._tokens[number])
        return _single_spaces("".join(written).replace(SPACE, " "))

    def shown(self, ids: Sequence[int]) -> list[str]:
        """Returns the tokens for display, with _ for the space before a word."""
        return [self._tokens[number].replace(SPACE, "_") for number in ids]
