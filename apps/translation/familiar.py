"""How familiar a source sentence is: which of its tokens and pairs of tokens are in the training sources."""

from collections.abc import Iterable, Sequence

import numpy as np

from shared.data.text import BEGIN, UNKNOWN

BARE = "_"  # a token that is nothing but the space before a word, as in "_ 1 2"


class Familiar:
    """The pairs of neighbouring tokens in the training sources, each pair as one text with a space between them.

    A run of digits counts as a single token, represented by as many zeros, since otherwise every number would be new:
    if the training data has "March 5, 2020" but not "March 2020", the latter has a new pair, "_March _0000".
    """

    def __init__(self, pairs: Iterable[str]) -> None:
        self.pairs = frozenset(pairs)
        self._tokens = frozenset(pair.partition(" ")[2] for pair in self.pairs)

    def new(self, tokens: Sequence[str]) -> float:
        """Returns the share of a source's pairs that are not in the training sources; the tokens end with <eos>."""
        return float(np.mean([pair not in self.pairs for pair in pairs(tokens)]))

    def unknown(self, tokens: Sequence[str]) -> tuple[int, int]:
        """Returns how many of a source's tokens are unknown or not in the training sources, and how many there are.

        Numbers are always known, whatever their length.
        """
        found = joined(tokens[:-1])
        strange = [
            token for token in found if token == UNKNOWN or token not in self._tokens and token.strip(BARE + "0")
        ]
        return len(strange), len(found)

    def knows(self, tokens: Sequence[str]) -> bool:
        """Whether the training sources have all tokens of a word, in this order; the tokens end with <eos>."""
        return not self.unknown(tokens)[0] and self.pairs.issuperset(pairs(tokens)[1:-1])


def pairs(tokens: Sequence[str]) -> list[str]:
    """Returns the pairs of neighbouring tokens of a source, the first of them with <bos>."""
    found = [BEGIN, *joined(tokens)]
    return [f"{one} {other}" for one, other in zip(found, found[1:], strict=False)]


def joined(tokens: Sequence[str]) -> list[str]:
    """Replaces each run of digits, and the bare space before it, by one token: _ 2 0 2 0 -> _0000."""
    found: list[str] = []
    number = False  # whether the last token is such a run
    for token in tokens:
        digit = token.isdigit()
        if digit and (number or (found and found[-1] == BARE)):
            found[-1] += "0"
        else:
            found.append("0" if digit else token)
        number = digit
    return found
