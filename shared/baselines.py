"""A baseline: an interpolated modified Kneser-Ney n-gram model over integer tokens."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared import InputError

# KenLM's discounts for counts of 1, 2, and 3 or more, where too few n-grams were seen to estimate them.
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class _Level:
    """All n-grams of one length. The index of an n-gram is its rank when they are sorted by (context, token)."""

    keys: NDArray[np.int64]  # (n-grams,) sorted: index of the context * vocabulary_size + last token
    discounted: NDArray[np.float64]  # (n-grams,) the first term of p_k
    left_over: NDArray[np.float64]  # (contexts,) the weight of the lower-order model

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the indices of the n-grams with these keys, -1 for unseen ones."""
        numbers = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[numbers] == keys, numbers, -1)


class NGram:
    """An n-gram model of text, interpolated with modified Kneser-Ney smoothing.

    Chen and Goodman (1999), "An empirical study of smoothing techniques for language modeling",
    doi:10.1006/csla.1999.0128, section 3. With c_k the count of a k-gram, h the k - 1 tokens before w and h'
    the same tokens without the first:

        p_k(w | h) = (c_k(h w) - D_k(c_k(h w))) / sum_v c_k(h v)  +  left_over_k(h) p_{k-1}(w | h')
        left_over_k(h) = sum_v D_k(c_k(h v)) / sum_v c_k(h v),  or 1 if every c_k(h v) is 0
        p_0(w) = 1 / vocabulary_size
        c_k(g) = occurrences of g if k = order, else the number of distinct tokens that precede g
        D_k(0) = 0,  D_k(1) = 1 - 2 Y n_2 / n_1,  D_k(2) = 2 - 3 Y n_3 / n_2,  D_k(3, ...) = 3 - 4 Y n_4 / n_3
        Y = n_1 / (n_1 + 2 n_2),  n_i = the number of k-grams with c_k = i

    Where an n_i is zero or a D_k lies outside (0, count], KenLM's fallback discounts 0.5, 1, 1.5 are used.
    Differences from the paper: the text is one stream, without a start symbol for each sentence.

    Args:
        order: positive int, length of the longest n-gram in tokens; the context has `order - 1` tokens.
        discount: a fixed discount in (0, 1] for all counts (plain Kneser-Ney). None: D_k is estimated.

    Raises:
        InputError: (a ValueError) if `order` or `discount` is out of range.

    >>> model = NGram(order=2).fit([0, 1, 0, 1, 0, 2], vocabulary_size=3)
    >>> model.nats([0, 1, 0, 1]).shape
    (4,)
    """

    def __init__(self, order: int, discount: float | None = None) -> None:
        if isinstance(order, bool) or not isinstance(order, int) or order < 1:
            raise InputError(f"`order` must be a positive integer. Received: order={order}")
        if discount is not None and not 0 < discount <= 1:
            raise InputError(f"`discount` must be None or lie in (0, 1]. Received: discount={discount}")
        self.order = order
        self.discount = discount
        self._vocabulary_size = 0
        self._levels: list[_Level] = []

    def fit(self, ids: Any, vocabulary_size: int) -> "NGram":
        """Counts the n-grams of a text.

        Args:
            ids: (time,) integers in [0, vocabulary_size); at least `order` of them.
            vocabulary_size: number of distinct tokens, seen or not; each gets a nonzero probability.

        Returns:
            The model itself.

        Raises:
            InputError: (a ValueError) if the text is too short or contains a token outside the vocabulary.
        """
        tokens = _tokens(ids, vocabulary_size)
        if len(tokens) < self.order:
            raise InputError(
                f"An n-gram model of order {self.order} learns from at least {self.order} tokens. "
                f"Received: {len(tokens)}"
            )
        self._vocabulary_size = vocabulary_size
        # For every k: the keys of the distinct k-grams, the position of each one's first occurrence, and the index of
        # the k-gram at every position. There is a 0-gram before each token and one after the last.
        numberings = [(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(len(tokens) + 1, np.int64))]
        for k in range(1, self.order + 1):
            contexts = numberings[-1][2][:-1]
            numberings.append(
                np.unique(contexts * vocabulary_size + tokens[k - 1 :], return_index=True, return_inverse=True)
            )
        self._levels = []
        for k in range(1, self.order + 1):
            keys, _, numbers = numberings[k]
            if k < self.order:
                # Each distinct (k+1)-gram contributes one preceding token to the k-gram that it ends with, which
                # starts one position later in the text.
                numbers = numbers[1:][numberings[k + 1][1]]
            counts = np.bincount(numbers, minlength=len(keys))
            self._levels.append(self._level(keys, counts, contexts=len(numberings[k - 1][0])))
        return self

    def nats(self, ids: Any) -> NDArray[np.float64]:
        """Returns the surprisal of every token of a text, given the tokens before it.

        Args:
            ids: (time,) integers in [0, vocabulary_size). The first ones have a shorter context.

        Returns:
            (time,) float64, -log p of each token, in nats.

        Raises:
            InputError: (a ValueError) if the model is not fitted, or a token is outside the vocabulary.
        """
        if not self._levels:
            raise InputError("The n-gram model has seen no text yet. Call `fit` first.")
        tokens = _tokens(ids, self._vocabulary_size)
        probability = np.full(len(tokens), 1.0 / self._vocabulary_size)
        contexts = np.zeros(len(tokens), np.int64)  # the index of the (k-1)-gram before each token
        for k, level in enumerate(self._levels, start=1):
            known = contexts >= 0
            number = np.where(known, level.find(contexts * self._vocabulary_size + tokens), -1)
            weight = np.where(known, level.left_over[contexts], 1.0)
            probability = np.where(number >= 0, level.discounted[number], 0.0) + weight * probability
            # The next context is the k-gram that ends one token earlier; the first k tokens have too few before them.
            contexts = np.roll(number, 1)
            contexts[:k] = -1
        return -np.log(probability)

    def _level(self, keys: NDArray[np.int64], counts: NDArray[np.int64], contexts: int) -> _Level:
        """Returns the probabilities of the n-grams of one length, computed from their counts."""
        parents = keys // self._vocabulary_size
        discounts = self._discounts(counts)[np.minimum(counts, 3)]
        totals = np.bincount(parents, counts, minlength=contexts)
        left_over = np.bincount(parents, discounts, minlength=contexts)
        seen = totals > 0
        totals[~seen], left_over[~seen] = 1.0, 1.0
        return _Level(keys, (counts - discounts) / totals[parents], left_over / totals)

    def _discounts(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the discounts for counts of 0, 1, 2, and 3 or more (equation 26 of the paper)."""
        if self.discount is not None:
            return np.array([0.0, self.discount, self.discount, self.discount])
        n1, n2, n3, n4 = (float(np.count_nonzero(counts == i)) for i in (1, 2, 3, 4))
        if min(n1, n2, n3, n4) > 0:
            y = n1 / (n1 + 2 * n2)
            found = np.array([1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
            if np.all((found > 0) & (found <= (1, 2, 3))):
                return np.concatenate([[0.0], found])
        return np.array([0.0, *FALLBACK_DISCOUNTS])


def _tokens(ids: Any, vocabulary_size: int) -> NDArray[np.int64]:
    """Returns the ids as int64 (time,) after checking that all are in the vocabulary."""
    tokens = np.asarray(ids)
    if tokens.ndim != 1 or (tokens.size and not np.issubdtype(tokens.dtype, np.integer)):
        raise InputError(f"Expected token ids of shape (time,). Received: {tokens.dtype} {tokens.shape}")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < vocabulary_size:
        raise InputError(f"Expected token ids in [0, {vocabulary_size}). Received: {tokens.min()} to {tokens.max()}")
    return tokens.astype(np.int64)
