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
    """All n-grams of one length. An n-gram's number is its rank among them, sorted by (context, token)."""

    keys: NDArray[np.int64]  # (n-grams,) sorted: number of the context * vocabulary_size + last token
    discounted: NDArray[np.float64]  # (n-grams,) the first term of p_k
    left_over: NDArray[np.float64]  # (contexts,) the weight of the lower order

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of n-grams given by their keys, -1 for an unseen one."""
        numbers = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[numbers] == keys, numbers, -1)


class NGram:
    """An n-gram model of text, interpolated with modified Kneser-Ney smoothing.

    Chen and Goodman (1999), "An empirical study of smoothing techniques for language modeling",
    doi:10.1006/csla.1999.0128, section 3. With c_k the count of a k-gram, h the k - 1 tokens before w and h'
    the same without the first:

        p_k(w | h) = (c_k(h w) - D_k(c_k(h w))) / sum_v c_k(h v)  +  left_over_k(h) p_{k-1}(w | h')
        left_over_k(h) = sum_v D_k(c_k(h v)) / sum_v c_k(h v),  or 1 if every c_k(h v) is 0
        p_0(w) = 1 / vocabulary_size
        c_k(g) = occurrences of g if k = order, else the number of different tokens seen before g
        D_k(0) = 0,  D_k(1) = 1 - 2 Y n_2 / n_1,  D_k(2) = 2 - 3 Y n_3 / n_2,  D_k(3, ...) = 3 - 4 Y n_4 / n_3
        Y = n_1 / (n_1 + 2 n_2),  n_i = the number of k-grams with c_k = i

    Where an n_i is zero or a D_k lies outside (0, count], KenLM's fallback discounts 0.5, 1, 1.5 are used.
    Differences from the paper: the text is one stream, without a start symbol for each sentence.

    Args:
        order: positive int, the longest n-gram in tokens; the context has `order - 1`.
        discount: one fixed discount in (0, 1] for every count (plain Kneser-Ney); None estimates D_k.

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
        """Counts one text.

        Args:
            ids: (time,) integers in [0, vocabulary_size); at least `order` of them.
            vocabulary_size: number of different tokens, seen or not; each gets a probability above zero.

        Returns:
            The model itself.

        Raises:
            InputError: (a ValueError) if the text is too short or holds a token outside the vocabulary.
        """
        tokens = _tokens(ids, vocabulary_size)
        if len(tokens) < self.order:
            raise InputError(
                f"An n-gram model of order {self.order} learns from at least {self.order} tokens. "
                f"Received: {len(tokens)}"
            )
        self._vocabulary_size = vocabulary_size
        # For every k: keys of the different k-grams, where each first occurs, and the number of every one
        # in the text. The 0-grams lie before each token and after the last.
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
                # Each different (k+1)-gram is one token seen before the k-gram it ends in; that one starts
                # one place later in the text.
                numbers = numbers[1:][numberings[k + 1][1]]
            counts = np.bincount(numbers, minlength=len(keys))
            self._levels.append(self._level(keys, counts, contexts=len(numberings[k - 1][0])))
        return self

    def nats(self, ids: Any) -> NDArray[np.float64]:
        """The surprise of every token of a text, given the tokens before it.

        Args:
            ids: (time,) integers in [0, vocabulary_size). The first ones have a shorter context.

        Returns:
            (time,) -log p of each token, in nats.

        Raises:
            InputError: (a ValueError) if the model was not fitted, or a token is outside the vocabulary.
        """
        if not self._levels:
            raise InputError("The n-gram model has seen no text yet. Call `fit` first.")
        tokens = _tokens(ids, self._vocabulary_size)
        probability = np.full(len(tokens), 1.0 / self._vocabulary_size)
        contexts = np.zeros(len(tokens), np.int64)  # the number of the (k-1)-gram before each token
        for k, level in enumerate(self._levels, start=1):
            known = contexts >= 0
            number = np.where(known, level.find(contexts * self._vocabulary_size + tokens), -1)
            weight = np.where(known, level.left_over[contexts], 1.0)
            probability = np.where(number >= 0, level.discounted[number], 0.0) + weight * probability
            # The next context is this k-gram one token earlier; the k-th token has too few before it.
            contexts = np.roll(number, 1)
            contexts[:k] = -1
        return -np.log(probability)

    def _level(self, keys: NDArray[np.int64], counts: NDArray[np.int64], contexts: int) -> _Level:
        """The probabilities of the n-grams of one length, from their counts."""
        parents = keys // self._vocabulary_size
        discounts = self._discounts(counts)[np.minimum(counts, 3)]
        totals = np.bincount(parents, counts, minlength=contexts)
        left_over = np.bincount(parents, discounts, minlength=contexts)
        seen = totals > 0
        totals[~seen], left_over[~seen] = 1.0, 1.0
        return _Level(keys, (counts - discounts) / totals[parents], left_over / totals)

    def _discounts(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """What is taken from counts of 0, 1, 2, and 3 or more (equation 26 of the paper)."""
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
    """The ids as int64 (time,), checked to lie in the vocabulary."""
    tokens = np.asarray(ids)
    if tokens.ndim != 1 or (tokens.size and not np.issubdtype(tokens.dtype, np.integer)):
        raise InputError(f"Expected token ids of shape (time,). Received: {tokens.dtype} {tokens.shape}")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < vocabulary_size:
        raise InputError(f"Expected token ids in [0, {vocabulary_size}). Received: {tokens.min()} to {tokens.max()}")
    return tokens.astype(np.int64)
